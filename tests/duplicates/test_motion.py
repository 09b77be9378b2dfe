"""What moves: a copy differs by noise and timing alone, another moment by more."""

from __future__ import annotations

import numpy as np
import pytest

from reelwise.duplicates.motion import AROUND, Motion, motion_of

WHOLE = (0.0, 0.0, 1.0, 1.0)


def passing(times, *, lane=12.0, speed=4.0, noise=0.5, logo=False, gain=1.0):
    """Draw a blob that crosses a fixed ground: uint8 (n, 24, 24)."""
    rng = np.random.default_rng(int(lane * 100) + len(times))
    ground = np.kron(np.random.default_rng(5).normal(110, 30, (6, 6)), np.ones((4, 4)))
    y, x = np.mgrid[:24, :24]
    pictures = np.stack(
        [ground - 60 * np.exp(-((x - 3 - speed * time) ** 2 + (y - lane) ** 2) / 8.0) for time in times]
    )
    pictures = pictures * gain + rng.normal(0, noise, pictures.shape)
    if logo:
        pictures[:, 1:4, 18:23] = 235
    return np.clip(pictures, 0, 255).astype(np.uint8)


def asked(times, **how):
    return np.stack([passing(times + late / 8, **how) for late in range(-AROUND, AROUND + 1)])


TIMES = np.arange(10) / 2
LATE = 0.04  # seconds between two eighths


@pytest.mark.parametrize("how", [{}, {"noise": 3.0}, {"logo": True}, {"gain": 0.8}])
def test_a_copy_is_explained(how):
    found = motion_of(asked(TIMES + LATE, **how), passing(TIMES), WHOLE, WHOLE)

    assert found.seconds >= 3
    assert found.agreement > 0.95
    assert found.misfit < 0.8


@pytest.mark.parametrize("how", [{"lane": 13.0}, {"speed": 3.5}])
def test_another_passage_is_not(how):
    copy = motion_of(asked(TIMES + LATE), passing(TIMES), WHOLE, WHOLE)
    other = motion_of(asked(TIMES + LATE, **how), passing(TIMES), WHOLE, WHOLE)

    assert other.misfit > copy.misfit + 1.5


def test_nothing_moves():
    still = passing(np.zeros(10))
    found = motion_of(np.stack([still] * 5), passing(np.zeros(10), noise=1.0), WHOLE, WHOLE)

    assert found.seconds == 0
    assert found.stirs < 2


def test_too_short_to_move():
    assert motion_of(asked(TIMES[:2]), passing(TIMES[:2]), WHOLE, WHOLE) == Motion()
