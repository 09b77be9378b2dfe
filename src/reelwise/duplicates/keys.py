"""Keys to look fingerprints up by: signs of low spatial frequencies, of what stands still and of what moves.

A stored second is keyed by what stands still in its inner part, which every copy shows that lost a fifth of each side at
whatever edge, and by what moves in that part and in the wider core. A question asks through windows of several sizes and
places, so that these parts are found among them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelwise.duplicates.fingerprint import SIDE
from reelwise.duplicates.windows import Pictures, resampled, weights

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BANDS",
    "CORE",
    "GRID",
    "INNER",
    "MOVES",
    "Grid",
    "Interval",
    "Keys",
    "middle",
    "moved",
    "moved_keys",
    "moving",
    "says",
    "shifted",
    "still_keys",
    "stored_keys",
    "tamed",
    "unit",
    "unrest",
    "waves",
]

GRID = 16
"""Cells of a side of the pictures that are compared."""
CORE = 0.8
"""Side of the middle part that is keyed by what moves in it: shown by every copy that lost up to a tenth of each edge."""
INNER = 0.64
"""Side of a smaller part that is keyed by what stands still and by what moves: shown, but for a fortieth, by every copy that
lost a fifth of each side, at whatever edge."""
BANDS = 6
"""Look-up tables: two of what stands still in the inner part, two of what moves in the core, two of what moves in the inner
part; each key has 16 bits."""
WAVES = 32
_ORDER = 7
MOVES = 4.0
"""Luma levels that the ten most changed of 576 smoothed cells change by on average when something moves. Measured: seconds in
which nobody moved 0.5 to 3, with sensor noise of 10 levels 2.3; a person or a car 15 to 130."""
_KEYED = 2.5  # the same, from which a change is keyed: noise among the keys costs little
FLAT = 2.0  # luma levels of contrast below which a picture says nothing

Keys = NDArray[np.uint16]
Interval = tuple[float, float]
Grid = tuple[tuple[Interval, ...], tuple[Interval, ...]]


def middle(side: float, tall: float | None = None) -> tuple[float, float, float, float]:
    """Return the window in the middle of the picture with these sides, as fractions."""
    tall = side if tall is None else tall
    return ((1 - side) / 2, (1 - tall) / 2, (1 + side) / 2, (1 + tall) / 2)


@lru_cache(maxsize=1)
def _waves() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the cosine basis (7, 16) and, for 32 bits, the lowest of its products in order of frequency."""
    cells = (np.arange(GRID) + 0.5) * np.pi / GRID
    basis = np.cos(np.arange(_ORDER)[:, None] * cells[None, :]).astype(np.float32)
    pairs = [(v * v + u * u, v, u) for v in range(_ORDER) for u in range(_ORDER) if v + u > 0]
    return basis, np.array([v * _ORDER + u for _, v, u in sorted(pairs)[:WAVES]], np.intp)


@lru_cache(maxsize=1024)
def _map(low: float, high: float) -> NDArray[np.float32]:
    """Return the (7, 24) matrix from a line of a stored picture to the lowest waves of its part low..high."""
    result: NDArray[np.float32] = np.ascontiguousarray(_waves()[0] @ weights(GRID, SIDE, low, high))
    result.flags.writeable = False
    return result


