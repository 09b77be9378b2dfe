from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.video import Box, activity_box, box_pixels, detector_box, polygon_box


def test_box_of_activity(synthetic: Any) -> None:
    track = synthetic([0.02] * 100)
    assert activity_box(track, [(0, 10)], margin=0.0) == Box(0.25, 30 / 90, 0.5, 60 / 90)
    wide = activity_box(track, [(0, 10)], margin=0.5)
    assert wide == Box(0.0, 0.0, 1.0, 1.0)
    assert activity_box(synthetic([0.0] * 10), [(0, 1)]) is None
    assert activity_box(track, []) is None


def test_coverage_leaves_outliers_out_and_holds(synthetic: Any) -> None:
    track = synthetic([0.02] * 200)
    track.boxes[7] = (0, 0, 160, 90)
    assert activity_box(track, [(0, 20)], margin=0, coverage=0.98) == Box(0.25, 30 / 90, 0.5, 60 / 90)
    assert activity_box(track, [(0, 20)], margin=0, coverage=1.0) == Box(0.0, 0.0, 1.0, 1.0)
    rng = np.random.default_rng(1)
    near = rng.integers(0, 60, (200, 2))
    track.boxes[:] = np.concatenate((near, near + rng.integers(5, 28, (200, 2))), axis=1)
    box = activity_box(track, [(0, 20)], margin=0, coverage=0.9)
    assert box is not None
    inside = (
        (track.boxes[:, 0] >= box.left * 160 - 1e-6) & (track.boxes[:, 1] >= box.top * 90 - 1e-6)
        & (track.boxes[:, 2] <= box.right * 160 + 1e-6) & (track.boxes[:, 3] <= box.bottom * 90 + 1e-6)
    )  # fmt: skip
    assert 0.9 <= inside.mean() < 1.0


def test_box_of_a_zone() -> None:
    assert polygon_box([(0.1, 0.2), (0.6, 0.1), (0.5, 0.9)]) == Box(0.1, 0.1, 0.6, 0.9)
    for bad in ([(0, 0), (1, 1)], [(0, 0), (2, 1), (1, 1)], [(0, 0), (0, 0.5), (0, 1)]):
        with pytest.raises(InputError):
            polygon_box(bad)


def test_box_of_a_detector() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    seen = []

    def find(rgb: np.ndarray) -> list[tuple[float, ...]]:
        seen.append(rgb.shape)
        return [(20, 10, 60, 50)] if len(seen) == 1 else [(100, 40, 120, 90)]

    assert detector_box(find, [picture, (1.5, picture)], margin=0.0) == Box(0.1, 0.1, 0.6, 0.9)
    assert seen == [(100, 200, 3)] * 2
    assert detector_box(lambda _: [], [picture]) is None
    with pytest.raises(InputError, match="detector"):
        detector_box(lambda _: [(1, 2)], [picture])


def test_pixels_are_multiples_that_hold_the_box() -> None:
    assert box_pixels(Box(0.1, 0.1, 0.5, 0.5), 100, 100) == (10, 10, 50, 50)
    assert box_pixels(Box(0.11, 0.11, 0.49, 0.49), 100, 100, 16) == (0, 0, 64, 64)
    assert box_pixels(Box(0.0, 0.0, 1.0, 1.0), 1919, 1079) == (0, 0, 1918, 1078)
    assert box_pixels(Box(0.999, 0.999, 1.0, 1.0), 100, 100, 16) == (80, 80, 96, 96)
    rng = np.random.default_rng(2)
    for _ in range(200):
        left, right = np.sort(rng.random(2))
        top, bottom = np.sort(rng.random(2))
        x0, y0, x1, y1 = box_pixels(Box(float(left), float(top), float(right), float(bottom)), 640, 360, 8)
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 360
        assert {x0 % 8, y0 % 8, x1 % 8, y1 % 8} == {0}
        assert x0 <= left * 640 + 1e-6
        assert x1 >= right * 640 - 1e-6
    with pytest.raises(InputError):
        box_pixels(Box(0.5, 0.5, 0.4, 0.6), 100, 100)
