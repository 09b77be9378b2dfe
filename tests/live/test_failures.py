"""A model that is stuck, fails, is slow or answers nonsense: the last mask, then basic mode, then recovery; and no storm of calls."""

from __future__ import annotations

import math
import threading
import time as system_time
from itertools import pairwise

import numpy as np
import pytest

from reelwise.live import Adaptive, Limits
from reelwise.live.health import Health
from reelwise.live.masks import checked_mask
from reelwise.live.worker import ThreadWorker

from .conftest import Counting, Held, blob, mask_of, rising, still

HOT = rising(100)


def play(adaptive, time, seconds, *, fps=10):
    """Feed frames for so long; return what they got."""
    first = time.now()
    answers = []
    for index in range(int(seconds * fps)):
        time.move(first + index / fps)
        answers.append(adaptive.look(blob(0)))
    time.move(first + seconds)
    return answers


NONSENSE = {
    "shape": [np.zeros((3, 4, 5), np.float32), np.zeros(7, np.float32), np.zeros((0, 0), np.float32), np.float32(1.0)],
    "dtype": [
        None,
        "mask",
        {"mask": 1},
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4), complex),
        np.array([["a", "b"], ["c", "d"]]),
    ],
    "nan": [np.full((8, 8), np.nan, np.float32), np.array([[0.5, math.inf], [0, 1]])],
    "range": [np.full((8, 8), 3.0), np.array([[-0.5, 0.5], [0.5, 1.0]]), np.linspace(-8, 8, 64).reshape(8, 8)],
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_told_apart(kind):
    for answer in NONSENSE[kind]:
        found = checked_mask(answer)
        assert found.mask is None
        assert found.kind == kind
        assert found.said


@pytest.mark.parametrize(
    "answer",
    [
        np.ones((4, 6), bool),
        np.full((4, 6), 255, np.uint8),
        np.ones((4, 6), np.uint8),
        np.ones((4, 6, 1), np.float64),
        np.ones((1, 4, 6), np.float16),
        [[1.0] * 6] * 4,
        np.full((4, 6), 1.0005, np.float32),
    ],
)
def test_what_is_a_mask(answer):
    found = checked_mask(answer)
    assert found.kind == ""
    assert found.mask.dtype == np.float32
    assert found.mask.shape == (4, 6)
    assert found.mask.max() == found.mask.min() == 1.0


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_model_that_answers_nonsense_ends_in_basic_mode_and_is_asked_ever_more_rarely(kind, time):
    model = Counting(*NONSENSE[kind] * 300, time=time)
    told = []
    adaptive = Adaptive(
        model, on_mode_change=told.append, usd_per_call="0.001", carrier=HOT, clock=time, worker=time,
        limits=Limits(probe_seconds=1, probe_seconds_max=16),
    )  # fmt: skip
    play(adaptive, time, 120)
    receipt = adaptive.close()

    assert receipt.failures == {kind: model.calls}
    assert model.calls <= 16  # of 1,200 frames that all ask for one
    assert receipt.retries == 1
    assert [(one.new, one.cause) for one in told] == [("basic", "failing")]
    assert receipt.mode == "basic"
    assert receipt.cost_nano == model.calls * 10**6  # an answer that cannot be used was billed
    assert any(kind in one for one in receipt.notes)


def test_a_model_that_fails_now_and_then_is_asked_again_at_once(time):
    model = Counting(mask_of, RuntimeError("hiccup"), time=time)
    adaptive = Adaptive(model, carrier=HOT, clock=time, worker=time)
    answers = play(adaptive, time, 1)
    receipt = adaptive.close()
    assert receipt.retries == 1
    assert receipt.failures == {"raised": 1}
    assert receipt.mode_changes == ()
    assert [one.kind for one in answers] == ["inferred", "carried"] + ["inferred"] * 8


def test_retries_are_a_tenth_of_the_calls_at_most(time):
    pattern = [RuntimeError("flaky"), mask_of] * 400
    model = Counting(*pattern, time=time)
    adaptive = Adaptive(model, carrier=HOT, clock=time, worker=time)
    play(adaptive, time, 60)
    receipt = adaptive.close()
    assert receipt.retries <= 3 + 0.1 * model.calls + 1


