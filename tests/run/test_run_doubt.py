"""Cascades whose doubt needs calls of its own: the cheap model again, a second model, a verifier. All of them are paid and counted."""

from __future__ import annotations

import msgspec
import pytest

from reelwise.errors import DocumentError, InputError
from reelwise.run.job import read_job
from reelwise.run.outcome import Outcome

CHEAP, SECOND, DEAR = "gemini-2.5-flash-lite", "gpt-4o-mini", "gemini-2.5-pro"
HALF = {"stage": "sample", "fps": 0.5}
WEAK = {"models": [{"match": "lite|mini", "skill": 0.5, "sharpness": 4.0}]}
"""Cheap models that are wrong, and differ from sample to sample, often enough for eight clips."""
SIGNALS = {
    "samples": ({"samples": 3}, ("sample 2", "sample 3"), CHEAP),
    "second": ({"second": SECOND}, ("second",), SECOND),
    "verifier": ({"verifier": SECOND}, ("verify",), SECOND),
}
DESCRIBE = {"task": "describe", "policy": "You watch a loading bay.", "output_most": 300}
QUESTIONS = {"task": "ask", "questions": ["What happens?", "Is it dark?"], "output_most": 300}


def cascade(**settings):
    return [
        HALF, {"stage": "call", "model": CHEAP, **settings.pop("call", {})}, {"stage": "escalate", **settings},
        {"stage": "call", "lane": "doubt", "model": DEAR},
    ]  # fmt: skip


def told(job, result):
    """Put what a run has measured among the facts."""
    facts = job.case.facts.with_entries(result.facts)
    return msgspec.structs.replace(job, case=msgspec.structs.replace(job.case, facts=facts))


@pytest.mark.parametrize("name", SIGNALS)
def test_each_call_that_deciding_needs_is_paid_counted_expected_and_made_once(name, bays, write_plan, open_session):
    settings, turns, model = SIGNALS[name]
    with open_session(write_plan(*cascade(**settings)), scenario=WEAK) as (session, job):
        tracks = session.decoded(bays)
        result = session.run(job.case.plan, tracks)
        expected = session.expected(told(job, result), job.case.plan, tracks)
        again = session.run(job.case.plan, tracks)
    cheap = {one.item: one for one in result.outcomes if not one.turn and one.model == CHEAP}
    dear = {one.item for one in result.outcomes if one.model == DEAR}
    extra = [one for one in result.outcomes if one.turn]

    assert sorted(one.turn for one in extra) == sorted(turns * 8)
    assert {one.model for one in extra} == {model}
    assert {one.stage for one in extra} == {2}
    assert len({one.identity for one in result.outcomes}) == len(result.outcomes) == 8 * (1 + len(turns)) + len(dear)
    assert 0 < len(dear) < 8
    refused = {"verifier": lambda one: one.label != "right"}.get(name, lambda one: one.label != cheap[one.item].label)
    assert dear == {one.item for one in extra if refused(one)}
    # the item's cost is that of all its calls, and its answer that of the last stage
    for one in result.results:
        mine = [call for call in result.outcomes if call.item == one.item]
        assert (one.calls, one.cost_usd) == (len(mine), pytest.approx(sum(call.cost_nano for call in mine) / 1e9))
        assert one.answers[0].model == (DEAR if one.item in dear else CHEAP)
        assert one.answers[0].parts == 1
    assert result.receipt.reconciled.residual_nano == 0
    assert result.receipt.reconciled.invoice_nano == result.receipt.cost_nano
    # counted is expected, once the share is known
    metered = {side.unit: side.metered for side in result.receipt.estimate}
    assert expected.units["calls"] == pytest.approx(metered["calls"])
    cheap_usd = sum(one.cost_nano for one in result.outcomes if one.lane == "main") / 1e9
    assert expected.usd_by_lane["main"] == pytest.approx(cheap_usd, rel=0.005)
    # and nothing is made twice
    assert again.receipt.reconciled.invoice_nano == 0
    assert again.receipt.cost_nano == result.receipt.cost_nano


