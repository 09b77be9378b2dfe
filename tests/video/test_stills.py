from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reelwise.errors import InputError, MediaError
from reelwise.video import pictures, track

if TYPE_CHECKING:
    from pathlib import Path


def ramp(index: int, width: int, height: int) -> np.ndarray:
    """A picture whose brightness tells its number, with a bright corner at the top left."""
    picture = np.full((height, width, 3), 20 + index, np.uint8)
    picture[: height // 4, : width // 4] = 250
    return picture


def number(picture: np.ndarray) -> float:
    height, width = picture.shape[:2]
    return float(picture[height // 3 : -height // 3, width // 3 : -width // 3].mean()) - 20


@pytest.mark.parametrize("gop", [10, 200])
def test_pictures_are_the_ones_on_screen(tmp_path: Path, gop: int, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "ramp.mp4", frames=200, gop=gop, picture=ramp)
    times = [0.0, 0.35, 12.0, 3.3, 19.9, 500.0, 12.0]
    found = pictures(clip, times)
    assert [round(time, 3) for time, _ in found] == [0.0, 0.3, 12.0, 3.3, 19.9, 19.9, 12.0]
    for time, picture in found:
        assert number(picture) == pytest.approx(time * 10, abs=2.5)
        assert picture.shape == (64, 96, 3)


def test_times_of_a_track_give_its_frames(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "vfr.mkv", frames=90, picture=ramp, stamps=lambda i: 700 + i * 100 + (i % 3) * 30)
    found = track(clip)
    picks = [0, 1, 44, 45, 89]
    for (time, picture), index in zip(pictures(clip, [float(found.times[i]) for i in picks]), picks, strict=True):
        assert time == pytest.approx(found.times[index], abs=1e-3)
        assert number(picture) == pytest.approx(index, abs=2.5)


def test_a_stream_that_cannot_be_jumped_in(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "raw.h264", container="h264", frames=120, fps=10, picture=ramp)
    last = track(clip)
    (time, picture), (_, second) = pictures(clip, [float(last.times[100]), float(last.times[3])])
    assert time == pytest.approx(last.times[100])
    assert number(picture) == pytest.approx(100, abs=2.5)
    assert number(second) == pytest.approx(3, abs=2.5)


def test_repaired_stamps_mean_the_same_frames(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(
        tmp_path / "jump.mkv", frames=60, picture=ramp, stamps=lambda i: i * 100 + (9_000_000 if i >= 30 else 0)
    )
    found = track(clip)
    for (_, picture), index in zip(pictures(clip, [float(found.times[i]) for i in (10, 50)]), (10, 50), strict=True):
        assert number(picture) == pytest.approx(index, abs=2.5)


def test_pictures_are_upright_and_fitted(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "turned.mp4", width=192, height=128, rotation=90, picture=ramp, frames=5)
    ((_, picture),) = pictures(clip, [0.0], long_side=96)
    assert picture.shape == (96, 64, 3)
    assert picture[-12:, :8].mean() > 200  # the top left corner, turned counter-clockwise
    assert picture[:12, :8].mean() < 100


def test_bad_input(tmp_path: Path, box_clip: Path) -> None:
    assert pictures(box_clip, []) == []
    with pytest.raises(InputError):
        pictures(box_clip, [-1.0])
    with pytest.raises(MediaError):
        pictures(tmp_path / "none.mp4", [0.0])
