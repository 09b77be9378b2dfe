"""The loop from a running event loop, with async models and sync ones."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest

from reelwise.ledger import Budget, Ledger
from reelwise.ledger.queries import last_rows
from reelwise.live import Adaptive, Limits

from .conftest import Counting, blob, mask_of, rising

HOT = rising(100)


class Remote:
    """An async model; it says on which loop it ran."""

    name = "remote"

    def __init__(self, seconds=0.0, fails=0, *, held=False):
        self.calls = self.cancelled = 0
        self.seconds, self.fails = seconds, fails
        self.go = asyncio.Event() if held else None
        self.begun, self.answered = asyncio.Event(), asyncio.Event()
        self.loops = set()

    async def __call__(self, frame):
        self.calls += 1
        self.begun.set()
        self.loops.add(asyncio.get_running_loop())
        try:
            await asyncio.sleep(self.seconds)
            if self.go is not None:
                await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.calls <= self.fails:
            raise ConnectionError("down")
        self.answered.set()
        return mask_of(frame)

    async def let(self):
        """Let the call that is held answer, and wait until it has."""
        self.answered.clear()
        self.go.set()
        await self.answered.wait()
        self.go.clear()


def test_an_async_model_runs_on_the_loop_that_asks():
    async def main():
        model = Remote()
        async with Adaptive(model, mode="max", limits=Limits(wait_seconds=None)) as adaptive:
            for index in range(10):
                mask = await adaptive.see(blob(index), index / 10)
                assert mask.shape == (256, 256)
            answer = await adaptive.look_async(blob(0))
        assert answer.kind == "inferred"
        assert model.loops == {asyncio.get_running_loop()}
        assert adaptive.receipt().inferences == model.calls == 11

    asyncio.run(main())


def test_a_sync_model_runs_in_a_thread_and_the_loop_goes_on():
    async def main():
        go = threading.Event()

        def model(frame):
            go.wait(10)
            return mask_of(frame)

        adaptive = Adaptive(model, limits=Limits(wait_seconds=None))
        ticks = 0

        async def tick():
            nonlocal ticks
            for _ in range(20):
                ticks += 1
                await asyncio.sleep(0.001)
            go.set()

        ticking = asyncio.create_task(tick())
        answer = await adaptive.look_async(blob(0))
        await ticking
        assert answer.kind == "inferred"
        assert ticks == 20
        await adaptive.aclose()

    asyncio.run(main())


def test_an_async_model_in_a_sync_loop():
    model = Remote(0.001)
    with Adaptive(model, mode="max", limits=Limits(wait_seconds=None)) as adaptive:
        for index in range(5):
            assert adaptive.look(blob(index)).kind == "inferred"
    assert model.calls == 5
    assert len(model.loops) == 1  # connections are kept from call to call


def test_a_function_that_returns_an_awaitable():
    async def answer(frame):
        return mask_of(frame)

    with Adaptive(functools.partial(answer), limits=Limits(wait_seconds=None)) as adaptive:
        assert adaptive.look(blob(0)).kind == "inferred"


def test_a_slow_async_model_is_carried_and_the_answer_is_taken_when_it_comes():
    async def main():
        model = Remote(held=True)
        adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0.001))
        kinds = []
        for index in range(40):
            kinds.append((await adaptive.look_async(blob(0))).kind)
            if index % 5 == 4:  # it takes as long as five frames
                await model.let()
        receipt = await adaptive.aclose()
        assert kinds == ["blank"] * 5 + ["carried"] * 35
        assert receipt.behind_most == 1
        assert model.calls == 8

    asyncio.run(main())


def test_an_async_model_that_hangs_is_cancelled():
    async def main():
        model = Remote(100)
        limits = Limits(wait_seconds=0.0, timeout_seconds=0.05, probe_seconds=0.01, probe_seconds_max=0.05)
        adaptive = Adaptive(model, carrier=HOT, limits=limits)
        for _ in range(6000):
            await adaptive.look_async(blob(0))
            await asyncio.sleep(0.01)
            if adaptive.receipt().timeouts >= 3 and adaptive.mode == "basic":
                break
        receipt = await adaptive.aclose()
        await asyncio.sleep(0.01)
        assert receipt.timeouts >= 3
        assert model.cancelled == model.calls
        assert receipt.mode == "basic"

    asyncio.run(main())


def test_pausing_takes_back_a_task_that_has_not_begun():
    async def main():
        model = Remote()
        adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0.0))
        await adaptive.look_async(blob(0))  # the task is there, and nothing has let it run
        adaptive.pause()
        await asyncio.sleep(0.01)
        await adaptive.look_async(blob(0))
        receipt = await adaptive.aclose()
        assert model.calls == 0
        assert receipt.revoked == 1

    asyncio.run(main())


def test_a_frame_whose_task_is_cancelled_leaves_the_loop_sound():
    async def main():
        model = Remote(held=True)
        adaptive = Adaptive(model, limits=Limits(wait_seconds=None))
        first = asyncio.create_task(adaptive.look_async(blob(0)))
        await model.begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await adaptive.look_async(blob(0))).kind in {"carried", "inferred", "blank"}
        await model.let()
        assert (await adaptive.look_async(blob(0))).kind == "carried"
        await adaptive.aclose()

    asyncio.run(main())


def test_a_failing_async_model_is_retried_and_comes_back():
    async def main():
        model = Remote(0, fails=1)
        adaptive = Adaptive(model, limits=Limits(wait_seconds=None))
        answer = await adaptive.look_async(blob(0))
        receipt = await adaptive.aclose()
        assert answer.kind == "inferred"
        assert receipt.retries == 1

    asyncio.run(main())


def test_frames_at_the_same_time():
    async def main():
        model = Remote(0.01)
        adaptive = Adaptive(model, mode="max", limits=Limits(wait_seconds=1.0))
        answers = await asyncio.gather(*(adaptive.look_async(blob(index)) for index in range(20)))
        receipt = await adaptive.aclose()
        assert len(answers) == receipt.frames == 20
        assert receipt.waited == 19
        assert model.calls == 1

    asyncio.run(main())


def test_each_call_is_held_and_settled_without_holding_up_the_loop():
    async def main(ledger):
        ledger.set_budget(Budget(name="all", hard=3_000_000))
        model = Remote()
        adaptive = Adaptive(
            model, ledger=ledger, feature="blur", usd_per_call="0.001", carrier=HOT, limits=Limits(wait_seconds=None)
        )
        for index in range(20):
            await adaptive.look_async(blob(0), index / 10)
        receipt = await adaptive.aclose()
        assert model.calls == 3
        assert receipt.cost_nano == 3_000_000

    with Ledger(":memory:", thread=False) as ledger:
        asyncio.run(main(ledger))
        ledger.flush()
        assert sum(one["cost_nano"] for one in last_rows(ledger.store, 100)) == 3_000_000
        assert ledger.open_holds == 0


def test_a_loop_that_ends_in_the_middle_of_a_call():
    model = Remote(100)
    adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0.0))

    async def main():
        await adaptive.look_async(blob(0))
        await asyncio.sleep(0.005)

    asyncio.run(main())  # cancels the task
    receipt = adaptive.close()
    assert model.cancelled == 1
    assert receipt.frames == 1


def test_sync_models_and_waiting():
    async def main():
        model = Counting()
        async with Adaptive(model, mode="max", limits=Limits(wait_seconds=None)) as adaptive:
            for index in range(10):
                await adaptive.see(blob(index))
        return model, adaptive.receipt()

    model, receipt = asyncio.run(main())
    assert receipt.inferences == model.calls == 10
    assert model.threads == {"reelwise-live-main"}