@pytest.mark.parametrize("name", SIGNALS)
def test_a_run_that_ran_out_of_money_while_deciding_goes_on_there(name, bays, write_plan, open_session):
    settings, _, _ = SIGNALS[name]
    plan = write_plan(*cascade(**settings))
    with open_session(plan, out="whole", scenario=WEAK) as (session, job):
        whole = session.run(job.case.plan, session.decoded(bays))
    spent = sum(one.cost_nano for one in whole.outcomes if not one.turn and one.model == CHEAP)
    most = max(one.held_nano for one in whole.outcomes if one.turn)
    with open_session(plan, max_usd=(spent + 3 * most) / 1e9, at_once=1, scenario=WEAK) as (session, job):
        first = session.run(job.case.plan, session.decoded(bays))
    with open_session(plan, scenario=WEAK) as (session, job):
        second = session.run(job.case.plan, session.decoded(bays))

    assert first.stopped is not None
    assert first.stopped.exit_code == 3
    assert 0 < sum(bool(one.turn) for one in first.outcomes) < sum(bool(one.turn) for one in whole.outcomes)
    assert second.stopped is None
    assert second.receipt.cost_nano == whole.receipt.cost_nano
    assert second.receipt.reconciled.invoice_nano == whole.receipt.cost_nano - first.receipt.cost_nano
    assert second.receipt.reconciled.residual_nano == 0


@pytest.mark.parametrize("ask", [DESCRIBE, QUESTIONS])
def test_texts_are_compared_by_their_words_question_by_question(ask, bays, write_plan, open_session):
    found = {}
    for alike in (0.0, 1.0):
        plan = write_plan(*cascade(samples=2, alike=alike), ask=ask, name=f"{alike}.yaml")
        with open_session(plan, out=f"{alike}") as (session, job):
            found[alike] = session.run(job.case.plan, session.decoded(bays[:3]))
    dear = {alike: {one.item for one in result.outcomes if one.model == DEAR} for alike, result in found.items()}

    assert dear == {0.0: set(), 1.0: {0, 1, 2}}
    each = len(found[0.0].results[0].answers)
    assert sum(one.turn == "sample 2" for one in found[0.0].outcomes) == 3 * each


def test_a_verifier_is_asked_about_each_answer(bays, write_plan, open_session):
    seen = []

    class Seen:
        def __init__(self, endpoints):
            self._endpoints = endpoints

        def __getattr__(self, name):
            return getattr(self._endpoints, name)

        def of(self, model):
            return Ear(self._endpoints.of(model))

    class Ear:
        def __init__(self, endpoint):
            self._endpoint = endpoint

        def __getattr__(self, name):
            return getattr(self._endpoint, name)

        def moderate(self, work):
            seen.append(work)
            return self._endpoint.moderate(work)

    plan = write_plan(*cascade(verifier=SECOND, call={"ask": "once"}), ask=QUESTIONS)
    with open_session(plan) as (session, job):
        session._endpoints = Seen(session._endpoints)
        result = session.run(job.case.plan, session.decoded(bays[:1]))
    answers = next(one for one in result.outcomes if not one.turn and one.model == CHEAP).answers

    assert len(seen) == len(answers) == 2
    for work, question, answer in zip(seen, QUESTIONS["questions"], answers, strict=True):
        assert question in work.words
        assert answer in work.words
        assert work.labels == ("right", "wrong")
        assert len(work.parts) > 1, "it sees what the answer is about"


def test_a_function_of_yours_verifies_and_costs_nothing(bays, write_plan, open_session):
    said = []

    def verifier(question, answer):
        said.append((question, answer))
        return answer != "quiet"

    with open_session(write_plan(*cascade(verifier="own"))) as (session, job):
        result = session.run(job.case.plan, session.decoded(bays), verifier=verifier)
    cheap = {one.item: one.label for one in result.outcomes if one.model == CHEAP}

    assert sorted(answer for _, answer in said) == sorted(cheap.values())
    assert not any(one.turn for one in result.outcomes)
    assert {one.item for one in result.outcomes if one.model == DEAR} == {
        i for i, label in cheap.items() if label == "quiet"
    }


