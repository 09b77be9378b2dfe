"""A router whose embedding is behind an endpoint: trained and used against a sandbox, held for, metered and in the receipt."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pytest

from reelwise.errors import BudgetError, EndpointError, InputError
from reelwise.ledger.ledger import Ledger
from reelwise.models.answer import Answer
from reelwise.rates import Book
from reelwise.route.outcomes import Columns, Outcome, Outcomes
from reelwise.route.router import Router
from reelwise.run.embedding import EndpointEmbedding, MeteredCaller, endpoint_of, priced
from reelwise.run.settle import Cap
from reelwise.sandbox import Sandbox, Scenario

NAME = "openai:text-embedding-3-small"
DAY = dt.date(2026, 11, 22)
CHEAP, DEAR = "gemini-2.5-flash-lite", "gemini-2.5-pro"


def outcomes(number=120):
    rng = random.Random(0)  # noqa: S311 - a test
    rows = []
    for at in range(number):
        hard = at % 3 == 0
        text = f"{'why does' if hard else 'what colour is'} thing {rng.randrange(9)}?"
        rows.append(Outcome(text=text, cheap=float(not hard), dear=1.0))
    return Outcomes(rows=tuple(rows), columns=Columns(text="text", cheap=CHEAP, dear=DEAR), sha256="0" * 64)


@pytest.fixture
def box():
    with Sandbox(Scenario(seed=3, day=DAY.isoformat())) as opened:
        yield opened


@pytest.fixture
def embed(box, tmp_path):
    """Open the embedding at the sandbox, under a cap."""
    said = []
    with Ledger(str(tmp_path / "own.db")) as ledger, endpoint_of(NAME, url=f"{box.url}/v1", key="") as endpoint:

        def opened(nano=None):
            caller = MeteredCaller(
                endpoint, book=Book.load(DAY), ledger=ledger, cap=Cap(nano), feature="router", say=said.append
            )
            return EndpointEmbedding(NAME, caller)

        opened.said = said
        yield opened


def test_training_pays_what_the_invoice_says(embed, box):
    router = Router.train(outcomes(), cheap=CHEAP, dear=DEAR, quality=0.8, embedding=embed())
    bill = sum(row.nano for row in box.invoice.rows)

    assert router.saved.trained.embedding_nano == bill > 0
    assert len(box.invoice.rows) == 2  # 64 texts a call
    assert router.saved.embedding.dimension == 256
    assert router.choose("why does thing 3?").embedding_nano > 0
    assert not embed.said


def test_the_same_text_has_the_same_vector_and_a_long_one_is_cut(embed):
    one = embed()
    found = one.embed(["a man falls", "é" * 9000, "a man falls"]).vectors

    assert found.shape == (3, 256)
    assert np.array_equal(found[0], found[2])


def test_a_cap_stops_it_before_the_call(embed, box):
    with pytest.raises(BudgetError):
        embed(10).embed(["a man falls"])
    assert not box.invoice.rows


def test_vectors_of_another_size_are_an_error_that_is_paid():
    class Endpoint:
        def __call__(self, work, ask):  # noqa: ARG002 - a caller
            return ((1.0, 2.0),), 5

    with pytest.raises(EndpointError, match="2 numbers; 3"):
        EndpointEmbedding(NAME, Endpoint(), dimension=3).embed(["x"])


def test_use_that_is_not_said_counts_as_all_that_was_held(tmp_path):
    from reelwise.models.used import Used

    class Endpoint:
        provider = "openai"

        def embed(self, work):
            return Answer(used=Used(provider="openai", model=work.model, unpriced="no usage"), vectors=((1.0, 2.0),))

    said = []
    with Ledger(str(tmp_path / "own.db")) as ledger:
        caller = MeteredCaller(
            Endpoint(), book=Book.load(DAY), ledger=ledger, cap=Cap(None), feature="router", say=said.append
        )
        made = EndpointEmbedding(NAME, caller).embed(["a man falls"])

    assert made.nano > 0
    assert "no usage" in said[0]


def test_a_name_that_is_no_endpoint_is_refused():
    assert priced("openai:x") == "openai:x"
    assert priced("gemini:gemini-embedding-001") == "gemini-embedding-001"
    for name in ("openai:", "text-encoder", "other:x"):
        with pytest.raises(InputError):
            endpoint_of(name)


def test_a_run_asks_once_for_all_clips_and_the_receipt_holds_it(copies, write_plan, open_session, embed, tmp_path):
    router = tmp_path / "router.json"
    Router.train(outcomes(), cheap=CHEAP, dear=DEAR, quality=0.8, embedding=embed()).save(router)
    stages = [
        {"stage": "sample", "fps": 0.5}, {"stage": "route", "trained": str(router)},
        {"stage": "call", "lane": "easy", "model": CHEAP}, {"stage": "call", "lane": "main", "model": DEAR},
    ]  # fmt: skip
    ask = {"task": "ask", "questions": ["what colour is thing 4?"], "output_most": 50}
    clips = copies(3)
    with open_session(write_plan(*stages, ask=ask)) as (session, job):
        tracks = session.decoded(clips)
        result = session.run(job.case.plan, tracks)
        again = session.run(job.case.plan, tracks)
    vectors = [one for one in result.outcomes if one.kind == "embed"]

    assert len(vectors) == 1
    assert vectors[0].cost_nano > 0
    assert result.receipt.cost_nano == sum(one.cost_nano for one in result.outcomes)
    assert result.receipt.reconciled.residual_nano == 0
    assert [one.answers[0].model for one in result.results] == [CHEAP] * 3
    assert again.receipt.cost_nano == result.receipt.cost_nano  # resumed: nothing is paid twice
    assert again.receipt.reconciled.invoice_nano == 0
