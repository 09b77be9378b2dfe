"""Clips that are too large for a request go up before their calls, in pieces, once, and are removed after them."""

from __future__ import annotations

import tracemalloc

import pytest

from reelwise.errors import BusyError, EndpointError, RefusedError
from reelwise.models import gemini_files
from reelwise.run.uploading import UPLOAD_BYTES

CALL = {"stage": "call", "model": "gemini-2.5-flash"}
ASK = {"task": "ask", "questions": ["What happens?", "Who is there?"], "output_most": 60}
LARGE = 16_000_000


@pytest.fixture
def large(drawn_clip, tmp_path):
    """Clips that the project draws itself, made large by a part that players skip."""

    def make(size=LARGE, count=1):
        found = []
        for number in range(count):
            path = tmp_path / f"large-{size}-{number}.mp4"
            data = drawn_clip.read_bytes()
            with path.open("wb") as file:
                file.write(data)
                file.write((size - len(data)).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big"))
                file.truncate(size)
            found.append(path)
        return found

    return make


@pytest.fixture
def uploads(monkeypatch):
    """Note what goes up and what is removed."""
    seen = {"up": [], "removed": []}
    up, remove = gemini_files.upload, gemini_files.delete_file

    def sent(end, given, **more):
        found = up(end, given, **more)
        seen["up"].append(found.uri)
        return found

    def removed(end, given, **more):
        remove(end, given, **more)
        seen["removed"].append(given.uri)

    monkeypatch.setattr(gemini_files, "upload", sent)
    monkeypatch.setattr(gemini_files, "delete_file", removed)
    return seen


def test_a_large_clip_goes_up_once_for_all_questions_and_is_removed(large, write_plan, open_session, uploads):
    with open_session(write_plan(CALL, ask=ASK)) as (session, job):
        result = session.run(job.case.plan, session.decoded(large(count=2)))
        left = session.box.desk.store._files

    assert [one.status for one in result.results] == ["ok", "ok"]
    assert result.receipt.requests == {"ok": 4}
    assert len(uploads["up"]) == 2
    assert sorted(uploads["removed"]) == sorted(uploads["up"])
    assert left == {}
    assert result.receipt.reconciled.residual_nano == 0
    assert result.receipt.reconciled.invoice_nano == result.receipt.cost_nano > 0


@pytest.mark.parametrize("stage", [{**CALL, "mode": "batch"}, {**CALL, "model": "gemini-2.5-pro", "cache": "explicit"}])
def test_batches_and_explicit_caches_read_what_went_up(stage, large, write_plan, open_session, uploads):
    with open_session(write_plan(stage, ask=ASK), scenario={"batch_seconds": 0.1}) as (session, job):
        result = session.run(job.case.plan, session.decoded(large()))
        left = session.box.desk.store._files

    assert result.results[0].status == "ok"
    assert result.receipt.reconciled.residual_nano == 0
    assert len(uploads["up"]) == len(uploads["removed"]) == 1
    assert [name for name in left if name in uploads["up"][0]] == []


def test_memory_does_not_grow_with_the_clip(large, write_plan, open_session):
    peaks = []
    for size in (LARGE, 5 * LARGE):
        with open_session(write_plan(CALL, ask=ASK), out=f"{size}", at_once=1) as (session, job):
            tracks = session.decoded(large(size))
            tracemalloc.start()
            result = session.run(job.case.plan, tracks)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert result.results[0].status == "ok"

    assert max(peaks) < UPLOAD_BYTES / 2
    assert peaks[1] - peaks[0] < LARGE / 4


def test_an_upload_that_fails_costs_nothing_and_the_other_clips_go_on(
    large, copies, write_plan, open_session, monkeypatch
):
    real = gemini_files.upload

    def fails(*_, **__):
        raise BusyError("answered 503: overloaded", where="files", reason="overload")

    monkeypatch.setattr(gemini_files, "upload", fails)
    paths, plan = [*large(), *copies(1)], write_plan(CALL, ask=ASK)
    with open_session(plan) as (session, job):
        first = session.run(job.case.plan, session.decoded(paths))
    monkeypatch.setattr(gemini_files, "upload", real)
    with open_session(plan) as (session, job):
        second = session.run(job.case.plan, session.decoded(paths))

    assert [one.status for one in first.results] == ["failed", "ok"]
    assert first.outcomes[0].reason == "overload"
    assert first.receipt.reconciled.residual_nano == 0
    assert [one.status for one in second.results] == ["ok", "ok"]
    assert second.receipt.requests == {"ok": 4}


def test_a_key_that_may_not_upload_ends_the_run(large, write_plan, open_session, monkeypatch):
    def fails(*_, **__):
        raise RefusedError("answered 403: no", where="files", reason="key")

    monkeypatch.setattr(gemini_files, "upload", fails)
    with open_session(write_plan(CALL, ask=ASK)) as (session, job):
        result = session.run(job.case.plan, session.decoded(large()))

    assert isinstance(result.stopped, EndpointError)
    assert result.receipt.cost_nano == 0


def test_a_file_that_expired_before_its_call_is_sent_up_again(large, write_plan, open_session, monkeypatch):
    real, ups = gemini_files.upload, []

    def late(end, given, **more):
        found = real(end, given, **more)
        ups.append(found.uri)
        if len(ups) == 1:
            session.box.desk.clock.ahead(172_801)
        return found

    monkeypatch.setattr(gemini_files, "upload", late)
    plan = write_plan(CALL, ask=ASK)
    with open_session(plan, at_once=1) as (session, job):
        first = session.run(job.case.plan, session.decoded(large()))
    with open_session(plan) as (session, job):
        second = session.run(job.case.plan, session.decoded(large()))

    assert [(one.status, one.reason) for one in first.outcomes] == [("failed", "file"), ("ok", "")]
    assert first.receipt.reconciled.residual_nano == 0
    assert len(ups) == 3
    assert second.results[0].status == "ok"


def test_two_large_clips_have_answers_of_their_own_in_the_cache(large, bays, write_plan, open_session):
    first, second = large(count=2)
    data = bays[0].read_bytes()
    with second.open("wb") as file:
        file.write(data + (LARGE - len(data)).to_bytes(4, "big") + b"free")
        file.truncate(LARGE)
    plan = write_plan({"stage": "reuse", "answers": True}, CALL, ask=ASK)
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded([first, second]))

    assert result.receipt.requests == {"ok": 4}
