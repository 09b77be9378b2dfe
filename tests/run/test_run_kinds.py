"""Calls that no chat answers: by the picture, by the minute, sound, the Responses API. Held, metered, settled, reconciled like all others."""

from __future__ import annotations

import pytest

from reelwise.errors import EndpointError, InputError
from reelwise.stages.call import PICTURES_A_REQUEST

SAMPLE = {"stage": "sample", "fps": 2.0}
LABELS = {"stage": "call", "model": "google/vision/label", "task": "detect"}
BOXES = {"stage": "call", "model": "google/vision/object-localization", "task": "detect"}
TEXT = {"stage": "call", "model": "google/vision/text", "task": "detect"}
MINUTES = {"stage": "call", "model": "google/video-intelligence/label", "task": "detect"}
SHOTS = {"stage": "call", "model": "google/video-intelligence/shot", "task": "detect"}
EXPLICIT = {"stage": "call", "model": "google/video-intelligence/explicit", "task": "detect"}
SOUND = {"stage": "call", "model": "openai/whisper-1", "part": "audio", "task": "transcribe"}
CHAT = {"stage": "call", "model": "gemini-2.5-flash"}
ASK = {"task": "ask", "questions": ["What is delivered?"], "output_most": 60}
QUICK = {"video_seconds": 0.1}
ALL = {
    "labels": [SAMPLE, LABELS], "boxes": [SAMPLE, BOXES], "written": [SAMPLE, TEXT], "by the minute": [MINUTES], "shots": [SHOTS],
    "explicit": [EXPLICIT], "sound": [SOUND],
}  # fmt: skip


def used_up(session):
    """Let the month's free units be used up: from here on each is billed."""
    from reelwise.ledger.events import Event, Units, What, Who

    for number, model in enumerate({**{m["model"]: 1 for m in (LABELS, BOXES, TEXT, MINUTES, SHOTS, EXPLICIT)}}):
        by_picture = "/vision/" in model
        units = Units(calls=1, images=1000) if by_picture else Units(calls=1, video_ms=60_000_000)
        who, what = Who(feature="before"), What(model=model, stage="call")
        now = session.ledger.clock.now_ms()
        session.ledger.record(Event(id=f"before-{number}", at_ms=now, who=who, what=what, units=units, cost_nano=0))
        session.box.begin_month({model: 1000})


@pytest.mark.parametrize("name", ALL)
def test_each_is_held_metered_settled_and_agrees_with_the_invoice(name, drawn_clip, write_plan, open_session):
    with open_session(write_plan(*ALL[name], ask=ASK), scenario=QUICK) as (session, job):
        used_up(session)
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert not session.ledger.open_holds
    receipt = result.receipt

    assert [one.status for one in result.results] == ["ok"]
    assert receipt.reconciled.residual_nano == 0
    assert receipt.reconciled.differences == ()
    assert receipt.reconciled.invoice_nano == receipt.cost_nano > 0
    assert all(one.held_nano >= one.cost_nano for one in result.outcomes)
    sides = {side.unit: side for side in receipt.estimate}
    assert abs(sides["calls"].error) == 0
    assert abs(sides["usd"].error) <= (0.1 if name == "sound" else 0.02)  # Whisper bills whole seconds