def test_in_batches_the_samples_are_batches_too(bays, write_plan, open_session):
    plan = write_plan(*cascade(samples=3, call={"mode": "batch"}))
    with open_session(plan, scenario={"batch_seconds": 0.05}) as (session, job):
        result = session.run(job.case.plan, session.decoded(bays[:3]))
    mine = [one for one in result.outcomes if one.model == CHEAP]

    assert len(mine) == 9
    assert {one.mode for one in mine} == {"batch"}
    assert len({one.sent_as for one in mine}) == 9
    assert result.receipt.reconciled.residual_nano == 0


def test_answers_that_are_kept_are_kept_sample_by_sample(bays, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "answers": True}, *cascade(samples=3))
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded([bays[0], bays[0]]))
    first, second = ([one for one in result.outcomes if one.item == item and one.model == CHEAP] for item in (0, 1))

    assert [one.status for one in first] == ["ok"] * 3
    assert [one.status for one in second] == ["cached"] * 3
    assert [one.text for one in first] == [one.text for one in second]


def test_a_call_for_deciding_that_fails_is_doubt(bays, write_plan, open_session):
    faults = {"faults": [{"kind": "bad_json", "share": 1.0, "match": SECOND}]}
    for settings in ({"second": SECOND}, {"verifier": SECOND}):
        name = next(iter(settings))
        plan = write_plan(*cascade(**settings), name=f"{name}.yaml")
        with open_session(plan, scenario=faults, out=name) as (session, job):
            result = session.run(job.case.plan, session.decoded(bays[:2]))

        assert {one.item for one in result.outcomes if one.model == DEAR} == {0, 1}
        assert [one.status for one in result.results] == ["ok", "ok"]
        assert result.receipt.reconciled.residual_nano == 0


def test_a_dear_call_stays_in_the_cost_where_a_second_look_would_not_have_made_it(bays, write_plan, open_session):
    """The second model is away, so all is in doubt; when the run goes on it is back, and agrees about some."""
    away = {**WEAK, "faults": [{"kind": "503", "share": 1.0, "match": SECOND}]}
    plan = write_plan(*cascade(second=SECOND))
    with open_session(plan, scenario=away) as (session, job):
        first = session.run(job.case.plan, session.decoded(bays[:4]))
    with open_session(plan, scenario=WEAK) as (session, job):
        second = session.run(job.case.plan, session.decoded(bays[:4]))
    paid = [one for one in second.outcomes if one.model == DEAR]

    assert [one.status for one in first.outcomes if one.turn] == ["failed"] * 4
    assert [one.status for one in second.outcomes if one.turn] == ["ok"] * 4
    assert len(paid) == 4
    assert {one.answers[0].model for one in second.results} == {DEAR}, "an answer that is paid for is served"
    assert second.receipt.cost_nano == first.receipt.cost_nano + second.receipt.reconciled.invoice_nano
    assert second.receipt.reconciled.residual_nano == 0


@pytest.fixture
def calibrated(tmp_path):
    """Write a cascade that was calibrated on answers of so many cheap models, which are wrong where they differ or hedge."""

    def write(answers, *, quality=0.9, rows=400):
        from reelwise.route import Cascade, Outcomes
        from reelwise.route.outcomes import Columns
        from reelwise.route.outcomes import Outcome as Row
        from reelwise.route.saved import write_saved

        made = []
        for number in range(rows):
            wrong = number % 3 == 0
            first = "perhaps it might be busy, unclear" if wrong else "busy"
            other = "quiet" if wrong else "busy"
            made.append(
                Row(
                    text=f"Clip {number}: which label?",
                    cheap=float(not wrong),
                    dear=1.0,
                    answers=(first, other)[:answers],
                )
            )
        columns = Columns(text="text", cheap="cheap", dear="dear", answers=("answer", "answer_2")[:answers])
        saved = Cascade.calibrate(
            Outcomes(rows=tuple(made), columns=columns, sha256="0" * 64), cheap=CHEAP, dear=DEAR, quality=quality
        )
        path = tmp_path / f"cascade{answers}.json"
        write_saved(saved, path)
        return path, saved

    return write


