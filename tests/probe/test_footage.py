from __future__ import annotations

import pytest

from reelwise.errors import InputError, MediaError
from reelwise.probe.footage import footage_of


def test_the_end_of_a_clip_is_held_back(drawn_clip):
    found = footage_of([drawn_clip], frames=60, hold=0.25)

    assert (len(found.used), len(found.held)) == (45, 15)
    assert found.held[0].shape == (180, 320, 3)
    assert found.held_is == "the last 25% of each clip"
    assert found.seconds == pytest.approx(12, abs=0.2)
    assert [name for name, _ in found.clips] == [drawn_clip.name]


def test_other_clips_are_held_back(drawn_clip, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(drawn_clip.read_bytes())
    found = footage_of([drawn_clip], hold_clips=[other], frames=30)

    assert (len(found.used), len(found.held)) == (30, 30)
    assert found.held_is == "1 other clips"


def test_frames_are_no_more_than_there_are(drawn_clip):
    found = footage_of([drawn_clip], frames=3000)

    assert len(found.used) + len(found.held) == 120


@pytest.mark.parametrize(
    ("wrong", "says"), [({"hold": 0.99}, "held back"), ({"frames": 5}, "5 frames"), ({"frames": 4000}, "4000 frames")]
)
def test_out_of_range(drawn_clip, wrong, says):
    with pytest.raises(InputError, match=says):
        footage_of([drawn_clip], **wrong)


def test_too_short_a_clip_says_so(tmp_path):
    from reelwise import video

    short = tmp_path / "short.mp4"
    video.draw_demo(short, seconds=2, width=64, height=36, fps=10)
    with pytest.raises(InputError, match="too few"):
        footage_of([short])


def test_no_clip(tmp_path):
    with pytest.raises(MediaError):
        footage_of([tmp_path / "nowhere.mp4"])
