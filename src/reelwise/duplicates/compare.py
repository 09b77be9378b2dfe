"""Two clips laid over each other at one offset: how alike is what stands still, and what moves."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.duplicates.keys import GRID, MOVES, moved, unrest
from reelwise.duplicates.question import Cut, Question, unit
from reelwise.duplicates.windows import Pictures, resampled

__all__ = ["Likeness", "coarse", "compare"]

_ALIKE = 0.55  # correlation of what stands still from which a second counts as the same scene
_GAP = 1  # seconds of a run that may be unlike: a cut that falls between two samples


class Likeness(Struct, frozen=True):
    """How alike two runs of seconds are.

    Attributes:
        start, stop: seconds of the run, counted from the first second compared.
        still: mean correlation of the pictures, -1..1.
        moving_seconds: seconds of the run in which something moves in either.
        motion: correlation of what moves, over all those seconds, -1..1; 0 where nothing does.
        typical: the median of those seconds' own correlations.
    """

    start: int
    stop: int
    still: float
    moving_seconds: int
    motion: float
    typical: float


def coarse(question: Question, seconds: NDArray[np.uint8], before: NDArray[np.uint8]) -> tuple[float, int, int]:
    """Find the cut and the phase at which a question fits best.

    Args:
        question: t seconds of a stretch.
        seconds: uint8 (t, 24, 24), the stored seconds that lie under them; all 0 where there is none.
        before: uint8 (t, 24, 24), the stored second before each, or the same one where there is none.

    Returns:
        A score, higher is more alike, the index of the cut, and the phase.
    """
    from reelwise.duplicates.keys import core_window

    count = len(seconds)
    both = resampled(np.concatenate((seconds, before)), GRID, core_window())
    now, earlier = both[:count], both[count:]
    there = seconds.reshape(count, -1).any(axis=1)
    still = unit(now.reshape(count, -1))
    still[~there] = 0
    change = moved(now, earlier).reshape(count, -1)
    change[~there] = 0
    # (t, c * p): everything at once
    alike = np.matmul(question.still, still[:, :, None])[..., 0].sum(axis=0) / max(1, int(there.sum()))
    together = np.matmul(question.change, change[:, :, None])[..., 0].sum(axis=0)
    power = np.einsum("tkx,tkx->k", question.change[there], question.change[there]) * float((change**2).sum())
    floor = (MOVES * 0.5) ** 2 * GRID * GRID * 0.1
    motion = together / np.sqrt(power + floor**2)
    score = alike + motion
    best = int(np.argmax(score))
    return float(score[best]), best // question.phases, best % question.phases


def _smooth(change: Pictures) -> Pictures:
    padded = np.pad(change, ((0, 0), (1, 1), (1, 1)), mode="edge")
    side = change.shape[1]
    lines = padded[:, :side] + padded[:, 1 : side + 1] + padded[:, 2:]
    result: Pictures = (lines[:, :, :side] + lines[:, :, 1 : side + 1] + lines[:, :, 2:]) / 9
    return result


def compare(asked: NDArray[np.uint8], stored: NDArray[np.uint8], cut: Cut, *, around: int) -> Likeness | None:
    """Compare seconds one by one and measure the run of like ones around a second.

    Args:
        asked, stored: uint8 (n, 24, 24), seconds that lie over each other.
        cut: what part of the stored picture the asked one shows.
        around: a second that the run is to hold, or to be near.

    Returns:
        The likeness of the run, or None where no second is alike.
    """
    ours = resampled(asked, GRID, cut.asked())
    theirs = resampled(stored, GRID, cut.stored())
    count = len(ours)
    alike = np.einsum("tx,tx->t", unit(ours.reshape(count, -1)), unit(theirs.reshape(count, -1)))
    run = _run(alike >= _ALIKE, around)
    if run is None:
        return None
    start, stop = run
    still = float(alike[start:stop].mean())
    if stop - start < 2:
        return Likeness(start, stop, still, 0, 0.0, 0.0)
    a = _smooth(moved(ours[start + 1 : stop], ours[start : stop - 1]))
    b = _smooth(moved(theirs[start + 1 : stop], theirs[start : stop - 1]))
    active = np.maximum(unrest(a), unrest(b)) >= MOVES
    number = int(active.sum())
    if not number:
        return Likeness(start, stop, still, 0, 0.0, 0.0)
    a, b = a[active].reshape(number, -1), b[active].reshape(number, -1)
    dot, left, right = (np.einsum("tx,tx->t", x, y) for x, y in ((a, b), (a, a), (b, b)))
    motion = float(dot.sum() / np.sqrt(left.sum() * right.sum() + 1e-6))
    typical = float(np.median(dot / np.sqrt(left * right + 1e-6)))
    return Likeness(start, stop, still, number, motion, typical)


def _run(alike: NDArray[np.bool_], around: int) -> tuple[int, int] | None:
    """Find the longest run of True with gaps of at most a second, the one that holds `around` first."""
    where = np.flatnonzero(alike)
    if not len(where):
        return None
    parts = np.split(where, np.flatnonzero(np.diff(where) > _GAP + 1) + 1)
    runs = [(int(part[0]), int(part[-1]) + 1) for part in parts]
    return max(runs, key=lambda run: (run[0] <= around < run[1], run[1] - run[0], -run[0]))
