"""Clips without sound in a plan that sends sound: that call is not made about them, and the rest of the plan goes on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reelwise.run.executing import pieces_of
from reelwise.run.silent import told_apart
from reelwise.video.cutter import Cut, cut_clip

SOUND = {"stage": "call", "model": "openai/whisper-1", "part": "audio", "task": "transcribe"}
HEARD = {"stage": "call", "model": "gemini-2.5-flash", "part": "audio"}
CHAT = {"stage": "call", "model": "gemini-2.5-flash-lite", "part": "images"}
SAMPLE = {"stage": "sample", "fps": 0.5}
ASK = {"task": "ask", "questions": ["What is delivered?"], "output_most": 60}


@pytest.fixture
def silent(drawn_clip, tmp_path):
    path = tmp_path / "silent.mp4"
    cut_clip(drawn_clip, path, stretches=((0.0, 6.0),), cut=Cut(width=320, height=180), sound=False)
    return path


def test_it_is_asked_about_all_the_same_and_the_estimate_knows(drawn_clip, silent, write_plan, open_session):
    with open_session(write_plan(SAMPLE, SOUND, CHAT, ask=ASK)) as (session, job):
        result = session.run(job.case.plan, session.decoded([silent, drawn_clip]))
    calls = next(side for side in result.receipt.estimate if side.unit == "calls")

    assert [one.status for one in result.results] == ["ok", "ok"]
    assert [[one.model for one in item.findings] for item in result.results] == [[], ["openai/whisper-1"]]
    assert all(item.answers[0].text for item in result.results)
    assert calls.predicted == calls.metered == 3
    assert result.receipt.reconciled.residual_nano == 0
    assert "1 of 2 clips has no sound: openai/whisper-1 is not asked about that" in result.notes


@pytest.mark.parametrize("mode", ["standard", "batch"])
def test_where_only_sound_is_sent_it_is_skipped_and_nothing_is_paid(mode, drawn_clip, silent, write_plan, open_session):
    with open_session(write_plan({**HEARD, "mode": mode}, ask=ASK), scenario={"batch_seconds": 0.1}) as (session, job):
        result = session.run(job.case.plan, session.decoded([silent, drawn_clip]))

    assert [one.status for one in result.results] == ["skipped", "ok"]
    assert result.results[0].why == "it has no sound"
    assert result.failed == 0
    assert result.receipt.requests == {"ok": 1}


def test_a_clip_whose_questions_nobody_could_hear_keeps_what_was_found_in_it(silent, write_plan, open_session):
    labels = {"stage": "call", "model": "google/vision/label", "task": "detect"}
    with open_session(write_plan(SAMPLE, labels, HEARD, ask=ASK)) as (session, job):
        (item,) = session.run(job.case.plan, session.decoded([silent])).results

    assert (item.status, item.answers[0].status, item.findings[0].status) == ("ok", "skipped", "ok")
    assert item.findings[0].found


def test_sound_of_which_a_stage_leaves_nothing_is_no_sound(drawn_clip, write_plan, open_session):
    with open_session(write_plan(HEARD, CHAT, ask=ASK)) as (session, job):
        tracks = session.decoded([drawn_clip])
        (piece,) = pieces_of(job, job.workload(job.case.plan), tracks, session.scans)
    heard, asked = job.case.plan.stages
    nothing = replace(piece, heard=())

    assert told_apart(heard, [piece, nothing]) == ([piece], [nothing])
    assert told_apart(asked, [piece, nothing]) == ([piece, nothing], [])
