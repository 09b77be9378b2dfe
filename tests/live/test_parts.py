"""The parts of the loop on their own: thresholds, cues, counts, loading."""

from __future__ import annotations

import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.live.caught import Caught
from reelwise.live.cues import Cues, Heard, Triggered
from reelwise.live.frames import is_black
from reelwise.live.histogram import Durations, Shares
from reelwise.live.masks import iou
from reelwise.live.modes import PROFILES
from reelwise.live.opening import Loading, open_model
from reelwise.live.pace import Pace, QualityThreshold
from reelwise.live.stream_time import StreamTime
from reelwise.live.tally import Tally
from reelwise.live.target import Limits, Target, exact_nano
from reelwise.live.worker import ThreadWorker
from reelwise.scan.ears import Loud
from reelwise.scan.pump import SOUND_RATE

FULL = PROFILES["full"]


# thresholds


def test_a_quality_is_a_threshold_that_follows_what_carried_masks_were_good_for():
    good, bad = QualityThreshold(0.95), QualityThreshold(0.95)
    for _ in range(20):
        good.learned(0.99)
        bad.learned(0.80)
    assert bad.value < 1.0 < good.value
    for _ in range(500):
        good.learned(0.99)
        bad.learned(0.80)
    assert 1 / 3 - 0.01 <= bad.value < good.value <= 3.01


def test_more_quality_asks_sooner():
    values = [QualityThreshold(quality).value for quality in (0.99, 0.97, 0.95, 0.9)]
    assert values == sorted(values)
    assert QualityThreshold(0.95).value == pytest.approx(1.0)


@pytest.mark.parametrize("usd", ["0.001", "0.0000003", "1"])
def test_what_is_full_is_spent_and_what_is_empty_is_not(usd):
    pace = Pace(Target(usd_an_hour=Fraction(usd) * 100), Limits(max_age_seconds=1e4), exact_nano(usd, ""))
    made = 0
    for index in range(1000):
        pace.move(index / 100, FULL)
        if pace.reason(index / 100, 5.0, age=0, cue="", must="", profile=FULL):
            pace.called(index / 100)
            made += 1
    assert 1 <= made <= 4  # ten seconds of a hundred calls an hour
    assert not pace.affordable
    assert pace.reason(10.0, 99.0, age=1e9, cue="shaken", must="first", profile=FULL) == ""


def test_without_a_target_the_default_quality_is_held():
    assert Pace(Target(), Limits(), Fraction(0)).threshold == 1.0
    assert Target().said == "quality 0.95"
    assert Target(usd_an_hour="1.50").said == "1.5 USD an hour"
    assert Target(usd_an_hour=Fraction(1, 3)).said == "1/3 USD an hour"
    assert Target(usd_an_hour=2, quality=0.9).said == "2 USD an hour, quality 0.9"


# overlap


def test_overlap():
    one, other = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32)
    assert iou(one, other) == 1.0
    one[:10] = 1.0
    assert iou(one, other) == 0.0
    other[5:15] = 0.5  # from there on a place is foreground
    assert iou(one, other) == pytest.approx(100 / 300)
    one[:] = other[:] = 0.0
    one[0, 0] = other[9, 9] = 1.0  # under half a percent of the frame: empty
    assert iou(one, other) == 1.0


def test_overlap_of_another_size():
    one, other = np.zeros((32, 32), np.float32), np.zeros((64, 64), np.float32)
    one[8:24, 8:24], other[16:48, 16:48] = 1.0, 1.0
    assert iou(one, other) == pytest.approx(1.0, abs=0.05)


# cues


def test_sound_asks_when_it_begins_and_twice_a_second_while_it_goes_on():
    cue = Heard(Loud())
    rng = np.random.default_rng(1)
    heard = []
    for index in range(60):  # three seconds of hiss, one of noise, two of hiss
        level = 6000 if 30 <= index < 40 else 20
        cue.hear(index / 10, rng.normal(0, level, SOUND_RATE // 10).astype(np.int16))
        heard += [at for at in (index / 10 + 0.02, index / 10 + 0.06) if cue(at)]
    assert 2 <= len(heard) <= 4
    assert 3.0 <= heard[0] <= 3.4
    assert heard[-1] <= 5.0


def test_a_trigger_of_a_scan_is_a_cue():
    def door(start, stop):
        return [(2.0, 2.5)] if start < 2.5 and stop > 2.0 else []

    cue = Triggered(door)
    assert cue.name == "door"
    yes = [at / 20 for at in range(100) if cue(at / 20)]
    assert 1.9 < yes[0] <= 2.1
    assert yes[-1] <= 2.65


@pytest.mark.parametrize("answer", ["loud", object(), float("nan"), [1, 2]])
def test_a_cue_that_answers_nonsense_is_left_out(answer):
    cues = Cues((lambda _at: answer, lambda _at: 0.5))
    assert cues.ask(0.0)[1] == 0.5
    assert "neither" in cues.failed


# counts


@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=300))
def test_percentiles_of_times_are_within_two_percent(values):
    durations = Durations()
    for value in values:
        durations.add(value)
    for share in (0.5, 0.95, 0.99):
        exact = float(np.quantile(values, share, method="inverted_cdf"))
        assert durations.at(share) == pytest.approx(exact, rel=0.03)
    assert durations.milliseconds()["mean"] == pytest.approx(1000 * float(np.mean(values)), rel=0.01)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_percentiles_of_shares_are_those_of_numpy(values):
    shares = Shares()
    for value in values:
        shares.add(value)
    for share in (0.01, 0.05, 0.5):
        assert shares.at(share) == pytest.approx(float(np.percentile(values, 100 * share)), abs=2e-4)
    assert shares.mean == pytest.approx(float(np.mean(values)))
    assert shares.least == min(values)


