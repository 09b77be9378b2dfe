"""Stages that are a line of arithmetic each: audio, prompt, pack, crop, escalate, keep, send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.flow import Item
from reelwise.stages import Audio, Crop, Escalate, Keep, Pack, Prompt, Send

if TYPE_CHECKING:
    from collections.abc import Callable


def test_dropping_sound_wins_over_trimming_it(expect: Callable[..., Any], item: Item) -> None:
    def left(stage: Audio) -> float:
        return float(expect(stage, item, audio__speech_share=0.4)[0][0].audio_seconds)

    assert left(Audio()) == 60
    assert left(Audio(trim_silence=True)) == 24
    assert left(Audio(keep=False)) == left(Audio(keep=False, trim_silence=True)) == 0


@given(st.none() | st.floats(0, 1e4), st.none() | st.floats(0, 1e4), st.none() | st.floats(0, 1e4))
def test_caps_lower_and_never_raise(
    expect: Callable[..., Any], prefix: float | None, question: float | None, output: float | None
) -> None:
    one = Item(
        count=1.0, seconds=1.0, frames=1.0, width_px=9, height_px=9, tokens_prefix=100.0, tokens_prompt=50.0,
        tokens_output=20.0,
    )  # fmt: skip
    (after,), _ = expect(Prompt(prefix=prefix, question=question, output=output), one)
    assert after.tokens_prefix == (100 if prefix is None else min(100, prefix))
    assert after.tokens_prompt == (50 if question is None else min(50, question))
    assert after.tokens_output == (20 if output is None else min(20, output))


@given(st.integers(1, 8), st.integers(1, 8), st.integers(64, 4096), st.integers(0, 5000))
def test_sheets_hold_every_frame(
    expect: Callable[..., Any], columns: int, rows: int, long_side: int, frames: int
) -> None:
    one = Item(count=1.0, seconds=10.0, frames=float(frames), width_px=640, height_px=360, sampled=True)
    (after,), _ = expect(Pack(columns=columns, rows=rows, long_side=long_side), one)
    assert after.frames * columns * rows >= frames > (after.frames - 1) * columns * rows or frames == 0
    assert after.sheet == columns * rows
    assert max(after.width_px, after.height_px) <= long_side or columns * rows == 1
    assert after.width_px <= 640 * columns
    assert after.height_px <= 360 * rows


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6), st.sampled_from([1, 2, 16, 28]))
def test_a_fixed_crop_covers_its_polygon_and_no_more_than_the_frame(
    expect: Callable[..., Any], polygon: list[tuple[float, float]], multiple: int
) -> None:
    one = Item(count=1.0, seconds=1.0, frames=1.0, width_px=640, height_px=360)
    stage = Crop(mode="fixed", polygon=tuple(polygon), multiple=multiple)
    if stage._fixed() is None:
        return
    (after,), out = expect(stage, one)
    wide = max(x for x, _ in polygon) - min(x for x, _ in polygon)
    high = max(y for _, y in polygon) - min(y for _, y in polygon)
    # whole pixels at both ends: up to one more than the sides' lengths
    assert wide * 640 - 1e-6 <= after.width_px <= min(640, wide * 640 + multiple + 1 + 1e-6)
    assert high * 360 - 1e-6 <= after.height_px <= min(360, high * 360 + multiple + 1 + 1e-6)
    assert not out.usages


def test_a_crop_to_activity_looks_first(expect: Callable[..., Any], item: Item) -> None:
    (after,), out = expect(Crop(), item, crop__width_share=0.5, crop__height_share=0.25)
    assert (after.width_px, after.height_px) == (960, 270)
    assert len(out.usages) == 1
    (again,), second = expect(Crop(), replace(item, decoded=True), crop__area_share=0.25)
    assert (again.width_px, again.height_px) == (960, 540)
    assert not second.usages, "what is decoded is not decoded again"


def test_doubt_passes_on_its_share_and_answers_the_rest(expect: Callable[..., Any], item: Item) -> None:
    (passed,), _ = expect(Escalate(to="hard"), item, escalate__doubt_share=0.2)
    assert passed.count == pytest.approx(24)
    assert passed.lane == "hard"
    shares = np.array([[0.0], [1.0]])
    (drawn,), _ = expect(Escalate(), item, escalate__doubt_share=shares)
    assert drawn.count.tolist() == [[0.0], [120.0]]


def test_storage_is_of_each_item_once_and_egress_of_each_time_it_is_sent(
    expect: Callable[..., Any], item: Item
) -> None:
    _, kept = expect(Keep(days=365 / 12 * 2, share=0.5), item)
    _, sent = expect(Send(), item)
    assert kept.usages[0].quantity == pytest.approx(120 / 3 * 30 / 1000 * 0.5 * 2)
    assert sent.usages[0].quantity == pytest.approx(120 * 30 / 1000)
