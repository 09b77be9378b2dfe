"""Answers that are there already are not paid again."""

from __future__ import annotations

import json
import sqlite3

import pytest

from reelwise.errors import InputError
from reelwise.video.cutter import Cut, cut_clip

CALL = {"stage": "call", "model": "gemini-2.5-flash"}
SAMPLE = {"stage": "sample", "fps": 0.5}


def test_a_copy_of_an_upload_is_answered_from_the_first_in_another_size_too(  # noqa: PLR0917 - fixtures
    drawn_clip, copies, bays, tmp_path, write_plan, open_session
):
    small = tmp_path / "small.mp4"
    cut_clip(drawn_clip, small, stretches=[(0.0, 12.0)], cut=Cut(width=240, height=136), sound=True)
    paths = [drawn_clip, copies(1)[0], small, bays[0]]
    with open_session(write_plan({"stage": "reuse", "duplicates": True}, CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded(paths))

    assert result.receipt.requests == {"cached": 2, "ok": 2}
    assert [one.status for one in result.results] == ["ok"] * 4
    assert len({said.text for one in result.results[:3] for said in one.answers}) == 1
    assert result.receipt.reconciled.residual_nano == 0


def test_a_clip_that_was_analysed_is_answered_from_the_store_by_later_runs(
    drawn_clip, tmp_path, write_plan, open_session
):
    plan = write_plan({"stage": "reuse", "views": True}, CALL)
    results = []
    for number in range(2):
        with open_session(plan, out=f"{number}") as (session, job):
            session._kept = tmp_path / "kept"
            results.append(session.run(job.case.plan, session.decoded([drawn_clip])))
    other = write_plan({"stage": "reuse", "views": True}, {**CALL, "detail": "low"}, name="other.yaml")
    with open_session(other, out="other") as (session, job):
        session._kept = tmp_path / "kept"
        third = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert [one.receipt.requests for one in (*results, third)] == [{"ok": 1}, {"cached": 1}, {"ok": 1}]
    assert results[1].receipt.cost_nano == results[1].receipt.reconciled.invoice_nano == 0
    assert results[0].results[0].answers[0].text == results[1].results[0].answers[0].text


def test_the_same_pixels_and_words_are_asked_once(copies, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "answers": True}, SAMPLE, {"stage": "call", "model": "gpt-4o"})
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(3)))
    share = next(entry for entry in result.facts if entry.name == "cache.answer_hit_share")

    assert result.receipt.requests == {"cached": 2, "ok": 1}
    assert share.fact.value == pytest.approx(2 / 3)
    assert len({one.text for one in result.outcomes}) == 1


def test_an_answer_that_failed_is_not_kept(copies, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "answers": True}, SAMPLE, {"stage": "call", "model": "gpt-4o"})
    with open_session(plan, at_once=1, scenario={"faults": [{"kind": "bad_json", "share": 1.0}]}) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(3)))

    assert "cached" not in result.receipt.requests


def test_a_cache_of_another_version_is_refused(drawn_clip, tmp_path, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "answers": True}, CALL)
    with open_session(plan, out="a") as (session, job):
        session._kept = tmp_path / "kept"
        session.run(job.case.plan, session.decoded([drawn_clip]))
    with sqlite3.connect(tmp_path / "kept" / "answers.db") as base:
        base.execute("PRAGMA user_version=99")
    base.close()
    with open_session(plan, out="b") as (session, job):
        session._kept = tmp_path / "kept"
        with pytest.raises(InputError, match="version 99"):
            session.run(job.case.plan, session.decoded([drawn_clip]))


def test_a_receipt_can_be_written_down(drawn_clip, write_plan, open_session):
    from reelwise.cli.run_text import document

    with open_session(write_plan(CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        told = document(result, session)

    assert json.loads(json.dumps(told))["receipt"]["plan_hash"] == result.receipt.plan_hash
    assert set(told["receipt"]) >= {
        "plan_hash",
        "requests",
        "usage",
        "cost_usd",
        "invoice_usd",
        "avoided_usd",
        "levers",
    }
