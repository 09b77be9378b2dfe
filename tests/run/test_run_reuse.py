"""Answers that are there already are not paid again."""

from __future__ import annotations

import json
import sqlite3
import threading

import msgspec
import pytest

from reelwise.errors import DocumentError, InputError, OutputError
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


# frames that look alike


def test_frames_like_one_that_is_sent_are_left_out_and_the_estimate_knows(drawn_clip, write_plan, open_session):
    sample, call = {"stage": "sample", "fps": 4}, {"stage": "call", "model": "gpt-4o"}
    results = {}
    for name, stages in (("all", (sample, call)), ("some", ({"stage": "reuse", "frames": True}, sample, call))):
        with open_session(write_plan(*stages, name=f"{name}.yaml"), out=name) as (session, job):
            results[name] = session.run(job.case.plan, session.decoded([drawn_clip]))
    told, every = results["some"].receipt.reused, results["all"].receipt
    fact = next(entry for entry in results["some"].facts if entry.name == "reuse.frames_again_share")
    calls = next(side for side in results["some"].receipt.estimate if side.unit == "tokens_input")

    assert 0 < told.frames_left_out < told.frames_chosen
    assert fact.fact.value == pytest.approx(told.frames_left_out / told.frames_chosen)
    assert results["some"].receipt.cost_nano < every.cost_nano
    assert results["some"].receipt.reconciled.residual_nano == 0
    assert abs(calls.error) < 0.02
    assert every.reused is None


def test_a_frame_stands_in_only_for_so_long(drawn_clip, write_plan, open_session):
    left = []
    for number, seconds in enumerate((0.3, 1.0, 60.0)):
        plan = write_plan(
            {"stage": "reuse", "frames": True, "frames_seconds": seconds}, {"stage": "sample", "fps": 4},
            {"stage": "call", "model": "gpt-4o"},
        )  # fmt: skip
        with open_session(plan, out=f"{number}") as (session, job):
            left.append(session.run(job.case.plan, session.decoded([drawn_clip])).receipt.reused.frames_left_out)

    assert left[0] < left[1] <= left[2]


def test_frames_cannot_be_left_out_of_none(write_plan, open_session):
    plan = write_plan({"stage": "reuse", "frames": True}, CALL)
    with pytest.raises(DocumentError, match="a stage `sample` chose"), open_session(plan):
        pass


# questions that mean the same

QUESTIONS = ["What colour is the car in the picture?", "car the colour picture what in the is"]
LIKE = ["Is there a dog in the picture?", "Is there actually any dog in the picture?"]
LONG = "You look at a loading bay. Say what you see, and nothing else. " * 80
MEANS = [{"match": "car", "means": "the car's colour"}, {"match": "dog", "means": "a dog"}]


def asking(*questions, **more):
    return {
        "task": "ask",
        "policy": "You look at a loading bay.",
        "questions": list(questions),
        "output_most": 400,
        **more,
    }


@pytest.fixture
def ask_run(write_plan, open_session, tmp_path):
    """Run a plan with questions against a sandbox in which meaning decides, sharing a store."""

    def run(
        paths, *questions, out="out", told=MEANS, cached=False, call=None, policy="You look at a loading bay.", **reuse
    ):
        plan = write_plan(
            {"stage": "reuse", "questions": True, "explore": 0.0, "answers": cached, **reuse}, SAMPLE,
            call or {"stage": "call", "model": "gpt-4o"}, ask=asking(*questions, policy=policy), name=f"{out}.yaml",
        )  # fmt: skip
        scenario = {"answers": told, "output": {"tokens": 40}}
        with open_session(plan, out=out, scenario=scenario, at_once=1) as (session, job):
            session._kept = tmp_path / "kept"
            return session.run(job.case.plan, session.decoded(paths))

    return run


