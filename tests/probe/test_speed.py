from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.probe.speed import side_by_side


class Waits:
    """A model that takes its time, on the wall's clock."""

    def __init__(self, name, seconds, calls):
        self.name, self._seconds, self._calls = name, seconds, calls

    def __call__(self, frame):
        self._calls.append((self.name, int(frame[0, 0, 0])))
        time.sleep(self._seconds)
        return np.zeros((2, 2), np.float32)


FRAMES = [np.full((2, 2, 3), number, np.uint8) for number in range(5)]


def test_both_are_timed_in_turn_on_the_same_frames():
    calls = []
    found = side_by_side(Waits("slow", 0.03, calls), Waits("fast", 0.003, calls), FRAMES, seconds=0.1, clock="wall")

    assert found.rounds == 12  # so many at least, however long they take
    assert found.ratio > 1.5
    assert found.low <= found.ratio <= found.high
    assert found.teacher_ms >= 30
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