def test_nothing_counted_is_no_error():
    assert Durations().milliseconds() == {"mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert Shares().at(0.05) == 1.0


def test_notes_reasons_and_moments_are_bounded():
    from reelwise.live.answer import Answer

    tally = Tally()
    mask = np.zeros((2, 2), np.float32)
    for index in range(10_000):
        tally.note(f"note {index}")
        tally.asked(f"cue {index}")
        answer = Answer(
            mask, "carried", "full", "main", index / 30, 0.0, 0.5, "need" if index % 10 == 0 else "", black=False
        )
        tally.took(answer, 0.001, cpu=0.001, judged=True, waited=False)
    assert len(tally.notes) == 20
    assert len(tally.reasons) == 33
    assert 400 <= len(tally.moments) <= 1000
    assert sum(one.frames for one in tally.moments) == 10_000
    assert sum(one.inferences for one in tally.moments) == 1000


# time


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=60))
def test_time_never_goes_back(times):
    stream, last = StreamTime(), -1e12
    for one in times:
        now = stream.read(one)
        assert now >= last
        last = now


# threads


def test_a_worker_is_one_thread_for_all_calls_and_ends():
    worker = ThreadWorker("reelwise-live-test")
    names = [worker.submit(lambda _finish: threading.get_ident()).result(60) for _ in range(5)]
    assert len(set(names)) == 1
    worker.close(5)
    assert not any(one.name == "reelwise-live-test" for one in threading.enumerate())


def test_a_worker_that_was_closed_begins_again_where_it_is_needed():
    worker = ThreadWorker("reelwise-live-test")
    worker.submit(lambda _finish: 1).result(60)
    worker.close(5)
    assert worker.submit(lambda _finish: 2).result(60) == 2
    worker.close(5)


def test_what_is_caught_is_said_in_one_line():
    with Caught() as caught:
        raise ValueError("one\ntwo")
    assert caught.said == "ValueError: one"
    with Caught() as caught:
        raise InputError("cannot be", where="here")
    assert caught.said == "here: cannot be"
    assert Caught().said == ""
    with pytest.raises(KeyboardInterrupt), Caught():
        raise KeyboardInterrupt


# models by name


def test_models_that_are_not_there():
    for name in ("nosuch", "a:b:c", "nosuch.onnx", "person-segmentation:fast", "", "os:getcwd"):
        with pytest.raises(InputError):
            open_model(name)


def test_what_goes_wrong_while_loading_is_told_when_the_model_is_wanted():
    def fails():
        raise InputError("not installed", hint="reelwise models install person-segmentation")

    loading = Loading(fails, warm=False)
    with pytest.raises(InputError, match="not installed"):
        loading.model()


def test_a_model_is_warmed_up_where_that_is_wanted():
    called = []
    loading = Loading(lambda: called.append, warm=True)
    assert loading.model() == called.append
    assert called[0].shape == (64, 64, 3)


# what is loaded when


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, reelwise.live, reelwise.cli.live\n"
        "heavy = {'numpy', 'cv2', 'av', 'onnxruntime', 'msgspec'} & set(sys.modules)\n"
        "print(sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_loop_needs_no_video_package():
    code = (
        "import sys, reelwise\nreelwise.Adaptive\n"
        "print(sorted({'av', 'onnxruntime', 'sqlite3', 'altair'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# black


def test_black_is_black_whatever_the_size():
    assert is_black(np.zeros((1080, 1920, 3), np.uint8))
    assert is_black(np.full((16, 16, 3), 9, np.uint8))
    lit = np.zeros((480, 640, 3), np.uint8)
    lit[200:320, 260:380] = 90
    assert not is_black(lit)
