"""Scaling makes frames smaller, never larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.flow import Item
from reelwise.stages import Scale
from reelwise.stages.scale import fitted
from reelwise.tokens import rule_for

if TYPE_CHECKING:
    from collections.abc import Callable

sides = st.integers(1, 8000)


def frame(width: int, height: int) -> Item:
    return Item(count=1.0, seconds=1.0, frames=1.0, width_px=width, height_px=height)


@given(width=sides, height=sides, long_side=st.integers(16, 16384))
def test_frames_fit_keep_their_shape_and_never_grow(
    expect: Callable[..., Any], width: int, height: int, long_side: int
) -> None:
    (after,), out = expect(Scale(long_side=long_side), frame(width, height))
    assert 1 <= after.width_px <= width
    assert 1 <= after.height_px <= height
    assert max(after.width_px, after.height_px) == min(long_side, max(width, height))
    ratio = min(1.0, long_side / max(width, height))
    assert after.width_px == pytest.approx(width * ratio, abs=1)
    assert after.height_px == pytest.approx(height * ratio, abs=1)
    assert not out.usages


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5.4", "claude-opus-5-5", "gemini-2.5-pro", "gemini-3.8-flash"])
@given(width=st.integers(32, 4000), height=st.integers(32, 4000))
def test_fitting_to_tiles_never_costs_more_and_keeps_nine_tenths_of_a_side(
    expect: Callable[..., Any], model: str, width: int, height: int
) -> None:
    (after,), _ = expect(Scale(snap_model=model), frame(width, height))
    rule = rule_for(model)
    assert rule.image(after.width_px, after.height_px) <= rule.image(width, height)
    assert width * 0.9 - 1 <= after.width_px <= width
    assert height * 0.9 - 1 <= after.height_px <= height


def test_the_articles_frame_fits_one_tile_less(expect: Callable[..., Any]) -> None:
    (after,), _ = expect(Scale(snap_model="gpt-4o"), frame(912, 513))
    assert rule_for("gpt-4o").image(after.width_px, after.height_px) == 425


def test_nothing_asked_changes_nothing(expect: Callable[..., Any], item: Item) -> None:
    assert expect(Scale(), item)[0] == (item,)


@pytest.mark.parametrize(("size", "side", "expected"), [((1920, 1080), 854, (854, 480)), ((3, 4000), 16, (1, 16))])
def test_known_sizes(size: tuple[int, int], side: int, expected: tuple[int, int]) -> None:
    assert fitted(*size, side) == expected
