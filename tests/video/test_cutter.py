"""Clips cut to what a model is to see."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reelwise.errors import MediaError, OutputError
from reelwise.sandbox.clips import clip_size
from reelwise.sandbox.pictures import picture_size
from reelwise.video import pictures, probe
from reelwise.video.cutter import Cut, cut_clip, cut_sound, framed, picture_jpeg, sheet_of, slides

CUT = Cut(width=160, height=90)


@pytest.mark.parametrize("stretches", [[(0.0, 12.0)], [(1.0, 4.33), (6.0, 9.0)], [(2.25, 2.95)]])
def test_stretches_are_joined_to_their_length_with_their_sound(stretches, drawn_clip, tmp_path):
    target = tmp_path / "cut.mp4"
    cut_clip(drawn_clip, target, stretches=stretches, cut=CUT, sound=True)
    found, total = clip_size(target), sum(b - a for a, b in stretches)

    assert (found.width, found.height) == (160, 90)
    assert math.ceil(found.seconds - 1e-9) == math.ceil(total - 1e-9)
    assert found.seconds == pytest.approx(total, abs=0.11)
    assert found.sound_seconds == pytest.approx(total, abs=0.1)


def test_without_sound_there_is_none(drawn_clip, tmp_path):
    target = tmp_path / "cut.mp4"
    cut_clip(drawn_clip, target, stretches=[(0.0, 3.0)], cut=CUT, sound=False)

    assert clip_size(target).sound_seconds == 0


def test_chosen_frames_become_a_clip_with_one_a_second_and_look_the_same(drawn_clip, tmp_path):
    target, times = tmp_path / "slides.mp4", [0.0, 5.0, 11.0]
    slides(str(drawn_clip), target, times=times, cut=Cut(width=320, height=180))
    shown = [rgb for _, rgb in pictures(target, [0.0, 1.0, 2.0], long_side=320)]
    own = [rgb for _, rgb in pictures(drawn_clip, times, long_side=320)]

    assert clip_size(target).seconds == 3.0
    assert all(np.abs(a.astype(int) - b).mean() < 6 for a, b in zip(shown, own, strict=True))


def test_a_region_is_the_region(drawn_clip):
    ((_, rgb),) = pictures(drawn_clip, [1.0], long_side=320)
    part = framed(rgb, Cut(box=(0.25, 0.5, 0.75, 1.0), width=160, height=90))

    assert np.array_equal(part, rgb[90:180, 80:240])


@pytest.mark.parametrize("size", [(64, 36), (101, 57), (1, 1), (33, 2)])
def test_pictures_keep_their_size_odd_sides_too(size):
    width, height = size
    data = picture_jpeg(np.full((height, width, 3), 90, np.uint8))

    assert picture_size(data) == size


def test_a_sheet_holds_its_frames_row_by_row():
    frames = [np.full((20, 30, 3), value, np.uint8) for value in (10, 90, 170)]
    sheet = sheet_of(frames, columns=2, rows=2, width=60, height=40)

    assert [int(sheet[10, 15, 0]), int(sheet[10, 45, 0]), int(sheet[30, 15, 0]), int(sheet[30, 45, 0])] == [
        10,
        90,
        170,
        0,
    ]


def test_sound_alone(drawn_clip, tmp_path):
    seconds = cut_sound(drawn_clip, tmp_path / "s.wav", [(0.0, 2.5), (5.0, 6.0)])

    assert seconds == pytest.approx(3.5, abs=0.02)
    assert clip_size(tmp_path / "s.wav").sound_seconds == pytest.approx(seconds)


def test_a_source_without_pictures_there_and_a_folder_that_is_not(drawn_clip, tmp_path):
    with pytest.raises(MediaError, match="no picture in these stretches"):
        cut_clip(drawn_clip, tmp_path / "x.mp4", stretches=[(50.0, 60.0)], cut=CUT, sound=False)
    with pytest.raises(OutputError):
        cut_clip(drawn_clip, tmp_path / "none" / "x.mp4", stretches=[(0.0, 1.0)], cut=CUT, sound=False)
    assert not list(tmp_path.glob("*.mp4"))
    assert probe(drawn_clip).seconds == 12.0
