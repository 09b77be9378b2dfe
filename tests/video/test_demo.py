from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from reelwise.errors import InputError
from reelwise.video import Demo, Track, draw_demo, pictures, probe

if TYPE_CHECKING:
    from pathlib import Path


def test_clip_is_as_announced(demo: Demo, demo_track: Track) -> None:
    info = probe(demo.path)
    assert (info.width, info.height, info.fps, info.codec, info.rotation) == (320, 180, 10.0, "h264", 0)
    assert info.seconds == pytest.approx(demo.seconds, abs=0.1)
    assert info.audio_seconds == pytest.approx(demo.seconds, abs=0.2)
    assert demo_track.frames == 300
    assert not demo_track.notes
    assert demo.active_share() < 0.2
    assert [event.start for event in demo.events] == sorted(event.start for event in demo.events)
    assert all(0 <= event.start < event.stop <= demo.seconds for event in demo.events)


def test_equal_arguments_give_equal_bytes(tmp_path: Path) -> None:
    sums = set()
    for name in ("a.mp4", "b.mp4"):
        draw_demo(tmp_path / name, seconds=2, width=160, height=90, fps=5)
        sums.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(sums) == 1
    draw_demo(tmp_path / "c.mp4", seconds=2, width=160, height=90, fps=5, seed=8)
    assert hashlib.sha256((tmp_path / "c.mp4").read_bytes()).hexdigest() not in sums


def test_the_parcel_stays_and_the_car_goes(demo: Demo) -> None:
    events = {event.name: event for event in demo.seen()}
    parked = (events["car arrives"].stop + events["person leaves a parcel"].start) / 2
    before, with_car, end = (
        picture.astype(int) for _, picture in pictures(demo.path, [0.5, parked, demo.seconds - 0.5])
    )

    def redness(picture: object) -> float:
        part = picture[130:145, 140:190]  # type: ignore[index]
        return float((part[..., 0] - part[..., 1]).mean())

    assert redness(with_car) > redness(before) + 30
    assert redness(end) < redness(before) + 10
    parcel = (slice(121, 127), slice(160, 170))
    assert (end[parcel][..., 0] - end[parcel][..., 2]).mean() > (
        before[parcel][..., 0] - before[parcel][..., 2]
    ).mean() + 20


def test_arguments_out_of_range(tmp_path: Path) -> None:
    for bad in ({"seconds": 1}, {"width": 101}, {"height": 20}, {"fps": 0}):
        with pytest.raises(InputError):
            draw_demo(tmp_path / "x.mp4", **bad)
    assert not (tmp_path / "x.mp4").exists()
