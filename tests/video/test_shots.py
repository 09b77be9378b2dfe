"""Shots: cuts and fades are found, and what only moves, flashes or changes its light is none."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.video import shots, track

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FPS = 12


def scene(seed: int, width: int, height: int) -> np.ndarray[Any, Any]:
    """Blocks of light and shade, other ones for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 215, (6, 8))
    picture = np.kron(coarse, np.ones((height // 6 + 1, width // 8 + 1)))[:height, :width]
    return np.repeat(picture[..., None], 3, axis=2).astype(np.uint8)


def starts(path: Path) -> list[float]:
    found = shots(track(path, audio=False))
    assert found[0].start == 0
    assert all(one.stop == other.start for one, other in pairwise(found))
    return [shot.start for shot in found[1:]]


def write(write_clip: Callable[..., Path], path: Path, picture: Callable[[int, int, int], Any], frames: int) -> Path:
    return write_clip(path, picture=picture, frames=frames, width=160, height=96, fps=FPS, gop=48)


def test_cuts_are_found_where_they_are(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    cuts = (10, 31, 36, 60)

    def picture(index: int, width: int, height: int) -> Any:
        moved = scene(sum(index >= cut for cut in cuts), width, height)
        return np.roll(moved, index, axis=1)  # it moves all the time, too

    found = starts(write(write_clip, tmp_path / "a.mp4", picture, 72))
    assert found == pytest.approx([cut / FPS for cut in cuts], abs=1e-6)


def test_a_montage_is_parted_at_every_cut(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    def picture(index: int, width: int, height: int) -> Any:
        return np.roll(scene(index // 3 if 12 <= index < 36 else index // 36 + 50, width, height), index, axis=1)

    found = starts(write(write_clip, tmp_path / "a.mp4", picture, 60))
    assert found == pytest.approx([index / FPS for index in range(12, 37, 3)], abs=1e-6)


def test_a_fade_through_black_parts_two_shots_and_a_long_black_is_one(
    write_clip: Callable[..., Path], tmp_path: Path
) -> None:
    def picture(index: int, width: int, height: int) -> Any:
        if 60 <= index < 90:
            return np.full((height, width, 3), 16, np.uint8)
        light = min(1.0, abs(index - 30) / 8) if index < 60 else 1.0
        return (scene(int(index >= 30) + 2 * int(index >= 60), width, height) * light).astype(np.uint8)

    path = write(write_clip, tmp_path / "a.mp4", picture, 110)
    found = shots(track(path, audio=False))
    assert [round(shot.start, 1) for shot in found] == [0.0, pytest.approx(2.5, abs=0.2), 5.0, 7.5]
    assert [shot.flat for shot in found] == [False, False, True, False]


def test_light_a_flash_and_a_pan_are_no_cuts(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    wide = scene(3, 1600, 96)

    def light(index: int, width: int, height: int) -> Any:
        return (scene(1, width, height) * (0.4 if index >= 20 else 1.0)).astype(np.uint8)

    def flash(index: int, width: int, height: int) -> Any:
        return scene(2, width, height) if index == 20 else scene(1, width, height)

    def pan(index: int, width: int, height: int) -> Any:
        return wide[:height, 12 * index : 12 * index + width]

    for name, picture in (("light", light), ("flash", flash), ("pan", pan)):
        assert starts(write(write_clip, tmp_path / f"{name}.mp4", picture, 48)) == [], name


def test_the_project_s_own_clip_is_one_shot(demo_track: Any) -> None:
    assert len(shots(demo_track)) == 1


def test_a_track_of_numbers_alone_says_so(synthetic: Any) -> None:
    with pytest.raises(InputError, match="not measured"):
        shots(synthetic([0.0] * 5))


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("skv_bikes.mp4", [1.2, 3.04, 5.52, 7.52, 9.68]),
        ("tc_nasa_13013.mp4", [8.08]),
        ("intel_one-by-one_first60s.mp4", []),
        ("intel_car-detection.mp4", []),
        ("mdn_rabbit320.mp4", []),
        ("mdn_crystal.mp4", []),
        ("dvr_brightness_change.avi", []),
        ("intel_asl_walk.mkv", []),
    ],
)
def test_real_clips(name: str, cuts: list[float], shared_clips: Path) -> None:
    assert starts(shared_clips / name) == pytest.approx(cuts, abs=0.09)


def test_a_trailer_with_titles_and_a_fade(shared_clips: Path) -> None:
    found = starts(shared_clips / "videohash_rocket.mkv")
    wanted = [0.47, 1.0, 5.87, 7.74, 11.61, 15.48, 19.29, 23.16, 26.96, 30.83, 34.63, 38.51]
    assert all(min(abs(one - other) for other in found) < 0.09 for one in wanted)
    assert len(found) <= 19, "beside these, titles that change and the fade at the end"
