"""The loop as a library: which frames are sent, what every frame gets."""

from __future__ import annotations

import threading
import time as system_time

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.live import Adaptive, Limits
from reelwise.live.masks import iou

from .conftest import Counting, Held, Scripted, blob, mask_of, rising, still

FILE = Limits(wait_seconds=None)
STILL = Limits(wait_seconds=None, baseline_fps=0, max_age_seconds=1e4)


def test_five_lines():
    model = Counting()
    adaptive = Adaptive(model, usd_per_call="0.001", limits=FILE)
    for index in range(60):
        mask = adaptive(blob(index, speed=0.5))
        assert mask.shape == (256, 256)
        assert mask.dtype == np.float32
    receipt = adaptive.close()

    assert receipt.frames == 60
    assert receipt.inferences == model.calls < 60
    assert receipt.cost_nano == model.calls * 1_000_000
    assert receipt.cost_usd_every_frame == pytest.approx(0.060)
    assert receipt.model == "counting"
    assert receipt.reasons["first"] == 1


def test_what_the_model_saw_is_what_an_inferred_frame_gets():
    adaptive = Adaptive(Counting(), mode="max", limits=FILE)
    for index in range(10):
        answer = adaptive.look(blob(index), index / 30)
        assert answer.kind == "inferred"
        assert answer.age_seconds == 0
        assert iou(answer.mask, mask_of(blob(index))) > 0.95
    assert adaptive.close().inferences == 10


def test_a_scene_in_which_nothing_moves_is_refreshed_less_and_less_often():
    model = Counting()
    adaptive = Adaptive(model, limits=FILE)
    for index in range(300):
        adaptive.look(blob(0), index / 30)
    assert adaptive.close().reasons == {"first": 1, "refresh": 3}  # after 1, 3 and 7 seconds
    assert model.calls == 4


def test_frames_are_inferred_as_often_as_they_need_it():
    model = Counting()
    adaptive = Adaptive(model, carrier=rising(0.25), limits=STILL)
    for index in range(80):
        adaptive.look(blob(0), index / 30)
    assert adaptive.close().reasons == {"first": 1, "need": model.calls - 1}
    assert 7 <= model.calls <= 21  # every fourth frame, then every twelfth: carried masks are found to be perfect


def test_slow_drift_does_not_get_through():
    """The article's rule compares with the frame before, which differs by nothing; ours with the last one that was inferred."""
    adaptive = Adaptive(Counting(), limits=STILL)
    for index in range(300):
        adaptive.look(blob(index, speed=0.2), index / 30)
    assert adaptive.close().reasons["need"] >= 3


@pytest.mark.parametrize("mode", ["full", "max"])
@pytest.mark.parametrize("fps", [5, 10, 30])
def test_the_ceiling_holds_whatever_moves_in_best_quality_too(fps, mode):
    model = Counting()
    adaptive = Adaptive(model, carrier=rising(100), mode=mode, limits=Limits(wait_seconds=None, ceiling_fps=fps))
    for index in range(90):
        adaptive.look(blob(0), index / 30)
    adaptive.close()
    assert model.calls <= 3 * fps
    assert model.calls >= 3 * fps - 3


def test_a_mask_that_is_too_old_gets_an_inference():
    model = Counting()
    adaptive = Adaptive(model, limits=Limits(wait_seconds=None, baseline_fps=0, max_age_seconds=0.5))
    answers = [adaptive.look(blob(0), index / 30) for index in range(90)]
    adaptive.close()
    assert max(one.age_seconds for one in answers) < 0.5
    assert {one.reason for one in answers} == {"", "first", "age"}


def test_cues_ask_for_inferences_too():
    def shaken(at):
        return 1.0 <= at < 1.1

    def level(at):
        return 50.0 if 2.0 <= at < 2.05 else 0.2

    def broken(_at):
        raise RuntimeError("sensor is gone")

    model = Counting()
    adaptive = Adaptive(model, cues=(shaken, level, broken), carrier=still, limits=STILL)
    answers = [adaptive.look(blob(0), index / 30) for index in range(90)]
    receipt = adaptive.close()

    assert receipt.reasons == {"first": 1, "cue shaken": 3, "cue level": 2}
    assert all(one.reason == "cue shaken" for one in answers[30:33])
    assert any("sensor is gone" in one for one in receipt.notes)


def test_a_cue_must_be_callable():
    with pytest.raises(InputError, match="no cue"):
        Adaptive(Counting(), cues=(3,))


