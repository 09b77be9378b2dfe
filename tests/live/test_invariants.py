"""Whatever happens, in whatever order: the promises of the loop, under simulated time."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Ledger
from reelwise.live import Adaptive, Limits
from reelwise.live.simulated import SimulatedTime

from .conftest import Scripted, blob

FRAMES = [blob(0), blob(0, height=96, width=96), np.zeros((72, 128, 3), np.uint8)]
ANSWERS = {
    "good": lambda _frame: np.ones((4, 4), np.float32),
    "nan": lambda _frame: np.full((4, 4), np.nan),
    "shape": lambda _frame: np.zeros(3),
    "range": lambda _frame: np.full((4, 4), 9.0),
}
SET = {"need": "need", "remote": "said", "reads": "reads", "device": "device_answer"}
steps = st.lists(
    st.one_of(
        st.tuples(st.just("frames"), st.integers(1, 12), st.sampled_from([0.03, 0.1, 0.5, 3.0]), st.integers(0, 2)),
        st.tuples(st.just("need"), st.sampled_from([0.0, 0.1, 1.0, 50.0])),
        st.tuples(st.just("choose"), st.sampled_from(["max", "full", "saver", "basic", "off"])),
        st.tuples(st.just("remote"), st.sampled_from(["max", "full", "saver", "basic", "off", None, "nonsense"])),
        st.tuples(st.sampled_from(["pause", "resume", "hide", "show"])),
        st.tuples(st.just("reads"), st.booleans()),
        st.tuples(
            st.just("model"),
            st.sampled_from(["good", "nan", "shape", "range", "raises"]),
            st.sampled_from([0.0, 0.2, 2.0, math.inf]),
        ),
        st.tuples(st.just("device"), st.sampled_from(["good", "raises"])),
        st.tuples(st.just("kill")),
        st.tuples(st.just("revive")),
    ),
    min_size=1,
    max_size=40,
)


class World:
    """A loop and all that it touches; it counts what must not happen."""

    def __init__(self, *, ledger, waits, target):
        self.time, self.device_time = SimulatedTime(), SimulatedTime()
        self.calls = self.device_calls = self.flying = self.most_flying = 0
        self.forbidden = []
        self.said, self.reads = None, True
        self.answer, self.seconds, self.device_answer = "good", 0.0, "good"
        self.need, self.ledger, self.told = 1.0, ledger, []
        self.moments = []
        self.adaptive = Adaptive(
            self.model, fallback=self.device, carrier=lambda: Scripted(lambda _since, _seen: self.need), clock=self.time,
            worker=self.time, remote=lambda: self.said, reader=lambda: self.reads, on_mode_change=self.told.append,
            ledger=ledger, feature="blur", usd_per_call="0.001",
            limits=Limits(wait_seconds=None if waits else 0.05, timeout_seconds=1.0), **target,
        )  # fmt: skip
        self.adaptive._engine.device._worker = self.device_time

    def wanted(self):
        engine = self.adaptive._engine
        return self.reads and not engine.presence.paused and not engine.presence.hidden and engine.chosen.mode != "off"

    def model(self, frame):
        self.calls += 1
        self.moments.append(self.time.now())
        if not self.wanted():
            self.forbidden.append("a call while off, hidden, paused or without a reader")
        if self.adaptive._engine.chosen.mode == "basic":
            self.forbidden.append("a call of the dear model in basic mode")
        self.time.spend(self.seconds)
        if self.answer == "raises":
            raise ConnectionError("down")
        return ANSWERS[self.answer](frame)

    def device(self, frame):
        self.device_calls += 1
        if not self.wanted():
            self.forbidden.append("a call on the device while off, hidden, paused or without a reader")
        if self.device_answer == "raises":
            raise RuntimeError("device")
        return ANSWERS["good"](frame)

    def step(self, what, *given):
        adaptive = self.adaptive
        if what == "frames":
            count, every, which = given
            for _ in range(count):
                self.time.move(self.time.now() + every)
                self.device_time.move(self.time.now())
                answer = adaptive.look(FRAMES[which])
                assert answer.mask.shape == (64, 64)
                assert np.isfinite(answer.mask).all()
                assert answer.kind in {"inferred", "carried", "blank"}
                assert answer.mode != "off" or answer.kind == "blank"
        elif what == "model":
            self.answer, self.seconds = given
        elif what in SET:
            setattr(self, SET[what], given[0])
        elif what not in {"kill", "revive"}:
            getattr(adaptive, what)(*given)
        elif self.ledger is not None:
            (self.ledger.kill if what == "kill" else self.ledger.resume)("blur")


def check(world, receipt):
    assert world.forbidden == []
    assert receipt.inferences == world.calls
    assert receipt.device_inferences == world.device_calls
    assert receipt.behind_most <= 1
    assert receipt.answers + sum(receipt.failures.values()) >= receipt.inferences - 1
    assert receipt.mode_changes_count == len(world.told)
    modes = [one.old for one in world.told] + ([world.told[-1].new] if world.told else [])
    assert all(a.new == b.old for a, b in zip(world.told, world.told[1:], strict=False))
    assert not modes or modes[-1] == receipt.mode
    # retries are bounded, and so are calls to a model that never answers: no storm
    assert receipt.retries <= 3 + 0.1 * receipt.inferences + 1


@given(steps, st.booleans(), st.sampled_from([{}, {"inferences_a_minute": 30}, {"quality": 0.9}]))
@settings(max_examples=150, deadline=None)
def test_promises_hold_without_a_ledger(script, waits, target):
    world = World(ledger=None, waits=waits, target=target)
    for one in script:
        world.step(*one)
    check(world, world.adaptive.close())


@given(steps, st.booleans(), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_promises_hold_with_a_budget(script, waits, calls):
    with Ledger(":memory:", thread=False) as ledger:
        ledger.set_budget(Budget(name="all", hard=calls * 1_000_000 + 1))
        world = World(ledger=ledger, waits=waits, target={})
        for one in script:
            world.step(*one)
        receipt = world.adaptive.close()
        check(world, receipt)
        assert world.calls <= calls
        assert receipt.cost_nano <= calls * 1_000_000 + 1
        assert ledger.open_holds == 0
        ledger.kill("blur")
        with_error = False
        try:
            world.adaptive._engine.main.books.begin()
        except BudgetError:
            with_error = True
        assert with_error


@given(steps, st.sampled_from(["0.05", "0.2", "1"]))
@settings(max_examples=60, deadline=None)
def test_a_price_is_never_exceeded_whatever_happens(script, usd):
    world = World(ledger=None, waits=False, target={"usd_an_hour": usd})
    for one in script * 4:
        if one[:2] != ("choose", "max"):  # that is what lifts it
            world.step(*one)
    receipt = world.adaptive.close()
    check(world, receipt)
    moments = np.array(world.moments)
    if len(moments):
        most = (np.searchsorted(moments, moments + 3600) - np.arange(len(moments))).max()
        assert most * 0.001 <= float(usd) + 1e-9
