from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reelwise.video import Signal, track

if TYPE_CHECKING:
    from pathlib import Path


class Brightness:
    name = "brightness"
    columns = ("mean", "spread")

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def measure(self, grids: np.ndarray, times: np.ndarray) -> np.ndarray:
        self.shapes.append(grids.shape)
        assert len(times) == len(grids)
        return np.stack((grids.mean(axis=(1, 2)), grids.std(axis=(1, 2))), axis=1).astype(np.float32)


def test_further_signals_ride_along(box_clip: Path) -> None:
    signal: Signal = Brightness()
    found = track(box_clip, signals=[signal])
    assert {"brightness.mean", "brightness.spread"} <= set(found.extra)
    assert len(found.extra["brightness.mean"]) == found.frames
    assert found.extra["brightness.mean"][30] > found.extra["brightness.mean"][0] + 3
    assert sum(shape[0] for shape in signal.shapes) == found.frames
    assert {shape[1:] for shape in signal.shapes} == {(64, 96)}
    assert set(found.cpu_seconds) == {"decode", "luma", "signals", "audio"}
    assert found.cpu_seconds["decode"] > 0
    assert found.interval() == pytest.approx(0.1)