def test_a_calibrated_cascade_of_two_answers_asks_the_second_model(calibrated, bays, write_plan, open_session):
    path, saved = calibrated(2)
    assert saved.floor.cut is not None
    with open_session(write_plan(*cascade(calibrated=str(path), second=SECOND))) as (session, job):
        result = session.run(job.case.plan, session.decoded(bays))
    question = job.script.asked[0]
    cheap, second = ({one.item: one.text for one in result.outcomes if one.model == model} for model in (CHEAP, SECOND))
    doubt = {i for i in cheap if saved.floor.to_dear(saved.score(question, [cheap[i], second[i]]))}

    assert len(cheap) == len(second) == 8
    assert {one.item for one in result.outcomes if one.model == DEAR} == doubt
    assert result.receipt.reconciled.residual_nano == 0


def test_a_calibrated_cascade_that_looks_at_another_number_of_answers_is_refused_before_a_call(
    calibrated, bays, write_plan, open_session
):
    two, _ = calibrated(2)
    one, _ = calibrated(1)
    wrong = [
        ({"calibrated": str(two)}, "looks at 2 answers, and the stage has 1"),
        ({"calibrated": str(one), "second": SECOND}, "looks at 1 answers, and the stage has 2"),
    ]
    for number, (settings, said) in enumerate(wrong):
        plan = write_plan(*cascade(**settings), name=f"{number}.yaml")
        with open_session(plan, out=f"{number}") as (session, job), pytest.raises(InputError, match=said):
            session.run(job.case.plan, session.decoded(bays[:1]))


@pytest.mark.parametrize(
    "settings",
    [
        {"samples": 2, "second": SECOND},
        {"samples": 2, "verifier": SECOND},
        {"second": SECOND, "verifier": SECOND},
        {"samples": 3, "calibrated": "cascade.json"},
        {"verifier": SECOND, "calibrated": "cascade.json"},
    ],
)
def test_several_things_that_decide_are_refused(settings, write_plan):
    with pytest.raises(DocumentError, match="several things decide"):
        read_job(write_plan(*cascade(**settings)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"verifier": "own"}, "function of yours"),
        ({"second": "aws/rekognition/labels"}, "no endpoint is known"),
        ({"verifier": "aws/rekognition/labels"}, "no endpoint is known"),
    ],
)
def test_deciding_that_cannot_run_is_refused_before_anything_is_sent(settings, said, bays, write_plan, open_session):
    with open_session(write_plan(*cascade(**settings))) as (session, job):
        tracks = session.decoded(bays[:1])
        with pytest.raises(InputError, match=said):
            session.run(job.case.plan, tracks)
        assert not session.box.invoice.rows


def said(text="", label="", *, chunk=0, question=0, answers=(), status="ok"):
    return Outcome(
        identity="x", clip="c", item=0, text=text, label=label, chunk=chunk, question=question, answers=answers, status=status
    )  # fmt: skip


def test_what_the_same_answer_is():
    from reelwise.run.doubting import same_answer

    assert same_answer([said("So the answer is (B).")], [said("Clearly, the answer is B")], 1.0)
    assert not same_answer([said("the answer is (B)")], [said("the answer is (C)")], 0.0)
    assert same_answer([said("a man runs left")], [said("a man walks left")], 0.7)
    assert not same_answer([said("a man runs left")], [said("a man walks left")], 0.8)
    assert not same_answer([said(label="quiet")], [said(label="busy")], 0.0)
    assert not same_answer([said("a", chunk=0), said("b", chunk=1)], [said("a", chunk=0)], 0.0)
    assert not same_answer([said("a")], [said("a", status="ambiguous")], 0.0)
    assert not same_answer([said(question=-1, answers=("a", "b"))], [said(question=-1, answers=("a",))], 0.0)
    assert not same_answer([], [], 0.0)