@pytest.mark.parametrize(
    "frame",
    [
        None,
        "frame.png",
        np.zeros((72, 128), np.uint8),
        np.zeros((72, 128, 4), np.uint8),
        np.zeros((72, 128, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_an_error_and_costs_nothing(frame):
    model = Counting()
    with Adaptive(model, limits=FILE) as adaptive:
        with pytest.raises(InputError, match="frame"):
            adaptive(frame)
        assert model.calls == 0
        adaptive(blob(0))
        assert adaptive.receipt().frames == 1


def test_another_size_of_the_picture_is_another_picture():
    model = Counting()
    adaptive = Adaptive(model, limits=STILL)
    adaptive.look(blob(0), 0.0)
    adaptive.look(blob(0), 0.1)
    answer = adaptive.look(blob(0, height=144, width=256), 0.2)
    receipt = adaptive.close()

    assert answer.kind == "inferred"
    assert answer.reason == "again"
    assert receipt.size_changes == 1
    assert receipt.notes == ("the size of the picture changed from 128x72 to 256x144",)


def test_an_answer_to_a_picture_of_another_size_is_left_out(time):
    model = Counting(time=time, seconds=1.0)
    limits = Limits(wait_seconds=0, baseline_fps=0, max_age_seconds=100)
    adaptive = Adaptive(model, carrier=still, limits=limits, clock=time, worker=time)
    adaptive.look(blob(0))
    time.move(0.5)
    adaptive.look(blob(0, height=144, width=256))
    time.move(1.1)
    assert adaptive.look(blob(0, height=144, width=256)).kind == "blank"
    time.move(2.2)
    assert adaptive.look(blob(0, height=144, width=256)).kind == "carried"
    assert model.calls == 2
    adaptive.close()


def test_black_frames_are_asked_of_nobody():
    model = Counting()
    adaptive = Adaptive(model, limits=FILE)
    adaptive.look(blob(0), 0.0)
    for index in range(1, 61):
        answer = adaptive.look(np.full((72, 128, 3), 3, np.uint8), index / 30)
        assert answer.black
        assert answer.kind == "blank"
        assert not answer.mask.any()
    assert model.calls == 1
    after = adaptive.look(blob(0), 61 / 30)
    receipt = adaptive.close()

    assert after.kind == "inferred"
    assert receipt.frames_black == receipt.frames_blank == 60
    assert any("black" in one for one in receipt.notes)


def test_a_dark_scene_is_not_black():
    frame = np.full((72, 128, 3), 4, np.uint8)
    frame[20:60, 30:90] = 40  # somebody in the dark
    with Adaptive(Counting(), limits=FILE) as adaptive:
        assert not adaptive.look(frame).black


def test_after_a_stall_the_next_frame_is_inferred():
    adaptive = Adaptive(Counting(), limits=STILL)
    for index in range(30):
        adaptive.look(blob(0), index / 30)
    answer = adaptive.look(blob(0), 8.0)
    receipt = adaptive.close()

    assert answer.reason == "again"
    assert receipt.stalls == 1
    assert receipt.stall_seconds == pytest.approx(7.03, abs=0.01)


def test_time_that_goes_back_is_another_round():
    adaptive = Adaptive(Counting(), limits=FILE)
    for _ in range(3):
        for index in range(30):
            adaptive.look(blob(index), index / 30)
    receipt = adaptive.close()
    assert receipt.seconds == pytest.approx(89 / 30, abs=0.05)
    assert receipt.stalls == 0


def test_masks_are_the_callers_own():
    with Adaptive(Counting(), limits=FILE) as adaptive:
        first = adaptive(blob(0))
        kept = first.copy()
        first[:] = 7
        assert np.array_equal(adaptive(blob(0)), kept)


# a model that is slower than the stream


def test_ten_minutes_with_a_slow_model_are_never_more_than_one_inference_behind(time):
    model = Counting(time=time, seconds=0.38)
    carrier = Scripted(lambda _since, _seen: 9.0)
    adaptive = Adaptive(model, carrier=lambda: carrier, clock=time, worker=time, limits=Limits(wait_seconds=0.01))
    ages = []
    for index in range(600 * 10):
        time.move(index / 10)
        ages.append(adaptive.look(blob(0)).age_seconds)
    receipt = adaptive.close()

    assert receipt.behind_most == 1
    assert max(ages[100:300]) == pytest.approx(max(ages[-200:]), abs=0.01)
    assert max(ages) <= 2 * 0.4
    assert set(carrier.behind) == {3}  # carried over the frames that came meanwhile
    assert receipt.waited > 3000
    assert receipt.frames_blank < 6


def test_of_one_call_at_a_time_no_frame_waits_longer_than_it_may():
    model = Held()
    adaptive = Adaptive(model, limits=Limits(wait_seconds=0.02))
    began = system_time.monotonic()
    for index in range(20):
        assert adaptive.look(blob(index)).kind == "blank"
    assert system_time.monotonic() - began < 15  # the model would have taken twenty
    assert model.calls == 1
    model.let.set()
    adaptive.close()


def test_a_frame_that_is_overwritten_meanwhile_was_copied():
    seen = []
    go = threading.Event()

    def model(frame):
        go.wait(10)
        seen.append(frame.copy())
        return mask_of(frame)

    adaptive = Adaptive(model, limits=Limits(wait_seconds=0.0))
    buffer = blob(0)
    adaptive.look(buffer)
    buffer[:] = 0
    go.set()
    adaptive.close()
    assert np.array_equal(seen[0], blob(0))


def test_two_threads_at_a_time():
    model = Counting()
    adaptive = Adaptive(model, mode="max", limits=Limits(wait_seconds=0.5))
    failed = []

    def feed():
        try:
            for index in range(50):
                adaptive(blob(index))
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=feed) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not failed
    assert adaptive.close().frames == 100


# the end


def test_closing_twice_gives_the_same_receipt_and_nothing_is_taken_after():
    adaptive = Adaptive(Counting(), limits=FILE)
    adaptive(blob(0))
    receipt = adaptive.close()
    assert adaptive.close() is receipt
    assert adaptive.receipt() is receipt
    adaptive.pause()
    with pytest.raises(InputError, match="closed"):
        adaptive(blob(0))


def test_closing_does_not_wait_for_a_call_that_hangs():
    model = Held()
    adaptive = Adaptive(model, usd_per_call=1, limits=Limits(wait_seconds=0.0))
    adaptive(blob(0))
    assert model.begun.wait(30)
    began = system_time.monotonic()
    receipt = adaptive.close()
    assert system_time.monotonic() - began < 15  # the model would have taken twenty
    assert receipt.cost_usd == 1  # it may have been billed
    assert (receipt.timeouts, receipt.failures, receipt.mode) == (0, {"ended": 1}, "full")  # it did not take too long
    assert any("under way at the end" in one for one in receipt.notes)
    model.let.set()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"quality": 1.0}, "a quality is an IoU"),
        ({"quality": float("nan")}, "a quality is an IoU"),
        ({"inferences_a_minute": 0}, "inferences a minute"),
        ({"usd_an_hour": "1"}, "no price"),
        ({"usd_an_hour": "-1", "usd_per_call": 1}, "less than nothing"),
        ({"usd_an_hour": "many", "usd_per_call": 1}, "no amount of dollars"),
        ({"usd_an_hour": "0.5", "usd_per_call": "0.7"}, "one call costs more"),
        ({"usd_an_hour": 1, "inferences_a_minute": 3, "usd_per_call": "0.1"}, "at once"),
        ({"usd_per_call": -1}, "less than nothing"),
        ({"mode": "turbo"}, "no mode"),
        ({"profiles": {"turbo": None}}, "no mode"),
        ({"fallback": 3}, "no model"),
        ({"user": "u1"}, "without a ledger"),
        ({"limits": Limits(ceiling_fps=1, baseline_fps=2)}, "ceiling"),
        ({"limits": Limits(ceiling_fps=0.1, baseline_fps=0, max_age_seconds=5)}, "no mask older than 5 s"),
        ({"limits": Limits(max_age_seconds=2), "inferences_a_minute": 20}, "none may be older than 2 s"),
        (
            {"limits": Limits(max_age_seconds=60), "usd_an_hour": 1, "usd_per_call": "0.1"},
            "none may be older than 60 s",
        ),
        ({"limits": Limits(timeout_seconds=0)}, "not between"),
        ({"limits": Limits(wait_seconds=-1)}, "to wait"),
    ],
)
def test_settings_that_cannot_be(settings, said):
    with pytest.raises(InputError, match=said):
        Adaptive(Counting(), **settings)


def test_a_model_must_be_callable():
    with pytest.raises(InputError, match="no model"):
        Adaptive("person")