def waves(pictures: Pictures, windows: Iterable[Grid]) -> NDArray[np.float32]:
    """Return the 32 lowest cosine coefficients of parts of pictures; the mean is not among them.

    Args:
        pictures: float32 (n, 24, 24).
        windows: grids of parts: k intervals across and l down, as fractions, stand for the k x l parts they span.

    Returns:
        float32 (n, all parts, 32), grid by grid, line by line.
    """
    count, lowest = len(pictures), _waves()[1]
    flat = pictures.reshape(count * SIDE, SIDE)
    found = []
    for across, down in windows:
        wide, tall = _ORDER * len(across), _ORDER * len(down)
        right = np.concatenate([_map(*part) for part in across])
        left = np.concatenate([_map(*part) for part in down])
        lines = (flat @ right.T).reshape(count, SIDE, wide).transpose(1, 0, 2).reshape(SIDE, count * wide)
        both = (left @ lines).reshape(tall // _ORDER, _ORDER, count, wide // _ORDER, _ORDER)
        parts = both.transpose(2, 0, 3, 1, 4).reshape(count, len(across) * len(down), _ORDER * _ORDER)
        found.append(parts[..., lowest])
    return np.concatenate(found, axis=1)


def shifted(now: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what changed between two pictures' coefficients (..., 32) beside the light: what is like the picture is taken out."""
    change = now - before
    gain = np.einsum("...x,...x->...", change, before) / (np.einsum("...x,...x->...", before, before) + 1e-3)
    result: NDArray[np.float32] = change - gain[..., None] * before
    return result


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
    smooth = (
        np.abs(lines[:, :, :side] + lines[:, :, 1 : side + 1] + lines[:, :, 2:]).reshape(len(change), side * side) / 9
    )
    if not len(smooth):
        return np.zeros(0, np.float32)
    most: NDArray[np.float32] = np.partition(smooth, smooth.shape[1] - 10, axis=1)[:, -10:].mean(axis=1)
    return most


def moving(change: Pictures) -> NDArray[np.bool_]:
    """Say in which of the changes something moves."""
    return unrest(change) >= _KEYED


def still_keys(found: NDArray[np.float32]) -> Keys:
    """Turn coefficients (..., 32) of what stands still into two 16-bit keys: uint16 (..., 2), every second and the lowest."""
    signs = found > 0
    return _packed(np.concatenate((signs[..., 0::2], signs[..., :16]), axis=-1))


def moved_keys(found: NDArray[np.float32]) -> Keys:
    """Turn coefficients (..., 32) of what moves into two 16-bit keys: uint16 (..., 2), even and odd ones."""
    signs = found > 0
    return _packed(np.concatenate((signs[..., 0::2], signs[..., 1::2]), axis=-1))


def _packed(signs: NDArray[np.bool_]) -> Keys:
    packed = np.packbits(signs, axis=-1)
    return np.ascontiguousarray(packed).view(">u2").astype(np.uint16)


def stored_keys(seconds: NDArray[np.uint8]) -> tuple[Keys, NDArray[np.bool_]]:
    """Key what is stored.

    Args:
        seconds: uint8 (n, 24, 24), one picture a second.

    Returns:
        uint16 (n, 6), and bool (n, 6): which keys say anything (a flat picture has none, a still one none that moves).
    """
    count = len(seconds)
    raw = seconds.astype(np.float32)
    keys = np.zeros((count, BANDS), np.uint16)
    valid = np.zeros((count, BANDS), np.bool_)
    inner = ((middle(INNER)[0], middle(INNER)[2]),)
    outer = ((middle(CORE)[0], middle(CORE)[2]),)
    still = waves(tamed(raw.reshape(count, -1)).reshape(raw.shape), [(inner, inner)])[:, 0]
    keys[:, :2] = still_keys(still)
    valid[:, :2] = says(still)[:, None]
    if count > 1:
        both = waves(raw, [(outer, outer), (inner, inner)])
        change = shifted(both[1:], both[:-1])
        keys[1:, 2:4], keys[1:, 4:6] = moved_keys(change[:, 0]), moved_keys(change[:, 1])
        for first, side in ((2, CORE), (4, INNER)):
            seen = resampled(raw, GRID, middle(side))
            valid[1:, first : first + 2] = moving(moved(seen[1:], seen[:-1]))[:, None]
    return keys, valid


def says(still: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which pictures are not flat, by their coefficients (..., 32)."""
    power: NDArray[np.float32] = np.einsum("...x,...x->...", still, still)
    return power >= (FLAT * GRID * GRID) ** 2 / 4
