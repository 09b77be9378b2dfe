from __future__ import annotations

import asyncio
import contextvars
import logging
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import reelwise
from reelwise.errors import AlreadySettledError, BudgetError, InputError, LedgerError, UnknownModelError
from reelwise.ledger import Budget, Ledger
from reelwise.ledger.queries import last_rows
from reelwise.requests import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:", thread=False) as one:
        yield one


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    ledger.flush()
    return last_rows(ledger.store, 1000)


def only(ledger: Ledger) -> tuple[int, str]:
    (row,) = rows(ledger)
    assert ledger.open_holds == 0
    return row["cost_nano"], row["status"]


# told wrongly


@pytest.mark.parametrize(
    "wrong",
    [
        lambda call: call.used(tokens_output=12.5),
        lambda call: call.used(frames=-1),
        lambda call: call.used(bananas=1),
        lambda call: call.outcome("x" * 200),
        lambda call: call.outcome(None),
        lambda call: call.was(status="weird"),
        lambda call: call.avoided(usd="abc"),
    ],
)
def test_a_wrong_unit_or_label_never_loses_the_cost(ledger: Ledger, wrong: Callable[[Any], None]) -> None:
    with pytest.raises(InputError) as said, reelwise.meter("f", hold_nano=100, ledger=ledger) as call:  # noqa: PT012 - the refusal leaves the block
        call.cost(nano=70)
        wrong(call)
    assert said.value.hint
    assert only(ledger) == (70, "error")


def test_a_wrong_unit_before_the_cost_is_told_counts_all_that_was_held(ledger: Ledger) -> None:
    with pytest.raises(InputError), reelwise.meter("f", hold_nano=100, ledger=ledger) as call:
        call.used(tokens_output=12.5)
    assert only(ledger) == (100, "ambiguous")


@pytest.mark.parametrize("usd", ["abc", float("nan"), float("inf"), -1, None, "1e400", "sNaN", 10**12, True])
def test_a_cost_that_cannot_be_counts_all_that_was_held(ledger: Ledger, usd: Any) -> None:
    with pytest.raises(InputError), reelwise.meter("f", hold_nano=100, ledger=ledger) as call:
        call.cost(usd=usd)
    assert only(ledger) == (100, "ambiguous")


def test_a_model_without_a_price_counts_all_that_was_held_unless_a_cost_is_told(ledger: Ledger) -> None:
    used = Request(model="nonesuch", count=1, images=1.0)
    one = reelwise.meter("f", hold_nano=100, ledger=ledger)
    with pytest.raises(UnknownModelError), one as call:
        call.charge(used)
    assert only(ledger) == (100, "ambiguous")
    with one as call:
        with pytest.raises(UnknownModelError):
            call.charge(used)
        call.cost(nano=3)
    with one as call:
        call.cost(nano=3)
        with pytest.raises(UnknownModelError):
            call.charge(used)  # what was told before may be too little
    assert [row["cost_nano"] for row in rows(ledger)] == [100, 3, 100]
    with pytest.raises(InputError, match="count=3"), one as call:
        call.charge(Request(model="gemini-2.5-flash", count=3, tokens_text=1.0))


