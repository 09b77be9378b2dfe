from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import DocumentError, InputError
from reelwise.route import linear
from reelwise.route.embedding import Embedded, EmbeddingFacts, check_same, is_endpoint, open_embedding
from reelwise.route.floor import area, hold_floor
from reelwise.route.learner import FOR_ROUTER, cross_scores
from reelwise.route.lift import lift_of
from reelwise.route.needed import needed_rows
from reelwise.route.outcomes import table_of
from reelwise.route.router import Router
from reelwise.route.saved import with_vectors

from .conftest import EASY, HARD, drawn

WORDS = ("the", "man", "dog", "car", "street", *HARD, *EASY)


def write_words(path, seed=0, size=6):
    """Vectors in which hard words lie on one side."""
    rng = np.random.default_rng(seed)
    lines = []
    for word in WORDS:
        row = rng.normal(0, 0.3, size).round(4)
        row[0] += 2.0 * (word in HARD) - 2.0 * (word in EASY)
        lines.append(f"{word} {' '.join(map(str, row))}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def words(tmp_path):
    return write_words(tmp_path / "words.txt")


@pytest.fixture
def router(words):
    return Router.train(
        drawn(300), cheap="small", dear="large", quality=0.9, embedding=open_embedding(str(words))
    )  # fmt: skip


class Paid:
    """An embedding that costs 7 nano-USD a text."""

    facts = EmbeddingFacts(name="openai:some", dimension=2, sha256="")

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        self.asked += texts
        return Embedded(np.array([[len(text), 1.0] for text in texts]), 7 * len(texts))


def test_a_router_with_an_embedding_is_saved_with_its_name_size_and_checksum(router, words, tmp_path):
    path = tmp_path / "router.json"
    router.save(path)
    plain = json.loads(path.read_text())
    again = Router.load(path)

    assert plain["embedding"] == {
        "name": str(words), "dimension": 6, "sha256": open_embedding(str(words)).facts.sha256,
    }  # fmt: skip
    assert again.choose("prove why integral the man?") == router.choose("prove why integral the man?")
    assert again.choose("prove why integral the man?").model == "large"
    assert again.choose("colour name count the man?").model == "small"


def test_another_embedding_a_missing_one_and_one_too_many_are_refused(router, words, tmp_path):
    path = tmp_path / "router.json"
    router.save(path)
    write_words(words, seed=1)
    with pytest.raises(InputError, match="another embedding"):
        Router.load(path)
    words.unlink()
    with pytest.raises(InputError, match="no such embedding"):
        Router.load(path)
    with pytest.raises(InputError, match="given none"):
        Router(router.saved)
    plain = Router.train(drawn(300), cheap="small", dear="large")
    with pytest.raises(InputError, match="without"):
        Router(plain.saved, embedding=Paid())


def test_a_file_beside_the_router_is_found_from_elsewhere(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Router.train(drawn(300), cheap="a", dear="b", embedding=open_embedding(words.name)).save(tmp_path / "router.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert Router.load(tmp_path / "router.json").embedding.facts.name == "words.txt"


def test_weights_of_another_size_are_a_damaged_file(router, tmp_path):
    path = tmp_path / "router.json"
    router.save(path)
    plain = json.loads(path.read_text())
    plain["learned"]["vectors_gain"]["weights"].pop()
    path.write_text(json.dumps(plain))
    with pytest.raises(DocumentError, match="5 weights, 6"):
        Router.load(path)
    plain["learned"]["vectors_gain"] = None
    path.write_text(json.dumps(plain))
    with pytest.raises(DocumentError, match="do not fit"):
        Router.load(path)


def test_what_a_billed_embedding_costs_is_counted_and_it_is_asked_only_where_the_score_decides():
    paid = Paid()
    router = Router.train(drawn(300), cheap="small", dear="large", quality=0.9, embedding=paid)
    assert router.saved.trained.embedding_nano == 2100
    assert len(paid.asked) == 300
    paid.asked.clear()
    choice = router.choose("prove why?")
    assert (choice.embedding_nano, choice.by, paid.asked) == (7, "score", ["prove why?"])
    paid.asked.clear()
    floor = msgspec.structs.replace(router.saved.floor, cut=None)
    unproved = Router(msgspec.structs.replace(router.saved, floor=floor), embedding=paid)

    assert unproved.choose("prove why?").embedding_nano == 0
    assert not paid.asked


def test_a_billed_embedding_is_never_opened_unasked(tmp_path):
    router = Router.train(drawn(300), cheap="small", dear="large", embedding=Paid())
    router.save(tmp_path / "router.json")
    assert is_endpoint("openai:some")
    with pytest.raises(InputError, match="costs money"):
        Router.load(tmp_path / "router.json")
    assert Router.load(tmp_path / "router.json", embedding=Paid()).choose("why?").model


def test_vectors_of_another_shape_or_not_finite_are_refused():
    table = table_of(drawn(80).rows)
    facts = EmbeddingFacts(name="x", dimension=2, sha256="")
    with pytest.raises(InputError, match="shape"):
        with_vectors(table, np.zeros((80, 3)), facts)
    with pytest.raises(InputError, match="finite"):
        with_vectors(table, np.full((80, 2), np.nan), facts)


def test_an_endpoint_is_known_by_its_name_and_files_by_their_checksum():
    one = EmbeddingFacts(name="a", dimension=3, sha256="1" * 64)
    check_same(one, EmbeddingFacts(name="moved", dimension=3, sha256="1" * 64), "x")
    for other in (
        EmbeddingFacts(name="a", dimension=3, sha256="2" * 64),
        EmbeddingFacts(name="a", dimension=4, sha256="1" * 64),
        EmbeddingFacts(name="a", dimension=3, sha256=""),
    ):
        with pytest.raises(InputError):
            check_same(one, other, "x")
    paid = EmbeddingFacts(name="openai:a", dimension=3, sha256="")
    check_same(paid, paid, "x")
    with pytest.raises(InputError):
        check_same(paid, EmbeddingFacts(name="openai:b", dimension=3, sha256=""), "x")


def test_vectors_that_tell_what_words_do_not_help_and_the_lift_says_so():
    """A text of no use, and a vector that says how hard it is."""
    rng = np.random.default_rng(0)
    outcomes = drawn(400)
    hard = rng.random(400) < 0.5
    rows = tuple(
        msgspec.structs.replace(row, text="the man", cheap=float(rng.random() < (0.2 if hard[at] else 0.9)), dear=1.0)
        for at, row in enumerate(outcomes.rows)
    )
    table = table_of(rows)
    vectors = rng.normal(0, 1, (400, 5))
    vectors[:, 2] += 3 * hard
    facts = EmbeddingFacts(name="x", dimension=5, sha256="")
    plain = cross_scores(table, FOR_ROUTER)
    found = cross_scores(with_vectors(table, vectors, facts), FOR_ROUTER)
    lift = lift_of(plain, found, table.cheap, table.dear)

    assert area(found, table.cheap, table.dear) > 0.65
    assert lift.shown
    assert lift.low < lift.with_it - lift.without < lift.high
    assert not lift_of(found, found, table.cheap, table.dear).shown


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), width=st.integers(1, 6), scale=st.floats(0.01, 100))
def test_a_ridge_does_not_care_for_the_scale_of_its_numbers(seed, width, scale):
    rng = np.random.default_rng(seed)
    rows, wanted = rng.normal(0, 1, (40, width)), rng.normal(0, 1, 40)
    one = linear.fit(rows, wanted, shrink=3.0).predict(rows)
    other = linear.fit(rows * scale, wanted, shrink=3.0).predict(rows * scale)

    assert np.abs(one - other).max() < 1e-3
    assert abs(one.mean() - wanted.mean()) < 1e-4


def test_so_many_rows_as_are_said_to_be_needed_do_prove_the_floor():
    rng = np.random.default_rng(1)

    def rows(count):
        hard = rng.random(count)
        cheap = (rng.random(count) > 0.9 * hard).astype(float)
        return hard + rng.normal(0, 0.4, count), cheap, (rng.random(count) < 0.9).astype(float)

    scores, cheap, dear = rows(35)
    assert hold_floor(scores, cheap, dear, quality=0.98).cut is None
    needed = needed_rows(*rows(4000), quality=0.98, risk=0.05)
    assert needed.rows > 4000  # never fewer than there are
    small = needed_rows(scores, cheap, dear, quality=0.98, risk=0.05)
    assert small.rows is None or small.rows > 35
    many = needed_rows(*rows(2000), quality=0.9, risk=0.05)
    proved = hold_floor(*rows(many.rows * 2), quality=0.9)
    assert proved.cut is not None
    assert proved.dear_share <= many.dear_share + 0.05


def test_where_no_number_of_rows_would_prove_it_that_is_said():
    scores = np.arange(200.0)
    dear = np.ones(200)
    assert needed_rows(scores, 1 - dear, dear, quality=1.0, risk=0.05).rows is None
    assert needed_rows(-scores, (scores > 100).astype(float), dear, quality=0.9, risk=0.05).rows is not None