def test_where_frames_wait_for_their_mask_the_same_frame_is_sent_again():
    model = Counting(RuntimeError("hiccup"))
    with Adaptive(model, limits=Limits(wait_seconds=None)) as adaptive:
        assert adaptive.look(blob(0)).kind == "inferred"
    assert model.calls == 2


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), KeyError("x"), MemoryError(), SystemExit(1), KeyboardInterrupt()]
)
def test_whatever_a_model_raises_the_stream_goes_on(error):
    model = Counting(mask_of, *[error] * 20)
    adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=None))
    answers = [adaptive.look(blob(0), index / 10) for index in range(60)]
    receipt = adaptive.close()
    assert receipt.frames == 60
    assert receipt.failures["raised"] == 5  # two at once, a second later the third; then after one more, and two more
    assert receipt.mode == "basic"
    assert [one.kind for one in answers[:31]] == ["inferred"] + ["carried"] * 30
    assert answers[-1].kind == "blank"


def test_it_comes_back_by_itself(time):
    model = Counting(mask_of, *[ConnectionError("down")] * 6, time=time)
    told = []
    adaptive = Adaptive(model, on_mode_change=told.append, carrier=HOT, clock=time, worker=time)
    answers = play(adaptive, time, 40)
    receipt = adaptive.close()
    assert [(one.old, one.new) for one in told] == [("full", "basic"), ("basic", "full")]
    assert told[1].message == "The segmentation service is back."
    assert told[1].reason.startswith("over: 3 failures in a row")
    assert answers[-1].kind == "inferred"
    assert receipt.reasons["probe"] == 4
    assert receipt.failures == {"raised": 6}
    blank = [one.kind for one in answers].count("blank")
    assert 0 < blank < 200


def test_a_stuck_model_is_given_up_and_never_costs_more_than_two_threads():
    model = Held()
    limits = Limits(wait_seconds=0.0, timeout_seconds=0.05, failures_max=2, probe_seconds=0.02, probe_seconds_max=0.02)
    adaptive = Adaptive(model, usd_per_call="0.5", carrier=HOT, limits=limits)
    began = given_up = system_time.monotonic()
    while system_time.monotonic() < min(given_up + 0.4, began + 60):  # twenty pauses after the second was given up
        adaptive.look(blob(0))
        system_time.sleep(0.005)
        if adaptive.receipt().timeouts < 2:
            given_up = system_time.monotonic()
    stuck = [one for one in threading.enumerate() if one.name == "reelwise-live-main"]
    receipt = adaptive.close()
    assert model.calls == 2 == len(stuck)
    assert receipt.timeouts == 2
    assert receipt.mode == "basic"
    assert receipt.cost_usd == 1.0  # whether they were billed nobody knows, so they were
    model.let.set()


def test_a_stuck_model_leaves_the_work_to_the_device_though_no_third_call_can_fail():
    model, told = Held(), []
    device = Counting(mask_of)
    limits = Limits(wait_seconds=0.0, timeout_seconds=0.05, probe_seconds=0.02)
    adaptive = Adaptive(model, fallback=device, carrier=HOT, limits=limits, on_mode_change=told.append)
    began = system_time.monotonic()
    while system_time.monotonic() - began < 60 and not device.calls:
        adaptive.look(blob(0))
        system_time.sleep(0.005)
    model.let.set()
    while system_time.monotonic() - began < 90 and adaptive.mode != "full":
        adaptive.look(blob(0))
        system_time.sleep(0.005)
    receipt = adaptive.close()
    assert device.calls
    assert receipt.timeouts >= 2
    assert [(one.old, one.new) for one in told] == [("full", "basic"), ("basic", "full")]
    assert "do not come back" in told[0].reason


def test_a_stuck_model_that_comes_free_is_used_again():
    model = Held()
    limits = Limits(wait_seconds=0.0, timeout_seconds=0.05, probe_seconds=0.01, probe_seconds_max=0.02)
    adaptive = Adaptive(model, carrier=HOT, limits=limits)
    began = system_time.monotonic()
    answer = adaptive.look(blob(0))
    while system_time.monotonic() - began < 60 and answer.kind != "carried":
        if system_time.monotonic() - began > 0.5:
            model.let.set()
        answer = adaptive.look(blob(0))
        system_time.sleep(0.005)
    receipt = adaptive.close()
    assert answer.kind == "carried"
    assert receipt.mode == "full"
    assert [one.new for one in receipt.mode_changes] in (["basic", "full"], [])


def test_a_time_out_of_simulated_time(time):
    model = Counting(time=time, seconds=math.inf)
    adaptive = Adaptive(model, carrier=HOT, clock=time, worker=time, limits=Limits(timeout_seconds=2.0))
    play(adaptive, time, 60)
    receipt = adaptive.close()
    assert receipt.timeouts == receipt.failures["timeout"] == model.calls
    assert model.calls <= 9
    assert receipt.mode_changes[0].cause == "failing"