def test_units_told_before_charge_are_kept(ledger: Ledger) -> None:
    with reelwise.meter("f", hold_usd="1", ledger=ledger) as call:
        call.used(gpu_ms=500, video_ms=60_000, frames=30, tokens_text=1)
        call.charge(Request(model="gemini-2.5-flash", count=1, tokens_video=9_288.0, tokens_text=40.0))
    (row,) = rows(ledger)
    assert (row["gpu_ms"], row["video_ms"], row["frames"]) == (500, 60_000, 30)
    assert (row["tokens_video"], row["tokens_text"]) == (9_288, 40)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": None},
        {"model": "m" * 300},
        {"provider": 5},
        {"tags": ["a"]},
        {"timeout_seconds": "x"},
        {"timeout_seconds": float("nan")},
        {"timeout_seconds": 0},
        {"frames": "abc"},
        {"frames": -1},
        {"id": ""},
        {"id": 7},
        {"not_billed": ValueError},
        {"hold_nano": lambda: 1 << 60},
    ],
)
def test_options_that_cannot_be_are_named(ledger: Ledger, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as said:
        reelwise.meter("f", **{"hold_nano": 1, "ledger": ledger, **wrong}).__enter__()
    assert said.value.hint
    assert ledger.open_holds == 0


# errors that leave it


def test_a_library_s_time_out_is_counted_and_a_refusal_is_not(ledger: Ledger) -> None:
    class ReadTimeout(Exception):  # noqa: N818 - a library's name
        status_code = 0

    one = reelwise.meter("f", hold_nano=100, ledger=ledger)
    with pytest.raises(ReadTimeout), one:
        raise ReadTimeout
    assert only(ledger) == (100, "ambiguous")
    refused = ReadTimeout()
    refused.status_code = 429
    for error in (refused, KeyError("clip")):
        with pytest.raises(type(error)), one:
            raise error
    with pytest.raises(ReadTimeout), reelwise.meter("f", hold_nano=9, ledger=ledger, not_billed=(ReadTimeout,)):
        raise ReadTimeout
    assert only(ledger) == (100, "ambiguous")


# answers that stream


def test_a_generator_is_one_call_from_its_first_item_to_its_last(ledger: Ledger) -> None:
    @reelwise.meter("f", hold_nano=100, ledger=ledger, user=lambda user: user)
    def stream(user: str) -> Iterator[str]:
        heard = yield user
        assert reelwise.current_call().held_nano == 100
        try:
            yield heard
        except KeyError:
            yield "caught"
        reelwise.current_call().cost(nano=7)

    one = stream("u")
    assert ledger.open_holds == 0  # nothing was asked for yet
    assert next(one) == "u"
    assert ledger.open_holds == 1
    with pytest.raises(InputError, match="no metered call"):
        reelwise.current_call()  # between two steps other code runs
    assert one.send("hm") == "hm"  # type: ignore[attr-defined]
    assert one.throw(KeyError()) == "caught"  # type: ignore[attr-defined]
    assert list(one) == []
    assert only(ledger) == (7, "ok")


def test_a_generator_that_is_closed_or_fails_is_settled(ledger: Ledger) -> None:
    @reelwise.meter("f", hold_nano=100, ledger=ledger)
    def stream(*, cost: int | None) -> Iterator[int]:
        if cost is not None:
            reelwise.current_call().cost(nano=cost)
        yield 1
        raise KeyError

    for cost, status in ((7, "cut"), (None, "ambiguous")):
        one = stream(cost=cost)
        next(one)
        one.close()  # type: ignore[attr-defined]
        assert rows(ledger)[0]["status"] == status
    with pytest.raises(KeyError):
        list(stream(cost=None))
    assert [row["cost_nano"] for row in rows(ledger)] == [100, 7]
    assert ledger.open_holds == 0


def test_async_generators_and_returned_ones_are_wrapped_too(ledger: Ledger) -> None:
    one = reelwise.meter("f", hold_nano=100, ledger=ledger)

    @one
    async def stream() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        reelwise.current_call().cost(nano=7)
        yield 2

    @one
    def returned() -> Iterator[int]:
        def inner() -> Iterator[int]:
            yield 3
            reelwise.current_call().cost(nano=8)

        return inner()

    @one
    def awaited() -> Any:
        async def inner() -> int:
            reelwise.current_call().cost(nano=9)
            return 4

        return inner()

    async def go() -> list[int]:
        seen = [item async for item in stream()]
        stopped = stream()
        await anext(stopped)
        await asyncio.create_task(stopped.aclose())  # type: ignore[attr-defined] # in another task, as when a client goes away
        return [*seen, await awaited()]

    assert asyncio.run(go()) == [1, 2, 4]
    assert list(returned()) == [3]
    assert [(row["cost_nano"], row["status"]) for row in reversed(rows(ledger))] == [
        (7, "ok"),
        (100, "ambiguous"),
        (9, "ok"),
        (8, "ok"),
    ]
    assert ledger.open_holds == 0


# tasks and contexts


def test_a_task_cancelled_while_it_asks_leaves_nothing_held() -> None:
    with Ledger(":memory:") as ledger:
        ledger.set_budget(Budget(name="b", hard=1000, period="day"))
        inside = threading.Event()
        go_on = threading.Event()
        hold = ledger.hold

        def slow(*given: Any, **named: Any) -> Any:
            inside.set()
            go_on.wait(60)
            return hold(*given, **named)

        ledger.hold = slow  # type: ignore[method-assign]

        async def one() -> None:
            async with reelwise.meter("f", hold_nano=10, ledger=ledger):
                raise AssertionError

        async def go() -> None:
            task = asyncio.create_task(one())
            await asyncio.to_thread(inside.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.set()

        asyncio.run(go())
        assert ledger.open_holds == 0
        assert rows(ledger) == []


def test_a_block_may_end_in_another_context(ledger: Ledger) -> None:
    one = reelwise.meter("f", hold_nano=10, ledger=ledger)
    contextvars.copy_context().run(one.__enter__)
    one.__exit__(None, None, None)
    with pytest.raises(InputError, match="not entered"):
        one.__exit__(None, None, None)

    async def stream(cost: int) -> AsyncIterator[int]:
        async with one as call:
            call.cost(nano=cost)
            yield 1

    async def go() -> None:
        first, second = stream(3), stream(4)
        await anext(first)
        await anext(second)
        await asyncio.create_task(first.aclose())  # type: ignore[attr-defined] # not the last that was entered
        assert rows(ledger)[0]["cost_nano"] == 3
        with one as call:
            assert reelwise.current_call() is call
            call.cost(nano=5)
        await second.aclose()  # type: ignore[attr-defined]

    asyncio.run(go())
    assert [row["cost_nano"] for row in reversed(rows(ledger))] == [10, 3, 5, 4]
    assert ledger.open_holds == 0
    assert one._open == {}


# the answer is worth more than the row


def locked(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_locked_ledger_does_not_cost_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    with Ledger(path) as ledger:
        with reelwise.meter("f", hold_nano=1, ledger=ledger):
            pass
        waited = ledger._writer.wait
        monkeypatch.setattr(ledger._writer, "wait", lambda number, name, _: waited(number, name, 0.2))
        other = locked(path)

        @reelwise.meter("f", hold_nano=1, ledger=ledger)
        def ask() -> str:
            return "answer"

        async def ask_async() -> str:
            return ask()

        with caplog.at_level(logging.WARNING, "reelwise"):
            assert ask() == "answer"
        assert "waits to be written" in caplog.text
        assert asyncio.run(ask_async()) == "answer"
        with pytest.raises(LedgerError), reelwise.meter("f", hold_nano=1, ledger=ledger, strict=True):
            pass
        other.rollback()
        monkeypatch.undo()
        deadline = time.monotonic() + 60
        while len(last_rows(ledger.store, 9)) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(last_rows(ledger.store, 9)) == 4


def test_a_job_that_comes_twice_counts_once(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    ledger.set_budget(Budget(name="b", hard=1000, period="day"))

    @reelwise.meter("f", hold_nano=100, id=lambda job: f"job-{job}", ledger=ledger)
    def work(job: int) -> int:
        reelwise.current_call().cost(nano=60)
        return job

    with caplog.at_level(logging.WARNING, "reelwise"):
        assert [work(1), work(2)] == [1, 2]
        assert caplog.text == ""
        assert work(1) == 1
    assert "recorded before" in caplog.text
    with reelwise.meter("g", hold_nano=100, id="job-1", ledger=ledger):  # another feature's job
        pass
    again = reelwise.meter("f", hold_nano=100, id="job-2", strict=True, ledger=ledger)
    with pytest.raises(AlreadySettledError), again:
        pass
    assert sum(row["cost_nano"] for row in rows(ledger)) == 220
    assert ledger.remaining(reelwise.ledger.who_of("f")) == {"b": 780}
    with reelwise.meter("f" * 128, hold_nano=1, id="j" * 128, ledger=ledger):
        pass
    ledger.kill("f")
    with pytest.raises(BudgetError):
        work(3)
