"""Keys to look fingerprints up by: signs of low spatial frequencies, of what stands still and of what moves.

A stored second is keyed by the middle four fifths of its picture. A question asks with windows of several sizes, so the
middle of a clip that lost up to a fifth of each side is found among them, and the index holds one set of keys a second.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelwise.duplicates.windows import Pictures, resampled

__all__ = [
    "BANDS",
    "CORE",
    "GRID",
    "MOVES",
    "Keys",
    "core_window",
    "keys_of",
    "middle",
    "moved",
    "moving",
    "tamed",
    "unit",
    "unrest",
]

GRID = 16
"""Cells of a side of the pictures that are compared."""
CORE = 0.8
BANDS = 4
"""Look-up tables: two of what stands still, two of what moves; each key has 16 bits."""
MOVES = 4.0
"""Luma levels that the ten most changed of 576 smoothed cells change by on average when something moves. Measured: seconds in
which nobody moved 0.5 to 3, with sensor noise of 10 levels 2.3; a person or a car 15 to 130."""
FLAT = 2.0  # luma levels of contrast below which a picture says nothing

Keys = NDArray[np.uint16]


def middle(side: float, tall: float | None = None) -> tuple[float, float, float, float]:
    """Return the window in the middle of the picture with these sides, as fractions."""
    tall = side if tall is None else tall
    return ((1 - side) / 2, (1 - tall) / 2, (1 + side) / 2, (1 + tall) / 2)


def core_window() -> tuple[float, float, float, float]:
    """Return the window that stored seconds are keyed by."""
    return middle(CORE)


@lru_cache(maxsize=1)
def _waves() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the cosine basis (9, 16) and, for 32 bits, the lowest of its products in order of frequency."""
    order = 9
    cells = (np.arange(GRID) + 0.5) * np.pi / GRID
    basis = np.cos(np.arange(order)[:, None] * cells[None, :]).astype(np.float32)
    pairs = [(v * v + u * u, v, u) for v in range(order) for u in range(order) if v + u > 0]
    lowest = np.array([v * order + u for _, v, u in sorted(pairs)[:32]], np.intp)
    return basis, lowest


def waves(pictures: Pictures) -> NDArray[np.float32]:
    """Return the 32 lowest cosine coefficients: float32 (n, 16, 16) to (n, 32)."""
    basis, lowest = _waves()
    found: NDArray[np.float32] = np.matmul(np.matmul(basis, pictures), basis.T)
    return found.reshape(len(pictures), -1)[:, lowest]


def unit(pictures: Pictures) -> Pictures:
    """Take out the mean and scale to length 1: (..., 256)."""
    centred: Pictures = pictures - pictures.mean(axis=-1, keepdims=True)
    centred /= np.sqrt(np.einsum("...x,...x->...", centred, centred))[..., None] + 1e-3
    return centred


def tamed(pictures: Pictures) -> Pictures:
    """Hold down the levels of a few cells that stand far out, a logo's: (n, 256)."""
    held: Pictures = pictures
    for _ in range(3):
        middle = held.mean(axis=1, keepdims=True)
        centred = held - middle
        spread = 2 * np.sqrt(np.einsum("nx,nx->n", centred, centred) / pictures.shape[1])[:, None]
        held = np.minimum(np.maximum(held, middle - spread), middle + spread)
    return held


def moved(pictures: Pictures, before: Pictures) -> Pictures:
    """Return what changed between two pictures beside the light: brightness and contrast of the whole are taken out."""
    change = pictures - before
    change -= change.mean(axis=(1, 2), keepdims=True)
    ground = before - before.mean(axis=(1, 2), keepdims=True)
    power = np.einsum("nij,nij->n", ground, ground) + 1e-3
    gain = np.einsum("nij,nij->n", change, ground) / power
    result: Pictures = change - gain[:, None, None] * ground
    return result


def unrest(change: Pictures) -> NDArray[np.float32]:
    """Measure movement: mean of the ten most changed of the smoothed cells, in luma levels; float32 (n,)."""
    padded = np.pad(change, ((0, 0), (1, 1), (1, 1)), mode="edge")
    side = change.shape[1]
    lines = padded[:, :side] + padded[:, 1 : side + 1] + padded[:, 2:]
    smooth = np.abs(lines[:, :, :side] + lines[:, :, 1 : side + 1] + lines[:, :, 2:]).reshape(len(change), -1) / 9
    most: NDArray[np.float32] = np.partition(smooth, smooth.shape[1] - 10, axis=1)[:, -10:].mean(axis=1)
    return most


def moving(change: Pictures) -> NDArray[np.bool_]:
    """Say in which of the changes something moves."""
    return unrest(change) >= MOVES


def keys_of(found: NDArray[np.float32]) -> Keys:
    """Turn coefficients (..., 32) into two 16-bit keys: uint16 (..., 2), even and odd coefficients."""
    signs = found > 0
    packed = np.packbits(np.concatenate((signs[..., 0::2], signs[..., 1::2]), axis=-1), axis=-1)
    return np.ascontiguousarray(packed).view(">u2").astype(np.uint16)


def stored_keys(seconds: NDArray[np.uint8]) -> tuple[Keys, NDArray[np.bool_]]:
    """Key what is stored.

    Args:
        seconds: uint8 (n, 24, 24), one picture a second.

    Returns:
        uint16 (n, 4), and bool (n, 4): which keys say anything (a flat picture has none, a still one none that moves).
    """
    pictures = resampled(seconds, GRID, core_window())
    count = len(pictures)
    keys = np.zeros((count, BANDS), np.uint16)
    valid = np.zeros((count, BANDS), np.bool_)
    held = tamed(seconds.reshape(count, -1).astype(np.float32)).reshape(seconds.shape)
    still = resampled(held, GRID, core_window())
    keys[:, :2] = keys_of(waves(still))
    valid[:, :2] = (still.reshape(count, -1).std(axis=1) >= FLAT)[:, None]
    if count > 1:
        change = moved(pictures[1:], pictures[:-1])
        keys[1:, 2:] = keys_of(waves(change))
        valid[1:, 2:] = moving(change)[:, None]
    return keys, valid
