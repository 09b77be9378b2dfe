from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.probe import speed as timing
from reelwise.probe.speed import side_by_side


class Waits:
    """A model that takes its time, on the wall's clock."""

    def __init__(self, name, seconds, calls):
        self.name, self._seconds, self._calls = name, seconds, calls

    def __call__(self, frame):
        self._calls.append((self.name, int(frame[0, 0, 0])))
        self._wait()
        return np.zeros((2, 2), np.float32)

    def _wait(self):
        time.sleep(self._seconds)


FRAMES = [np.full((2, 2, 3), number, np.uint8) for number in range(5)]


def test_both_are_timed_in_turn_on_the_same_frames(monkeypatch):
    """By a clock of the test's own, which only the models move."""
    now, calls = [0.0], []
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0], thread_time=lambda: now[0]))

    class Moves(Waits):
        def _wait(self):
            now[0] += self._seconds

    found = side_by_side(Moves("slow", 0.03, calls), Moves("fast", 0.003, calls), FRAMES, seconds=0.1, clock="wall")

    assert found.rounds == 12  # so many at least, however long they take
    assert found.ratio == found.low == found.high == 10.0
    assert (found.teacher_ms, found.student_ms) == (30.0, 3.0)
    names = [name for name, _ in calls]
    changes = sum(a != b for a, b in itertools.pairwise(names))
    assert changes >= 12
    frames = {name: {frame for one, frame in calls if one == name} for name in ("slow", "fast")}
    assert frames["slow"] == frames["fast"] == {0, 1, 2, 3, 4}


def test_sleeping_costs_no_processor():
    found = side_by_side(Waits("one", 0.005, []), Waits("two", 0.005, []), FRAMES, seconds=0.05)

    assert found.clock == "cpu"
    assert found.teacher_ms < 5


def test_nothing_to_time():
    with pytest.raises(InputError):
        side_by_side(Waits("one", 0, []), Waits("two", 0, []), [])
