"""What moves in two clips laid over each other: how much of it differs, held against what noise and timing would explain.

A copy's pictures differ by noise, by a small error in time and by a small error in place. Another moment of the same scene
differs by what moved. Agreement alone does not tell them apart: two cars of one shape agree by 0.98, and so does a copy of a
fast car at the wrong thirtieth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.duplicates.fingerprint import STORED
from reelwise.duplicates.keys import unrest
from reelwise.duplicates.windows import Pictures, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AROUND", "Motion", "motion_of"]

AROUND = 2
"""Pictures of the asked clip before and after each that a stored one may really lie on: pictures are eighths of a second."""
_CELLS = 20
_LEVELS = (
    1.5  # levels that a smoothed cell has to change by within a second to count as moving, and four times the noise
)
_NOISE_MOST = 8.0  # levels of difference above which it is movement everywhere, not noise
_NOISE_LEAST = 0.3  # levels: rounding
_TIMING = 0.3  # of a picture's interval that two clips may be apart
_BEND = 0.25  # of what a picture differs by from the mean of its neighbours: blending in time takes it for theirs
_PLACE = 0.1  # of a cell
_CELLS_LEAST = 3  # of a picture in which something moves
_SMALL = 0.05

Window = tuple[float, float, float, float]


class Motion(Struct, frozen=True):
    """What moves in two runs of pictures.

    Attributes:
        seconds: of the run in which something moves in either.
        agreement: median over its pictures, -1..1: 1 where both change by the same levels at the same places.
        misfit: log of the median of what differs over what noise, timing and place explain, each as a sum of squares.
        size: root mean square of what moves where it moves, in luma levels.
        ground: log of the share of what stands still that is unlike in either, but for a fifth of the cells: a logo's.
        stirs: the most that ten cells change by in any picture, in luma levels, see `keys.unrest`.
    """

    seconds: float = 0.0
    agreement: float = 0.0
    misfit: float = 0.0
    size: float = 0.0
    ground: float = 0.0
    stirs: float = 0.0


def motion_of(
    asked: NDArray[np.uint8], stored: NDArray[np.uint8], asked_window: Window, stored_window: Window
) -> Motion:
    """Compare what moves within a second.

    Args:
        asked: uint8 (5, n, 24, 24): the asked picture two eighths of a second early, one early, at its time, and so on.
        stored: uint8 (n, 24, 24), two pictures a second.
        asked_window: what part of the asked pictures the stored ones show.
        stored_window: what part of the stored pictures that is.
    """
    count = len(stored)
    if count <= STORED:
        return Motion()
    theirs = resampled(stored, _CELLS, stored_window)
    ours = resampled(asked.reshape(-1, *asked.shape[2:]), _CELLS, asked_window).reshape(-1, count, _CELLS, _CELLS)
    gain, ground = _gain(ours[AROUND], theirs)
    theirs = theirs * gain
    now, drift, bend = _timed(ours, theirs)
    a = _smooth(_unlit(now[STORED:] - now[:-STORED], now[:-STORED]))
    b = _smooth(_unlit(theirs[STORED:] - theirs[:-STORED], theirs[:-STORED]))
    error = a - b
    noise = float(np.median(np.abs(error))) / 0.6745
    least = max(_LEVELS, 4 * min(noise, _NOISE_MOST))
    moves = ((np.abs(a) > least) | (np.abs(b) > least)).astype(np.float32)
    stirs = float(max(unrest(a).max(), unrest(b).max()))
    cells = moves.sum(axis=(1, 2))
    some = cells >= _CELLS_LEAST
    if not some.any():
        return Motion(ground=ground, stirs=stirs)
    pace = _TIMING**2 * _smooth(_unlit(drift, now)) ** 2 + _BEND**2 * _smooth(_unlit(bend, now)) ** 2
    slope = _slope(a) + _slope(b)
    explained = (noise + _NOISE_LEAST) ** 2 * cells
    explained += np.einsum("tij,tij->t", pace[STORED:] + pace[:-STORED], moves)
    explained += _PLACE**2 / 2 * np.einsum("tij,tij->t", slope, moves)
    differs = np.einsum("tij,tij->t", error * error, moves)
    power = np.einsum("tij,tij->t", a * a + b * b, moves)
    both = np.einsum("tij,tij->t", a * b, moves)
    return Motion(
        seconds=int(some.sum()) / STORED,
        agreement=float(np.median(2 * both[some] / power[some])),
        misfit=float(np.log(np.median(differs[some] / explained[some]) + _SMALL)),
        size=float(np.sqrt(power.sum() / 2 / cells.sum())),
        ground=ground,
        stirs=stirs,
    )


def _gain(ours: Pictures, theirs: Pictures) -> tuple[float, float]:
    """Return how much more contrast we have where nothing moves, and log of the share that does not fit.

    A fifth of the cells, those that fit worst, is left out: a logo.
    """
    a, b = ours.mean(axis=0).ravel(), theirs.mean(axis=0).ravel()
    keep = np.ones(len(a), np.bool_)
    gain = 1.0
    for _ in range(4):
        ground = b[keep] - b[keep].mean()
        gain = float(np.dot(ground, a[keep]) / (np.dot(ground, ground) + 1e-3))
        rest = a - gain * b
        off = np.abs(rest - np.median(rest[keep]))
        keep = off <= np.partition(off, int(0.8 * len(off)))[int(0.8 * len(off))]
    unlike = float(np.var(rest[keep]) / (np.var(a[keep]) + 1e-3))
    return min(max(gain, 0.5), 2.0), float(np.log(unlike + 0.001))


def _timed(ours: Pictures, theirs: Pictures) -> tuple[Pictures, Pictures, Pictures]:
    """Blend the asked pictures to the time between two eighths of a second at which they fit best.

    Args:
        ours: float32 (5, n, rows, columns).
        theirs: float32 (n, rows, columns).

    Returns:
        The pictures, how they change from one eighth of a second to the next, and how that changes: float32 (n, rows, columns)
        each.
    """
    level = ours - ours.mean(axis=(2, 3), keepdims=True)
    level -= level.mean(axis=1, keepdims=True)
    wanted = theirs - theirs.mean(axis=(1, 2), keepdims=True)
    wanted -= wanted.mean(axis=0)
    best, least = (AROUND, 0.0), np.inf
    for early in range(len(ours) - 1):
        gap, step = wanted - level[early], level[early + 1] - level[early]
        power = float(np.einsum("tij,tij->", step, step)) + 1e-3
        along = float(np.einsum("tij,tij->", gap, step))
        part = min(max(along / power, 0.0), 1.0)
        left = float(np.einsum("tij,tij->", gap, gap)) - 2 * part * along + part * part * power
        if left < least:
            best, least = (early, part), left
    early, part = best
    now: Pictures = (1 - part) * ours[early] + part * ours[early + 1]
    drift: Pictures = (ours[early + 1] - ours[max(0, early - 1)]) / 2
    near = min(max(early + round(part), 1), len(ours) - 2)
    bend: Pictures = (ours[near + 1] + ours[near - 1]) / 2 - ours[near]
    return now, drift, bend


def _unlit(change: Pictures, ground: Pictures) -> Pictures:
    """Take out what is like the whole picture: brightness and contrast."""
    change = change - change.mean(axis=(1, 2), keepdims=True)
    ground = ground - ground.mean(axis=(1, 2), keepdims=True)
    share = np.einsum("tij,tij->t", change, ground) / (np.einsum("tij,tij->t", ground, ground) + 1e-3)
    result: Pictures = change - share[:, None, None] * ground
    return result


def _smooth(change: Pictures) -> Pictures:
    padded = np.pad(change, ((0, 0), (1, 1), (1, 1)), mode="edge")
    side = change.shape[1]
    lines = padded[:, :side] + padded[:, 1 : side + 1] + padded[:, 2:]
    result: Pictures = (lines[:, :, :side] + lines[:, :, 1 : side + 1] + lines[:, :, 2:]) / 9
    return result


def _slope(change: Pictures) -> Pictures:
    """Return the square of the change from cell to cell."""
    down = np.asarray(np.gradient(change, axis=1), np.float32)
    across = np.asarray(np.gradient(change, axis=2), np.float32)
    result: Pictures = down * down + across * across
    return result
