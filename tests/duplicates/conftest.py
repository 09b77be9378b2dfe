"""Footage as luma grids, drawn in milliseconds: a textured ground, and blobs that walk over it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reelwise.duplicates.fingerprint import Builder, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, COLUMNS, RATE = 90, 160, 8


def _ground(scene: int) -> np.ndarray:
    rng = np.random.default_rng(scene)
    coarse = rng.uniform(40, 200, (6, 8))
    smooth = np.kron(coarse, np.ones((15, 20)))
    return smooth + np.kron(rng.normal(0, 12, (18, 32)), np.ones((5, 5)))


@lru_cache(maxsize=64)
def _footage(scene: int, take: int, seconds: float, *, movers: int = 4) -> np.ndarray:
    """Draw a scene; what moves in it depends on the take: uint8 (n, 90, 160), 8 a second."""
    rng = np.random.default_rng([scene, take])
    ground = _ground(scene)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    grids = np.empty((round(seconds * RATE), ROWS, COLUMNS), np.uint8)
    cast = [
        (rng.uniform(20, 140, 2), rng.uniform(-12, 12, 2), rng.uniform(0.1, 0.6), rng.choice([-90, 90]))
        for _ in range(movers)
    ]
    for index in range(len(grids)):
        time = index / RATE
        picture = ground.copy()
        for start, speed, turn, tone in cast:
            at = start + speed * time + 15 * np.sin(turn * time * 6 + start)
            picture[np.hypot(y - at[0] % 100 + 5, x - at[1] % 170 + 5) < 9] += tone
        grids[index] = np.clip(picture + rng.normal(0, 1.0, picture.shape), 0, 255).astype(np.uint8)
    grids.flags.writeable = False
    return grids


def _print_of(grids: np.ndarray) -> Fingerprint:
    builder = Builder()
    for index, grid in enumerate(grids):
        if builder.wants(index / RATE):
            builder.add(index / RATE, grid)
    return builder.done()


@pytest.fixture(scope="session")
def footage() -> Callable[..., np.ndarray]:
    return _footage


@pytest.fixture(scope="session")
def print_of() -> Callable[[np.ndarray], Fingerprint]:
    return _print_of