def test_a_question_in_other_words_is_answered_from_the_first_and_the_invoice_agrees(drawn_clip, ask_run):
    result = ask_run([drawn_clip], *QUESTIONS, *LIKE)
    told = result.receipt.reused.questions
    share = next(entry for entry in result.facts if entry.name == "reuse.question_hit_share")
    first, again = result.results[0].answers[:2]

    assert result.receipt.requests == {"ok": 3, "cached": 1}
    assert (told.asked, told.hits, told.explored, told.wrong) == (4, {"shuffled": 1}, 0, 0)
    assert (told.learned, told.learned_wrong) == (1, 0), "the dog was asked for twice, and the answers agree"
    assert first.text == again.text
    assert share.fact.value == pytest.approx(1 / 4)
    assert result.receipt.reconciled.residual_nano == 0


def test_what_is_learned_is_kept_and_served_by_later_runs_under_the_bound(bays, ask_run):
    first = ask_run(bays, *LIKE, error_most=0.5, out="a")
    other = ask_run(
        bays[:1], "Is there a dog in the picture?", "Is there some dog in the picture?", error_most=0.5, out="b"
    )
    strict = ask_run(
        bays[:1],
        "Is there some dog in the picture?",
        error_most=0.02,
        out="c",
        call={"stage": "call", "model": "gpt-4o", "detail": "low"},
    )

    # 1 - 0.02 ** (1 / n) <= 0.5 from n = 6 on: then the run itself begins to answer from the store
    assert first.receipt.reused.questions.learned == 6
    assert first.receipt.reused.questions.hits == {"small": 2}
    assert "small" in first.receipt.reused.questions.served
    assert other.receipt.requests == {"cached": 2}
    assert other.receipt.reused.questions.hits == {"exact": 1, "small": 1}
    assert "small" not in strict.receipt.reused.questions.served
    assert strict.receipt.requests == {"ok": 1}, "another detail is another question"


def test_wrong_answers_close_a_kind_again_and_exploring_goes_on(bays, ask_run):
    apart = [{"match": "actually", "means": "something else"}, *MEANS]
    ask_run(bays, *LIKE, error_most=0.5, out="a")
    explored = ask_run(bays, *LIKE, error_most=0.5, explore=1.0, told=apart, out="b")
    told = explored.receipt.reused.questions

    assert explored.receipt.requests == {"ok": 16}, "each hit is asked all the same"
    assert told.explored > told.wrong > 0
    assert "small" not in told.served
    assert sum(told.hits.values()) == 0


@pytest.mark.parametrize(
    "pair",
    [
        ("Is there a dog?", "Is there no dog?"),
        ("Are there 3 cars?", "Are there 4 cars?"),
        ("What colour is the car?", "What colour is the bus?"),
        ("Does the nurse call the doctor?", "Does the doctor call the nurse?"),
        ("Who is in the room now?", "who is in the room now"),
    ],
)
def test_negation_number_thing_role_and_now_are_never_served(drawn_clip, ask_run, pair):
    result = ask_run([drawn_clip], *pair, error_most=0.9)

    assert result.receipt.requests == {"ok": 2}
    assert result.receipt.reused.questions.learned == 0


def test_errors_and_refusals_are_not_kept_for_like_questions(drawn_clip, write_plan, open_session):
    plan = write_plan(
        {"stage": "reuse", "questions": True}, SAMPLE, {"stage": "call", "model": "gpt-4o"}, ask=asking(*QUESTIONS)
    )
    faults = {"faults": [{"kind": "refused", "share": 1.0}]}
    with open_session(plan, at_once=1, scenario=faults) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert result.receipt.requests == {"refused": 2}


def test_a_run_that_goes_on_neither_pays_nor_learns_twice(bays, ask_run):
    one = ask_run(bays[:2], *QUESTIONS, *LIKE)
    two = ask_run(bays[:2], *QUESTIONS, *LIKE)

    assert two.receipt.requests == one.receipt.requests == {"ok": 6, "cached": 2}
    assert two.receipt.cost_nano == one.receipt.cost_nano
    assert two.receipt.reused.questions == one.receipt.reused.questions


