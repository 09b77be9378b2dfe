from __future__ import annotations

import pytest

from reelwise.errors import EndpointError, InputError
from reelwise.route.cascade import Cascade, Doubt, Said

from .conftest import drawn


def asker(answers):
    made = []

    def ask(model):
        made.append(model)
        said = answers[model]
        if isinstance(said, Exception):
            raise said
        return said.pop(0) if isinstance(said, list) else said

    return ask, made


CHEAP = Said(text="The answer is (A).", nano=10, confidence=0.9)
DEAR = Said(text="The answer is (B).", nano=1000)


def test_without_doubt_only_the_cheap_call_is_paid():
    ask, made = asker({"small": CHEAP, "large": DEAR})
    step = Cascade("small", "large").answer("q?", ask)

    assert (step.answer, step.escalated, step.nano, step.calls) == (CHEAP, False, 10, (("small", 10),))
    assert made == ["small"]


@pytest.mark.parametrize(
    ("doubt", "by", "nano"),
    [
        (Doubt(confidence_least=0.95), "confidence", 1010),
        (Doubt(verify=lambda _question, answer: "(C)" in answer), "verify", 1010),
        (Doubt(second="other"), "second", 1015),
        (Doubt(samples=3), "samples", 1030),
    ],
)
def test_each_doubt_escalates_and_every_call_is_in_the_cost(doubt, by, nano):
    unsure = [CHEAP, Said(text="The answer is (D).", nano=10), CHEAP]
    ask, made = asker(
        {"small": unsure if doubt.samples > 1 else CHEAP, "large": DEAR, "other": Said(text="answer is (E)", nano=5)}
    )
    step = Cascade("small", "large", doubt=doubt).answer("q?", ask)

    assert (step.by, step.model, step.answer, step.nano) == (by, "large", DEAR, nano)
    assert [model for model, _ in step.calls] == made
    assert step.nano == sum(cost for _, cost in step.calls)


def test_no_confidence_is_doubt():
    ask, _ = asker({"small": Said(text="x", nano=1), "large": DEAR})
    assert Cascade("small", "large", doubt=Doubt(confidence_least=0.1)).answer("q?", ask).by == "confidence"


def test_agreement_is_of_conclusions_and_not_of_words():
    ask, made = asker({"small": CHEAP, "large": DEAR, "other": Said(text="Thus: answer: A", nano=5)})
    step = Cascade("small", "large", doubt=Doubt(second="other")).answer("q?", ask)

    assert not step.escalated
    assert (made, step.nano) == (["small", "other"], 15)


def test_a_failing_dear_model_is_an_error_or_said_where_the_cheap_answer_is_kept():
    failing = {"small": CHEAP, "large": EndpointError("overloaded")}
    doubt = Doubt(confidence_least=1.0)
    ask, _ = asker(failing)
    with pytest.raises(EndpointError):
        Cascade("small", "large", doubt=doubt).answer("q?", ask)
    step = Cascade("small", "large", doubt=doubt, keep_cheap=True).answer("q?", ask)

    assert (step.answer, step.escalated, step.nano, step.failed) == (CHEAP, False, 10, "overloaded")


def test_a_calibrated_cascade_keeps_its_floor_on_other_rows_and_survives_its_file(tmp_path):
    saved = Cascade.calibrate(drawn(600, answers=True), cheap="small", dear="large", quality=0.97)
    cascade = Cascade("small", "large", saved=saved)
    cascade.save(tmp_path / "c.json")
    again = Cascade.load(tmp_path / "c.json")
    kept = alone = escalated = 0.0
    for row in drawn(400, seed=5, answers=True).rows:
        ask, _ = asker({"small": Said(text=row.answers[0], nano=1), "large": Said(text="dear", nano=20)})
        step = again.answer(row.text, ask)
        assert step.nano == (21 if step.escalated else 1)
        kept += row.dear if step.escalated else row.cheap
        alone += row.dear
        escalated += step.escalated

    assert kept >= 0.97 * alone
    assert escalated < 240


def test_a_score_of_two_answers_needs_a_second_model():
    saved = Cascade.calibrate(drawn(200, answers=True), cheap="small", dear="large", quality=0.9)
    with pytest.raises(InputError, match=r"looks at 1 answers"):
        Cascade("small", "large", doubt=Doubt(second="other"), saved=saved)


@pytest.mark.parametrize(
    "doubt", [Doubt(samples=0), Doubt(samples=99), Doubt(confidence_least=2.0), Doubt(agree_least=-1)]
)
def test_a_doubt_that_cannot_be_is_refused(doubt):
    with pytest.raises(InputError):
        Cascade("small", "large", doubt=doubt)
