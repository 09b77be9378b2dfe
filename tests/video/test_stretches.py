from __future__ import annotations

from typing import Any

import pytest

from reelwise.errors import InputError
from reelwise.video import Demo, Track, active_seconds, frames_in, gate


def test_events_are_padded_joined_and_clipped(synthetic: Any) -> None:
    activity = [0.0] * 200
    for i in (*range(3, 8), *range(60, 70), *range(85, 95)):
        activity[i] = 0.02
    found = gate(synthetic(activity), pad_seconds=1.0, join_seconds=2.0)
    assert found == (pytest.approx((0.0, 1.8)), pytest.approx((5.0, 10.5)))
    apart = gate(synthetic(activity), pad_seconds=0.5, join_seconds=0.0)
    assert len(apart) == 3
    assert active_seconds(apart) == pytest.approx(0.8 + 0.3 + 0.2 + 2 + 2, abs=0.01)


def test_a_blink_is_dropped_and_a_weak_tail_kept(synthetic: Any) -> None:
    activity = [0.0] * 100
    activity[20] = 0.5
    activity[50:55] = [0.02] * 5
    activity[55:60] = [0.0007] * 5
    found = gate(synthetic(activity), pad_seconds=0.0, join_seconds=0.0)
    assert found == (pytest.approx((5.0, 6.0)),)


def test_unrest_that_is_always_there_is_floor_but_a_busy_scene_is_not(synthetic: Any) -> None:
    assert gate(synthetic([0.0008] * 100)) == ()
    assert gate(synthetic([0.2] * 100)) == ((0.0, 10.0),)


def test_settings_out_of_range(synthetic: Any) -> None:
    track = synthetic([0.0] * 10)
    for bad in ({"threshold": 2.0}, {"pad_seconds": -1.0}, {"join_seconds": -1.0}, {"minimum_seconds": -0.1}):
        with pytest.raises(InputError):
            gate(track, **bad)


def test_frames_of_stretches(synthetic: Any) -> None:
    track = synthetic([0.0] * 20)
    assert frames_in(track, [(0.5, 1.0), (1.95, 2.0), (7.0, 9.0)]) == [(5, 10)]


def test_the_drawn_clip_every_event_is_found_and_the_rest_is_quiet(demo: Demo, demo_track: Track) -> None:
    found = gate(demo_track)
    for event in demo.seen():
        covered = sum(max(0.0, min(stop, event.stop) - max(start, event.start)) for start, stop in found)
        assert covered >= 0.95 * (event.stop - event.start), event
    events = sum(event.stop - event.start for event in demo.seen())
    assert active_seconds(found) < events + 6.5 * len(demo.seen())
    assert active_seconds(found) < 0.75 * demo.seconds


def test_light_alone_is_no_event_in_the_drawn_clip(demo: Demo, demo_track: Track) -> None:
    cloud = 0.69 * demo.seconds
    near = (demo_track.times > cloud + 0.3) & (demo_track.times < cloud + 2.5)
    assert demo_track.activity[near].max() < 0.001