# a slow cloud


def test_a_slow_cloud_falls_back_to_the_device_and_comes_back(time):
    cloud = Counting(time=time, seconds=0.2)
    device = Counting(time=time, seconds=0.01)
    told = []
    adaptive = Adaptive(
        cloud, fallback=device, on_mode_change=told.append, carrier=HOT, clock=time, worker=None,
        limits=Limits(slow_seconds=0.5, wait_seconds=0.0),
    )  # fmt: skip
    from reelwise.live.simulated import SimulatedTime

    assert isinstance(time, SimulatedTime)
    adaptive._engine.main._worker = time
    device_time = SimulatedTime()
    adaptive._engine.device._worker = device_time
    device.time = device_time

    def stretch(seconds):
        first = time.now()
        answers = []
        for index in range(int(seconds * 10)):
            time.move(first + index / 10)
            device_time.move(first + index / 10)
            answers.append(adaptive.look(blob(0)))
        time.move(first + seconds)
        return answers

    assert {one.model for one in stretch(5)[5:]} == {"main"}
    cloud.seconds = 1.5
    slow = stretch(60)
    assert adaptive.mode == "basic"
    assert {one.model for one in slow[-100:]} == {"device"}
    assert max(one.age_seconds for one in slow[-100:]) <= 0.2
    cloud.seconds = 0.2
    back = stretch(60)
    assert adaptive.mode == "full"
    assert {one.model for one in back[-100:]} == {"main"}
    receipt = adaptive.close()
    assert [(one.new, one.cause) for one in told] == [("basic", "slow"), ("full", "start")]
    assert "This device does the work" in told[0].message
    assert receipt.device_inferences == device.calls > 100


def test_a_cloud_that_hangs_falls_back_too(time):
    cloud = Counting(time=time, seconds=math.inf)
    device = Counting()
    adaptive = Adaptive(
        cloud,
        fallback=device,
        carrier=HOT,
        clock=time,
        worker=time,
        limits=Limits(timeout_seconds=1.0, wait_seconds=0.2),
    )
    adaptive._engine.device._worker = ThreadWorker("reelwise-live-device")
    answers = play(adaptive, time, 30)
    assert answers[-1].model == "device"
    assert "inferred" in {one.kind for one in answers[-100:]}  # it runs in a thread, which may be late for one of them
    adaptive.close()


def test_without_a_device_a_slow_cloud_is_only_carried(time):
    adaptive = Adaptive(
        Counting(time=time, seconds=1.5), carrier=HOT, clock=time, worker=time, limits=Limits(slow_seconds=0.1)
    )
    answers = play(adaptive, time, 30)
    receipt = adaptive.close()
    assert receipt.mode == "full"
    assert {one.kind for one in answers[40:]} == {"carried"}


def test_a_device_model_that_fails_too_leaves_the_last_mask_then_none():
    adaptive = Adaptive(
        Counting(mask_of, *[RuntimeError("cloud")] * 99), fallback=Counting(*[RuntimeError("device")] * 99),
        carrier=HOT, limits=Limits(wait_seconds=None),
    )  # fmt: skip
    answers = [adaptive.look(blob(0), index / 10) for index in range(60)]
    receipt = adaptive.close()
    assert answers[0].kind == "inferred"
    assert answers[-1].kind == "blank"
    assert any("the model on the device failed" in one for one in receipt.notes)


def test_pauses_between_tries_double_up_to_the_longest():
    health = Health(Limits(probe_seconds=1, probe_seconds_max=10), slow=False)
    now, tries = 0.0, []
    while now < 100:
        if health.may_call(now):
            tries.append(now)
            health.begun()
            health.failed(now, "down")
        now += 0.5
    gaps = [round(b - a) for a, b in pairwise(tries[1:])]
    assert gaps[:6] == [1, 1, 2, 4, 8, 10]
    assert set(gaps[6:]) == {10}


def test_paced_money_does_not_blank_the_picture():
    """An inference in 36 seconds is what was bought: the mask is carried as long as that takes."""
    adaptive = Adaptive(
        Counting(), usd_per_call="0.01", usd_an_hour="1", carrier=still, limits=Limits(wait_seconds=None)
    )
    answers = [adaptive.look(blob(0), index / 2) for index in range(2 * 300)]
    adaptive.close()
    assert {one.kind for one in answers} == {"inferred", "carried"}