def test_pictures_go_sixteen_at_a_time_and_each_finding_has_its_moment(drawn_clip, write_plan, open_session):
    from reelwise.models.vision_image import PICTURES_MAX

    with open_session(write_plan(SAMPLE, LABELS, ask=ASK)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    (item,) = result.results
    (finding,) = item.findings
    times = sorted({one.start_seconds for one in finding.found})

    assert PICTURES_MAX == PICTURES_A_REQUEST
    assert len(result.outcomes) == finding.calls == 2
    assert sum(one.units["images"] for one in result.outcomes) == 24
    assert times == pytest.approx([at / 2 for at in range(24)], abs=0.11)
    assert item.answers == ()
    assert all(one.label and 0 <= one.confidence <= 1 for one in finding.found)


def test_free_units_are_counted_on_and_used_up_in_the_middle_of_a_run(copies, write_plan, open_session):
    paths = copies(4)
    with open_session(write_plan(SAMPLE, LABELS, ask=ASK), at_once=4) as (session, job):
        session.box.begin_month({"google/vision/label": 950})
        from reelwise.ledger.events import Event, Units, What, Who

        what, now = What(model="google/vision/label", stage="call"), session.ledger.clock.now_ms()
        session.ledger.record(
            Event(
                id="before",
                at_ms=now,
                who=Who(feature="b"),
                what=what,
                units=Units(calls=1, images=950),
                cost_nano=0,
            )
        )
        result = session.run(job.case.plan, session.decoded(paths))
    receipt = result.receipt

    assert receipt.cost_nano == (4 * 24 - 50) * 1_500_000
    assert receipt.reconciled.residual_nano == 0
    assert receipt.reconciled.differences == ()
    assert receipt.estimate[0].error == pytest.approx(0)


def test_a_run_that_is_taken_up_again_knows_the_month(copies, write_plan, open_session):
    """The second sandbox is a new one: it is told where the ledger's month stands."""
    paths = copies(2)
    plan = write_plan({"stage": "sample", "fps": 10.0}, LABELS, ask=ASK)
    costs = []
    for number in range(10):
        with open_session(plan, out="out") as (session, job):
            result = session.run(job.case.plan, session.decoded(paths[: 1 + number % 2]), name=f"{number}")
        assert result.receipt.reconciled.residual_nano == 0
        costs.append(result.receipt.cost_nano)

    assert costs[0] == 0
    assert sum(costs) == (15 * 120 - 1000) * 1_500_000


def test_stretches_and_words_lie_where_they_are_in_the_clip_not_in_what_was_sent(drawn_clip, write_plan, open_session):
    gate = {"stage": "gate"}
    with open_session(write_plan(gate, SHOTS, {**SOUND}, ask=ASK), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    shots, words = result.results[0].findings
    sent = result.outcomes[0].units["seconds"]

    assert sent < 11.5
    assert shots.found[-1].stop_seconds == pytest.approx(shots.found[0].start_seconds + sent, abs=6.5)
    assert shots.found[-1].stop_seconds > sent
    assert words.found[0].text
    assert words.task == "transcribe"
    assert words.text == result.outcomes[1].text


def test_three_kinds_look_at_one_clip_and_the_model_alone_is_asked(drawn_clip, write_plan, open_session):
    with open_session(write_plan(SAMPLE, LABELS, SOUND, CHAT, ask=ASK), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    (item,) = result.results

    assert result.receipt.reconciled.residual_nano == 0
    assert [one.task for one in item.findings] == ["detect", "transcribe"]
    assert [one.question for one in item.answers] == ASK["questions"]
    assert item.answers[0].model == "gemini-2.5-flash"
    assert item.calls == 4
    assert result.receipt.usage["images"] == 24
    assert result.receipt.usage["seconds"] == 12


def test_the_responses_api_answers_like_chats_do(drawn_clip, write_plan, open_session):
    found = {}
    for kind in ("openai", "responses"):
        plan = write_plan(
            SAMPLE,
            {"stage": "call", "model": "gpt-4o"},
            endpoints=[{"match": "gpt-4o", "kind": kind}],
            name=f"{kind}.yaml",
        )
        with open_session(plan, out=kind) as (session, job):
            found[kind] = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert found["responses"].receipt.reconciled.residual_nano == 0
    assert found["responses"].outcomes[0].label in {"quiet", "busy", "unusual"}
    assert found["responses"].receipt.usage == found["openai"].receipt.usage


REFUSED = [
    ([SAMPLE, {**LABELS, "task": ""}], ASK, [], "cannot ask"),
    ([SAMPLE, {**LABELS, "task": ""}], {"task": "describe", "questions": ["Who is it?"]}, [], "answers no question"),
    ([SAMPLE, {**LABELS, "task": "transcribe"}], ASK, [], "cannot transcribe"),
    ([{**LABELS, "part": "audio"}], ASK, [], "takes no sound"),
    ([{**MINUTES, "task": "describe"}], ASK, [], "cannot describe"),
    ([{**MINUTES, "part": "images"}], ASK, [], "takes no pictures"),
    ([{"stage": "call", "model": "openai/whisper-1", "task": "transcribe"}], ASK, [], "part: audio"),
    ([{**SOUND, "part": "video"}], ASK, [], "takes no video"),
    ([{**SOUND, "task": ""}], ASK, [], "cannot ask"),
    ([{**SOUND, "mode": "flex"}], ASK, [], "has no mode flex"),
    ([SAMPLE, {**LABELS, "cache": "prefix"}], ASK, [], "no words that a cache could keep"),
    ([SAMPLE, {**CHAT, "task": "segment"}], ASK, [], "cannot segment"),
    ([SAMPLE, {"stage": "call", "model": "aws/rekognition/labels", "task": "detect"}], ASK, [], "no endpoint is known"),
    ([{"stage": "call", "model": "openai/gpt-4o-transcribe", "part": "audio", "task": "transcribe"}], ASK, [], "no endpoint is known"),
    ([{"stage": "call", "model": "gpt-4o", "part": "video"}], None, [{"match": "gpt-4o", "kind": "responses"}], "takes no video"),
    ([SAMPLE, {"stage": "call", "model": "gpt-4o", "mode": "batch"}], None, [{"match": "gpt-4o", "kind": "responses"}], "Responses"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=[one[3] for one in REFUSED])
def test_what_a_kind_cannot_take_or_do_is_refused_by_name_before_anything_is_sent(
    case, drawn_clip, write_plan, open_session
):
    stages, ask, endpoints, said = case
    plan = write_plan(*stages, ask=ask, endpoints=endpoints) if ask else write_plan(*stages, endpoints=endpoints)
    with open_session(plan) as (session, job):
        tracks = session.decoded([drawn_clip])
        with pytest.raises(InputError) as caught:
            session.run(job.case.plan, tracks)
        assert session.box.invoice.rows == ()

    assert said in f"{caught.value} {caught.value.hint}"
    assert "plan $.stages" in str(caught.value)


SPOILT = {
    "429": ("failed", "limit"), "lost_request": ("ambiguous", "lost"), "lost_reply": ("ambiguous", "lost"), "504": ("ambiguous", "gateway"),
    "bad_json": ("unreadable", "json"), "refused": ("refused", "content"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize("name", ["labels", "by the minute", "sound"])
def test_what_goes_wrong_is_named_and_counted_for_every_kind(name, fault, drawn_clip, write_plan, open_session):
    scenario = {**QUICK, "faults": [{"kind": fault, "share": 1.0, "retry_after": 0.001}]}
    with open_session(write_plan(*ALL[name], ask=ASK), scenario=scenario, at_once=1) as (session, job):
        used_up(session)
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert not session.ledger.open_holds
    status, reason = SPOILT[fault]
    first = result.outcomes[0]

    assert (first.status, first.reason) == (status, reason)
    assert result.receipt.reconciled.residual_nano == 0
    if status in {"failed", "refused"}:
        assert result.receipt.cost_nano == 0 == session.box.invoice.nano
    else:
        assert first.cost_nano == first.held_nano > 0
        assert result.receipt.reconciled.ambiguous_calls == len(result.outcomes)
        assert result.receipt.reconciled.ambiguous_invoiced_nano == session.box.invoice.nano


@pytest.mark.parametrize("name", ["by the minute", "sound"])
def test_an_answer_that_does_not_say_what_it_used_is_unpriced_loudly(name, drawn_clip, write_plan, open_session):
    scenario = {**QUICK, "faults": [{"kind": "no_usage", "share": 1.0}]}
    with open_session(write_plan(*ALL[name], ask=ASK), scenario=scenario) as (session, job):
        used_up(session)
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    (one,) = result.outcomes

    assert one.status == "ok"
    assert one.unpriced
    assert one.cost_nano == one.held_nano > 0
    assert result.receipt.unpriced[0][1] == one.unpriced


@pytest.mark.parametrize("name", ["labels", "by the minute", "sound"])
def test_a_wrong_key_ends_the_run_and_holds_nothing(name, drawn_clip, write_plan, open_session):
    with open_session(write_plan(*ALL[name], ask=ASK), scenario={"keys": ["another"]}) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert not session.ledger.open_holds

    assert isinstance(result.stopped, EndpointError)
    assert result.stopped.reason == "key"
    assert result.receipt.cost_nano == 0


def test_a_call_that_is_over_is_not_made_again(drawn_clip, write_plan, open_session):
    plan = write_plan(*ALL["labels"], ask=ASK)
    for number in range(2):
        with open_session(plan, scenario=QUICK) as (session, job):
            result = session.run(job.case.plan, session.decoded([drawn_clip]))
            assert len(session.box.invoice.rows) == (0 if number else 24)

    assert len(result.results[0].findings[0].found) == 72


def test_the_same_pixels_at_the_same_moments_are_found_again(copies, write_plan, open_session):
    paths = copies(2)
    plan = write_plan({"stage": "reuse", "answers": True}, SAMPLE, LABELS, ask=ASK)
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded(paths))
    first, second = (one.findings[0].found for one in result.results)

    assert [one.status for one in result.outcomes] == ["ok", "ok", "cached", "cached"]
    assert first == second
