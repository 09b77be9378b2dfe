"""Clips of many frames a second: some are measured, all have a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reelwise.video import gate, largest_skipped, track
from reelwise.video.motion import Motion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Watch:
    name = "watch"
    columns = ("at",)

    def __init__(self) -> None:
        self.times: list[float] = []

    def measure(self, grids: np.ndarray, times: np.ndarray) -> np.ndarray:
        assert len(grids) == len(times)
        self.times.extend(times.tolist())
        return times.astype(np.float32)[:, None]


def _passes(fps: int) -> Callable[[int, int, int], np.ndarray]:
    """A box that is there from 4.11 s to 5.53 s and moves all the while, whatever the frames a second."""

    def picture(index: int, width: int, height: int) -> np.ndarray[Any, Any]:
        shown = np.random.default_rng(3).integers(90, 110, (height, width, 3)).astype(np.uint8)
        time = index / fps
        if 4.11 <= time < 5.53:
            x = int((time - 4.11) * 40)
            shown[20:40, x : x + 24] = 220
        return shown

    return picture


@pytest.mark.parametrize(("fps", "most"), [(10, 10), (16, 16), (25, 12.5), (30, 15), (50, 50 / 3), (60, 15)])
def test_measured_frames_stand_for_those_after_them(fps: int, most: float, tmp_path: Path, write_clip: Any) -> None:
    watch = Watch()
    clip = write_clip(tmp_path / "a.mp4", frames=8 * fps, fps=fps, picture=_passes(fps))
    found = track(clip, signals=[watch])
    assert found.frames == 8 * fps
    assert np.allclose(found.times, np.arange(8 * fps) / fps, atol=1e-3)
    assert len(found.change) == len(found.activity) == len(found.boxes) == found.frames
    measured = np.isin(found.times, watch.times)
    assert measured.sum() == len(watch.times) == pytest.approx(8 * most, abs=1)
    row = np.flatnonzero(measured)[np.cumsum(measured) - 1]
    assert np.array_equal(found.extra["watch.at"], found.times[row].astype(np.float32))
    assert np.array_equal(found.activity, found.activity[row])
    assert np.array_equal(found.boxes, found.boxes[row])
    assert not found.change[~measured].any()
    ((start, stop),) = gate(found, pad_seconds=0)
    assert start == pytest.approx(4.11, abs=0.1)
    assert stop == pytest.approx(5.53, abs=0.1)
    assert measured[largest_skipped(found, np.zeros(0, np.int64))[0].frame]


def test_what_changed_in_between_is_carried_by_the_next(tmp_path: Path, write_clip: Any) -> None:
    sums = []
    for fps in (15, 60):
        clip = write_clip(tmp_path / f"{fps}.mp4", frames=8 * fps, fps=fps, picture=_passes(fps))
        sums.append(float(track(clip).change.sum()))
    assert sums[1] == pytest.approx(sums[0], rel=0.15)


def test_frames_at_uneven_times(tmp_path: Path, write_clip: Any) -> None:
    def stamp(index: int) -> int:  # bursts of ten frames 10 ms apart, two a second
        return index // 10 * 500 + index % 10 * 10

    watch = Watch()
    found = track(write_clip(tmp_path / "a.mkv", frames=60, stamps=stamp), signals=[watch])
    assert found.frames == 60
    assert np.diff(watch.times).min() > 0.059
    assert len(watch.times) == 12
    assert set(np.round(np.array(watch.times) % 0.5, 2)) == {0.0, 0.06}


def test_a_block_in_which_the_light_jumps_and_an_object_comes() -> None:
    rng = np.random.default_rng(4)
    still = np.kron(rng.integers(60, 160, (9, 16)), np.ones((10, 10)))
    frames = np.clip(still[None] + rng.normal(0, 1.5, (96, 90, 160)), 0, 255)
    frames[48:] = frames[48:] * 1.15 + 8
    frames[60:, 30:50, 30:50] = 250
    grids = np.clip(frames, 0, 255).astype(np.uint8)
    found = Motion().measure(grids, np.arange(96) / 12.5)
    assert found[:60, 1].max() < 0.002
    assert found[62:90, 1] == pytest.approx(400 / 14400, rel=0.4)
