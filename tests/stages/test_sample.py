"""Sampling bounds the frames by a rate, and by what was measured under just these settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.evidence import MEASURED, Fact
from reelwise.facts import Entry, Facts, settings_hash
from reelwise.flow import Item, Out
from reelwise.stages import Sample

if TYPE_CHECKING:
    from collections.abc import Callable


@given(fps=st.floats(0.01, 240), seconds=st.floats(0.1, 1e4), rate=st.floats(0.1, 120))
def test_never_more_frames_than_there_are_nor_than_the_rate_allows(
    expect: Callable[..., Any], fps: float, seconds: float, rate: float
) -> None:
    one = Item(count=1.0, seconds=seconds, frames=seconds * rate, width_px=10, height_px=10)
    (after,), out = expect(Sample(fps=fps), one)
    assert after.frames <= one.frames
    assert after.frames < seconds * fps + 1
    assert after.sampled
    assert not out.usages, "choosing by the clock needs no look at the picture"


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_many_rates_at_once_are_each_rate_alone(expect: Callable[..., Any], rates: list[float]) -> None:
    one = Item(count=1.0, seconds=61.7, frames=1800.0, width_px=10, height_px=10)
    (after,), _ = expect(Sample(fps=np.array(rates)[:, None]), one)
    alone = [expect(Sample(fps=rate), one)[0][0].frames for rate in rates]
    assert after.frames[:, 0].tolist() == alone


def test_adaptive_pays_for_looking_and_takes_what_changed(expect: Callable[..., Any], item: Item) -> None:
    (after,), out = expect(Sample(adaptive=True), item, sample__frames_per_second=0.25)
    assert after.frames == 16, "the first frame, and one every four seconds"
    assert len(out.usages) == 1
    (bounded,), _ = expect(Sample(adaptive=True), item, sample__frames_per_second=9.0)
    assert bounded.frames == 61, "never over the rate, but for the first frame"


def test_a_uniform_rate_is_measured_under_exactly_these_settings_or_is_arithmetic(item: Item) -> None:
    stage = Sample(fps=0.5)
    entry = Entry(
        name="sample.uniform_frames_per_second", settings=settings_hash(stage), prefix="behind a gate", source_class="doors",
        fact=Fact(value=0.4, kind="measured"),
    )  # fmt: skip
    out = Out(None, None)  # type: ignore[arg-type] - nothing is billed
    out.prefix = lambda: "behind a gate"
    (exact,) = stage.expect(item, Facts([entry]), out)
    (other,) = Sample(fps=0.25).expect(item, Facts([entry]), out)
    assert exact.frames == pytest.approx(25), "the first frame, and 0.4 a second"
    assert other.frames == 15
    assert other.basis & MEASURED == 0
