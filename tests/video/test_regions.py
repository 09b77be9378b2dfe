from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.tokens import rule_for
from reelwise.video import (
    Box,
    activity_box,
    box_pixels,
    cheapest_sides,
    crop_region,
    detector_box,
    polygon_box,
)
from reelwise.video.snapping import reach


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
        with pytest.raises(InputError, match=r"corner|area") as error:
            polygon_box(bad, where="zone")
        assert error.value.where == "zone"
        assert "corners x,y as fractions" in error.value.hint


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


@settings(deadline=None)
@given(
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    size=st.tuples(st.integers(16, 4000), st.integers(16, 4000)),
    margin=st.floats(0, 0.5),
    multiple=st.sampled_from((1, 2, 8, 28)),
    model=st.sampled_from(("gpt-4o", "gpt-5.4", "gemini-2.5-pro", "gemini-3-pro-preview", "claude-opus-4-6")),
)
def test_a_region_holds_its_box_lies_in_the_picture_and_never_costs_more(
    corners: tuple[float, ...], size: tuple[int, int], margin: float, multiple: int, model: str
) -> None:
    (left, right), (top, bottom) = sorted(corners[:2]), sorted(corners[2:])
    if right - left < 1e-3 or bottom - top < 1e-3:
        return
    tokens = rule_for(model).image
    region = crop_region(Box(left, top, right, bottom), *size, tokens, margin=margin, multiple=multiple)
    assert 0 <= region.left < region.right <= size[0]
    assert 0 <= region.top < region.bottom <= size[1]
    assert region.left <= max(0.0, left - margin) * size[0] + 1e-6
    assert region.top <= max(0.0, top - margin) * size[1] + 1e-6
    assert region.right >= min(1.0, right + margin) * size[0] - 1e-6
    assert region.bottom >= min(1.0, bottom + margin) * size[1] - 1e-6
    assert region.tokens == tokens(region.right - region.left, region.bottom - region.top)
    assert region.tokens <= region.tokens_whole == tokens(*size)
    assert region.tokens <= region.tokens_unsnapped
    assert region.saves == (region.tokens < region.tokens_whole)
    if region.tokens == region.tokens_unsnapped:  # a tie with what was asked for: nothing is added to it
        (near, far), (above, below) = (
            reach(left - margin, right + margin, size[0]),
            reach(top - margin, bottom + margin, size[1]),
        )
        assert region.right - region.left < far - near + multiple
        assert region.bottom - region.top < below - above + multiple
    region.box.check()


def test_a_region_says_what_it_saves() -> None:
    gemini = rule_for("gemini-2.5-pro").image
    strip = crop_region(Box(0.1, 0.6, 0.6, 0.85), 1920, 1080, gemini, margin=0.05)
    assert (strip.tokens, strip.tokens_unsnapped, strip.tokens_whole) == (1032, 2580, 1548)
    assert strip.saves
    nothing = crop_region(None, 1920, 1080, gemini)
    assert (nothing.left, nothing.top, nothing.right, nothing.bottom) == (0, 0, 1920, 1080)
    assert not nothing.saves


def test_on_a_tie_the_smallest_region_is_taken() -> None:
    flat = crop_region(Box(0.4, 0.4, 0.5, 0.5), 1920, 1080, lambda _, __: 85)
    assert (flat.left, flat.top, flat.right, flat.bottom) == (768, 432, 960, 540)
    assert (flat.tokens, flat.tokens_whole, flat.saves) == (85, 85, False)
    gemini = rule_for("gemini-2.5-pro").image
    nearly = crop_region(Box(0, 0, 1, 0.9), 1920, 1080, gemini)
    assert nearly.bottom - nearly.top < 1080
    assert nearly.tokens == nearly.tokens_whole
    assert not nearly.saves


def test_regions_out_of_range_are_refused() -> None:
    gemini = rule_for("gemini-2.5-pro").image
    with pytest.raises(InputError, match="margin"):
        crop_region(Box(0, 0, 1, 1), 100, 100, gemini, margin=0.6)
    with pytest.raises(InputError, match="no size"):
        cheapest_sides((10, 10), (9, 20), gemini)
