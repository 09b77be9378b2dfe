"""Where the parts of a run meet: one thing's answer is not another's, nothing is paid twice, and no cost is left out."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from reelwise.errors import LedgerError
from reelwise.ledger.queries import export
from reelwise.models.used import Used
from reelwise.models.work import Clip, Source, Text, Work
from reelwise.rates import Book
from reelwise.run.endpoints import Endpoints, Place
from reelwise.run.footage import part_of
from reelwise.run.journal import Journal
from reelwise.run.orders import content_key
from reelwise.run.outcome import Outcome
from reelwise.run.settle import Cap

DAY = "2026-11-22"
SAMPLE = {"stage": "sample", "fps": 0.5}
CALL = {"stage": "call", "model": "gpt-4o-mini", "part": "images"}
OWN = {"task": "describe", "policy": "This is {{clip}}.", "output_most": 60}
WORK = Work(model="m", parts=(Clip(source=Source(data=b"x", mime="video/mp4")), Text(text="a")), identity="i")


class KilledError(KeyboardInterrupt):
    """The process is gone."""


def run(open_session, plan, paths, **options):
    with open_session(plan, **options) as (session, job):
        return session.run(job.case.plan, session.decoded(paths))


def test_all_that_changes_an_answer_is_in_its_key():
    clip, text = WORK.parts
    others = [
        msgspec.structs.replace(WORK, **changes)
        for changes in (
            {"confidence": True}, {"seed": 2}, {"temperature": 0.0}, {"labels": ("a,b",)}, {"labels": ("a", "b")}, {"mode": "flex"},
            {"tokens_output": 9}, {"schema": b"{}"}, {"model": "n"}, {"system": "s"},
            {"parts": (msgspec.structs.replace(clip, fps=2.0), text)},
            {"parts": (msgspec.structs.replace(clip, start_seconds=1.0), text)},
            {"parts": (msgspec.structs.replace(clip, detail="low"), text)},
            {"parts": (clip, Text(text="a"), Text(text="b"))}, {"parts": (clip, Text(text="atextb"))},
            {"parts": (Text(text="a"), clip)},
        )
    ]  # fmt: skip
    keys = [content_key(WORK), *(content_key(other) for other in others)]
    keys += [
        content_key(WORK, place="a"),
        content_key(WORK, form={"maxLength": 3}),
        content_key(WORK, form={"maxLength": 4}),
    ]

    assert len(set(keys)) == len(keys)
    assert content_key(WORK) == content_key(msgspec.structs.replace(WORK, identity="other"))


def test_two_places_of_one_model_and_a_sandbox_are_told_apart():
    from reelwise.models.attempts import Attempts

    book, places = Book.load(dt.date.fromisoformat(DAY)), (Place(match="a", kind="openai", model="m", url="http://127.0.0.1:1/v1", key=""),
                                    Place(match="b", kind="openai", model="m", url="http://127.0.0.1:2/v1", key=""))  # fmt: skip
    here = Endpoints(book, Attempts(), places=places)
    there = Endpoints(book, Attempts(), places=places, sandbox="http://127.0.0.1:9")
    again = Endpoints(book, Attempts(), places=places, sandbox="http://127.0.0.1:10")

    assert len({here.marks("host:a"), here.marks("host:b"), here.marks("gpt-4o"), there.marks("gpt-4o")}) == 4
    assert there.marks("gpt-4o") == again.marks("gpt-4o"), "a sandbox's port is chance"


def test_another_part_of_a_clip_in_the_same_folder_is_another_run(bays, write_plan, open_session):
    plan = write_plan(SAMPLE, CALL)
    with open_session(plan) as (session, job):
        (track,) = session.decoded(bays[:1])
        parts = [part_of(track, start, start + 2.0) for start in (0.0, 2.0)]
        found = [session.run(job.case.plan, [part]) for part in (*parts, parts[0])]

    assert [one.receipt.reconciled.invoice_nano > 0 for one in found] == [True, True, False]


@pytest.mark.parametrize("part", ["duplicates", "views"])
def test_parts_of_one_clip_are_no_copies_of_each_other(part, bays, write_plan, open_session):
    with open_session(write_plan({"stage": "reuse", part: True}, SAMPLE, CALL)) as (session, job):
        (track,) = session.decoded(bays[:1])
        parts = [part_of(track, start, start + 2.0) for start in (0.0, 2.0, 0.0)]
        result = session.run(job.case.plan, parts)

    assert [one.status for one in result.outcomes] == ["ok", "ok", "cached" if part == "duplicates" else "ok"]


@pytest.mark.parametrize("part", ["duplicates", "views", "answers"])
def test_copies_that_are_told_something_else_are_asked_themselves(part, copies, write_plan, open_session):
    plan = write_plan({"stage": "reuse", part: True}, SAMPLE, CALL, ask=OWN)
    result = run(open_session, plan, copies(3), at_once=1)
    calls = next(side for side in result.receipt.estimate if side.unit == "calls")

    assert [one.status for one in result.results] == ["ok"] * 3
    assert result.receipt.requests == {"ok": 3}
    assert calls.predicted == calls.metered == 3


def test_a_copy_is_answered_once_whatever_else_would_answer_it(copies, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "views": True, "duplicates": True, "answers": True}, SAMPLE, CALL)
    result = run(open_session, plan, copies(3))

    assert result.receipt.requests == {"ok": 1, "cached": 2}
    assert len({one.identity for one in result.outcomes}) == 3


def test_a_copy_of_what_has_no_answer_says_so(copies, write_plan, open_session):
    faults = {"faults": [{"kind": "bad_json", "share": 1.0}]}
    plan = write_plan({"stage": "reuse", "duplicates": True}, SAMPLE, CALL)
    result = run(open_session, plan, copies(2), scenario=faults)

    assert [one.status for one in result.results] == ["unreadable", "failed"]
    assert "copy" in result.results[1].why
    assert result.receipt.reconciled.residual_nano == 0


@pytest.mark.parametrize("mode", ["standard", "batch"])
def test_equal_calls_at_once_are_paid_for_once(mode, copies, write_plan, open_session):
    plan = write_plan({"stage": "reuse", "answers": True}, SAMPLE, {**CALL, "mode": mode})
    result = run(open_session, plan, copies(6), at_once=6, scenario={"batch_seconds": 0.02})
    again = run(open_session, plan, copies(6), at_once=6, scenario={"batch_seconds": 0.02})

    assert result.receipt.requests == {"ok": 1, "cached": 5}
    assert [one.status for one in result.results] == [
        "cached" if one.status == "cached" else "ok" for one in result.results
    ]
    assert result.receipt.reconciled.residual_nano == 0
    assert again.receipt.reconciled.invoice_nano == 0
    assert again.receipt.cost_nano == result.receipt.cost_nano


def test_equal_calls_of_a_batch_are_made_where_the_first_answer_is_not_kept(copies, write_plan, open_session):
    """It is cut off at its cap."""
    plan = write_plan(
        {"stage": "reuse", "answers": True},
        SAMPLE,
        {**CALL, "mode": "batch"},
        ask={**OWN, "policy": "", "output_most": 2},
    )
    result = run(open_session, plan, copies(3), scenario={"batch_seconds": 0.02})

    assert [(one.status, one.finish) for one in result.outcomes] == [("ok", "length")] * 3
    assert [one.status for one in result.results] == ["ok"] * 3
    assert result.receipt.reconciled.residual_nano == 0


@pytest.mark.parametrize("at", range(1, 8))
def test_a_process_that_dies_anywhere_around_a_batch_goes_on(at, copies, write_plan, open_session):
    from reelwise.sandbox import Sandbox, Scenario

    plan, real, left = write_plan(SAMPLE, {**CALL, "mode": "batch"}), Journal._write, [at]

    def dies(self, line):
        if left[0] <= 0:
            raise KilledError
        left[0] -= 1
        real(self, line)

    with Sandbox(Scenario(seed=3, day=DAY, batch_seconds=0.02)) as box, pytest.MonkeyPatch.context() as opened:
        from contextlib import nullcontext

        from reelwise.run.session import Session

        opened.setattr(Session, "_opened", lambda _: nullcontext(box))
        with open_session(plan) as (session, job), pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "_write", dies)
            with pytest.raises(KilledError):
                session.run(job.case.plan, session.decoded(copies(3)))
        spent = box.invoice.nano
        with open_session(plan) as (session, job):
            result = session.run(job.case.plan, session.decoded(copies(3)))
            rows = [row for page in export(session.ledger.store) for row in page]
            assert not session.ledger.jobs()

    assert [one.status for one in result.results] == ["ok"] * 3
    assert sum(row["cost_nano"] for row in rows) == result.receipt.cost_nano == spent + box.invoice.nano
    assert len(rows) == 3


SHARED = {"stage": "call", "model": "gemini-2.5-pro", "cache": "explicit", "part": "images"}


def test_a_cache_that_is_refused_is_done_without(copies, write_plan, open_session):
    result = run(open_session, write_plan(SAMPLE, SHARED), copies(2))

    assert [one.status for one in result.results] == ["ok"] * 2
    assert result.stopped is None
    assert [one.status for one in result.outcomes if one.kind == "cache"] == ["failed"] * 2
    assert result.receipt.reconciled.residual_nano == 0


@pytest.mark.parametrize("mode", ["standard", "batch"])
def test_items_whose_cache_cannot_be_filled_now_are_made_next_time(mode, copies, write_plan, open_session, monkeypatch):
    from reelwise.errors import BusyError
    from reelwise.run import caching

    def away(*_):
        raise BusyError("answered 503", where="here", status=503, reason="busy")

    plan, quick = write_plan(SAMPLE, {**SHARED, "mode": mode}), {"batch_seconds": 0.02}
    with monkeypatch.context() as patch:
        patch.setattr(caching, "create_cache", away)
        first = run(open_session, plan, copies(2), scenario=quick)
    second = run(open_session, plan, copies(2), scenario=quick)

    assert [one.status for one in first.results] == ["failed"] * 2
    assert len({one.identity for one in first.outcomes}) == len(first.outcomes)
    assert first.receipt.cost_nano == 0
    assert [one.status for one in second.results] == ["ok"] * 2
    assert second.receipt.reconciled.residual_nano == 0


def test_a_verdict_is_told_what_its_item_is(bays, write_plan, open_session, monkeypatch):
    from reelwise.models import OpenAIChat

    seen, real = [], OpenAIChat.moderate

    def heard(self, work):
        seen.append(work.words)
        return real(self, work)

    monkeypatch.setattr(OpenAIChat, "moderate", heard)
    plan = write_plan(
        SAMPLE, {**CALL, "model": "gemini-2.5-flash-lite"}, {"stage": "escalate", "verifier": "gpt-4o-mini"},
        {**CALL, "lane": "doubt", "model": "gpt-4o"}, ask=OWN,
    )  # fmt: skip
    run(open_session, plan, bays[:1])

    assert len(seen) == 1
    assert f"This is {bays[0].name}." in seen[0]


def test_what_cannot_be_priced_costs_all_that_was_held(bays, write_plan, open_session):
    """Not of a call, but of something else that is billed like one: filling a cache, an embedding."""
    from reelwise.run import runner

    found = []
    with open_session(write_plan(SAMPLE, CALL)) as (session, job), pytest.MonkeyPatch.context() as patch:
        real = runner.Runner.call

        def call(self, stage, pieces, out):
            head = Outcome(identity="other", clip="", item=-1, kind="embed", model="gpt-4o")
            unread = Used(provider="openai", model="gpt-4o", unpriced="says nothing")
            found.append(self.desk.other(head, 5_000, lambda: (unread, 0, "other")))
            self.note(found[0])
            return real(self, stage, pieces, out)

        patch.setattr(runner.Runner, "call", call)
        result = session.run(job.case.plan, session.decoded(bays[:1]))
        rows = [row for page in export(session.ledger.store) for row in page]

    assert (found[0].cost_nano, found[0].unpriced) == (5_000, "says nothing")
    assert sum(row["cost_nano"] for row in rows) == result.receipt.cost_nano
    assert ("other", "says nothing") in result.receipt.unpriced


def test_a_lost_call_that_a_later_part_does_not_come_to_stays_in_the_cost(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path, "key") as journal:
        journal.begin("run-gone", "a.mp4", 7_000)
        journal.begin("run-there", "a.mp4", 5_000)
        journal.end(Outcome(identity="run-there", clip="a.mp4", item=0, cost_nano=3_000))
    with Journal(path, "key") as journal:
        found = {one.identity: one for one in journal.unseen([])}
        seen = journal.unseen(found.values())

    assert {name: one.cost_nano for name, one in found.items()} == {"run-gone": 7_000, "run-there": 3_000}
    assert (found["run-gone"].status, found["run-gone"].item) == ("ambiguous", -1)
    assert seen == []


def test_what_an_earlier_part_holds_may_come_back():
    cap = Cap(100, spent=90, held=60)
    cap.settle(60, 10)
    cap.take(60)

    assert cap._held == 60


def test_a_call_that_cannot_be_noted_is_not_made_and_costs_nothing(copies, write_plan, open_session, monkeypatch):
    from reelwise.errors import OutputError

    real = Journal.begin

    def full(self, identity, clip, held_nano):
        if self.over:
            raise OutputError("cannot write: no space left", where=str(self.path))
        real(self, identity, clip, held_nano)

    plan = write_plan(SAMPLE, CALL)
    with monkeypatch.context() as patch, open_session(plan, at_once=1) as (session, job):
        patch.setattr(Journal, "begin", full)
        first = session.run(job.case.plan, session.decoded(copies(2)))
        rows, held = [row for page in export(session.ledger.store) for row in page], session.ledger.open_holds
    second = run(open_session, plan, copies(2))

    assert isinstance(first.stopped, OutputError)
    assert (len(rows), held) == (1, 0)
    assert rows[0]["cost_nano"] == first.receipt.cost_nano
    assert [one.status for one in second.results] == ["ok"] * 2


def test_a_call_that_failed_and_was_under_way_again_is_not_made_a_third_time(tmp_path):
    path, head = tmp_path / "journal.jsonl", Outcome(identity="run-a", clip="a.mp4", item=0)
    with Journal(path, "key") as journal:
        journal.begin("run-a", "a.mp4", 7_000)
        journal.end(msgspec.structs.replace(head, status="failed"))
        assert journal.known(head) is None, "it was not billed, and may be made again"
        journal.begin("run-a", "a.mp4", 7_000)
    with Journal(path, "key") as journal:
        found = journal.known(head)

    assert found is not None
    assert (found.status, found.cost_nano) == ("ambiguous", 7_000)


def test_a_run_whose_ledger_refuses_a_call_ends(copies, write_plan, open_session):
    """Its ledger knows calls that its journal does not: none is made after the first that cannot be written down."""
    plan, found = write_plan(SAMPLE, CALL), []
    for _ in range(2):
        with open_session(plan, at_once=1) as (session, job):
            result = session.run(job.case.plan, session.decoded(copies(3)))
            found.append((result.stopped, len(session.box.invoice.rows)))
            (path,) = session._out.glob("journal-*.jsonl")
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])

    assert found[0] == (None, 3)
    assert isinstance(found[1][0], LedgerError)
    assert found[1][1] == 1