def test_an_explicit_cache_never_mixes_the_answers_of_two_clips(bays, ask_run):
    call = {"stage": "call", "model": "gemini-2.5-pro", "cache": "explicit"}
    result = ask_run(bays[:2], *QUESTIONS, call=call, cached=True, policy=LONG)

    assert [one.reused for one in result.outcomes if one.kind == "call"] == ["", "question shuffled"] * 2
    assert len({one.answers[0].text for one in result.results}) == 2
    again = ask_run(bays[:2], *QUESTIONS, call=call, cached=True, policy=LONG, out="again")
    assert again.receipt.requests == {"cached": 4}, "and nothing is put into a cache that nobody reads"


def test_two_runs_share_a_store_at_the_same_time(bays, write_plan, tmp_path):
    from reelwise.run.job import read_job
    from reelwise.run.session import Session
    from reelwise.sandbox import Scenario

    plan = write_plan(
        {"stage": "reuse", "questions": True, "answers": True, "views": True, "explore": 0.0}, SAMPLE,
        {"stage": "call", "model": "gpt-4o"}, ask=asking(*QUESTIONS, *LIKE),
    )  # fmt: skip
    scenario = msgspec.convert({"seed": 3, "day": "2026-11-22", "answers": MEANS}, Scenario)
    start, found = threading.Barrier(2), {}

    def run(number):
        job = read_job(plan)
        with Session(
            job, sandbox=True, scenario=scenario, out=tmp_path / f"out{number}", kept=tmp_path / "kept"
        ) as session:
            tracks = session.decoded(bays[:3])
            start.wait(60)
            found[number] = session.run(job.case.plan, tracks)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    texts = [[said.text for one in found[number].results for said in one.answers] for number in range(2)]

    assert texts[0] == texts[1]
    assert [one.failed for one in found.values()] == [0, 0]
    assert all(one.receipt.reconciled.residual_nano == 0 for one in found.values())
    assert all(one.receipt.requests.get("cached", 0) for one in found.values())
    last = {}
    with Session(
        read_job(plan), sandbox=True, scenario=scenario, out=tmp_path / "out2", kept=tmp_path / "kept"
    ) as session:
        last = session.run(session._job.case.plan, session.decoded(bays[:3]))
    assert set(last.receipt.requests) == {"cached"}


@pytest.mark.parametrize("name", ["answers.db", "questions.db", "artifacts.db"])
def test_every_store_of_another_version_or_kind_is_refused_before_anything_is_sent(name, drawn_clip, tmp_path, ask_run):
    ask_run([drawn_clip], "What is it?", views=True, cached=True)
    path = tmp_path / "kept" / name
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA user_version=99")
    base.close()
    with pytest.raises(InputError, match="of version 99"):
        ask_run([drawn_clip], "What is it?", views=True, cached=True, out="b")
    path.unlink()
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE t (x)")
    base.close()
    with pytest.raises(InputError, match="is a database, but no"):
        ask_run([drawn_clip], "What is it?", views=True, cached=True, out="c")


def test_stores_keep_to_their_budget(tmp_path, drawn_clip):
    from reelwise.plan import Plan
    from reelwise.run.reusing import Reusing
    from reelwise.script import Script
    from reelwise.stages import Call, Reuse

    plan = Plan(stages=(Reuse(questions=True, answers=True), Call(model="gpt-4o")))
    with Reusing(tmp_path / "kept", plan, Script(), budget_megabytes=0.01) as reusing:
        for number in range(50):
            reusing.questions.put("scope", f"What is thing {number}?", b"x" * 1000)
        assert reusing.questions.bytes <= 10_000
        assert 1 <= len(reusing.questions) < 10
    with pytest.raises(OutputError, match="cannot be made"), Reusing(drawn_clip / "kept", plan, Script()):
        pass
