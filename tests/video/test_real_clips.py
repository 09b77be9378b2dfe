from __future__ import annotations

from pathlib import Path

import pytest

from reelwise.video import gate, track

CLIPS = Path(__file__).resolve().parents[2].parent / "shared" / "clips"

pytestmark = pytest.mark.skipif(not CLIPS.exists(), reason="the real clips are not beside this checkout")


def near(found: tuple[tuple[float, float], ...], truth: list[tuple[float, float]], slack: float) -> bool:
    """Each event seen in the pictures lies in a stretch, and no stretch goes far beyond its events."""
    inside = all(any(a <= start + 0.5 and b >= stop - 0.5 for a, b in found) for start, stop in truth)
    tight = all(any(a >= start - slack and b <= stop + slack for start, stop in truth) for a, b in found)
    return inside and tight


def test_three_cars_pass() -> None:
    found = gate(track(CLIPS / "intel_car-detection.mp4"))
    assert near(found, [(4.4, 8.6), (14.2, 18.8), (25.2, 27.8)], slack=4.0), found
    assert len(found) == 3


def test_a_change_of_light_alone_is_no_event() -> None:
    assert gate(track(CLIPS / "dvr_brightness_change.avi")) == ()


def test_people_enter_and_leave() -> None:
    found = gate(track(CLIPS / "intel_one-by-one_first60s.mp4"))
    assert found[0][0] == pytest.approx(5.5, abs=1.5)  # the room is empty before
    assert all(any(a <= moment <= b for a, b in found) for moment in (7.5, 18.0, 22.5, 42.8, 51.0)), found
    assert not any(a <= 2.0 <= b for a, b in found)


def test_hand_held_footage_is_active_throughout() -> None:
    found = track(CLIPS / "mdn_crystal.mp4")
    assert gate(found) == ((0.0, found.seconds),)
