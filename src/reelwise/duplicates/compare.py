"""Two clips laid over each other at one offset: how alike is what stands still, and what moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.duplicates.fingerprint import SIDE, STORED
from reelwise.duplicates.keys import GRID, INNER, MOVES, middle, moved, tamed, unit, waves
from reelwise.duplicates.motion import AROUND, Motion, motion_of
from reelwise.duplicates.question import LOOK
from reelwise.duplicates.windows import Pictures, resampled, weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.duplicates.cuts import Cut
    from reelwise.duplicates.question import Question, View

__all__ = ["Likeness", "coarse", "compare", "fits_of"]

_ALIKE = 0.55  # correlation of what stands still from which a second counts as the same scene
_UNLIKE = 0.3  # correlation below which mending a cut will not help
_FITS = 0.995  # correlation from which a cut needs no mending
_DETAILED = 128  # pictures of a run in which what moves is compared: a stretch, and more
_GAP = 1  # seconds of a run that may be unlike: a cut that falls between two samples


Window = tuple[float, float, float, float]
_WAYS = (
    *((-1, 0, -1, 0), (1, 0, 1, 0), (0, -1, 0, -1), (0, 1, 0, 1)),  # shift
    *((-1, -1, 1, 1), (1, 1, -1, -1), (-1, 0, 1, 0), (1, 0, -1, 0), (0, -1, 0, 1), (0, 1, 0, -1)),  # scale
)


class Likeness(Struct, frozen=True):
    """How alike two runs of seconds are.

    Attributes:
        start, stop: half seconds of the run, counted from the first one compared.
        still: mean correlation of the pictures, -1..1.
        motion: what moves.
    """

    start: int
    stop: int
    still: float
    motion: Motion


def fits_of(question: Question, under: NDArray[np.uint8]) -> list[tuple[float, int]]:
    """Find the cut through which what stands still in a question fits best, for each of several places.

    Args:
        question: t seconds of a stretch.
        under: uint8 (places, t, 24, 24), the stored seconds that lie under them; all 0 where there is none.

    Returns:
        For each place the correlation, -1..1, and the index of the cut.
    """
    count, asked = under.shape[:2]
    there = under.reshape(count, asked, -1).any(axis=2)
    flat = under.reshape(count * asked, -1).astype(np.float32)
    inner = middle(INNER)
    stored = waves(tamed(flat).reshape(-1, *under.shape[2:]), [((inner[::2],), (inner[1::2],))])[:, 0]
    stored /= np.sqrt(np.einsum("nx,nx->n", stored, stored))[:, None] + 1e-3
    share = there / np.maximum(1, there.sum(axis=1, keepdims=True))
    stored = (stored.reshape(count, asked, -1) * share[..., None]).astype(np.float32)
    stills = question.stills  # (t, 2, cuts, 32)
    asked_flat = stills.transpose(1, 2, 0, 3).reshape(-1, asked * stills.shape[-1])
    mean = (stored.reshape(count, -1) @ asked_flat.T).reshape(count, *stills.shape[1:3]).max(axis=1)
    best = mean.argmax(axis=1)
    return [(float(mean[place, cut]), int(cut)) for place, cut in enumerate(best)]


def coarse(
    question: Question, view: View, cut: Cut, seconds: NDArray[np.uint8], before: NDArray[np.uint8]
) -> tuple[float, int]:
    """Find the phase at which a question fits best.

    Args:
        question: t seconds of a stretch.
        view: the same through the cut.
        cut: what part of the stored picture the asked one shows.
        seconds: uint8 (t, 24, 24), the stored seconds that lie under them; all 0 where there is none.
        before: uint8 (t, 24, 24), the stored second before each, or the same one where there is none.

    Returns:
        A score, higher is more alike, and the phase.
    """
    count = len(seconds)
    both = resampled(np.concatenate((seconds, before)), LOOK, cut.stored())
    now, earlier = both[:count], both[count:]
    there: NDArray[np.bool_] = np.any(seconds.reshape(count, -1), axis=1)
    still = unit(tamed(now.reshape(count, -1)))
    change = moved(now, earlier).reshape(count, -1)
    change[~there | (seconds == before).all(axis=(1, 2))] = 0
    # what one side has no picture for says nothing about the other
    seen = question.seen & there[:, None]
    alike = (np.matmul(view.still, still[:, :, None])[..., 0] * seen).sum(axis=0)
    alike /= np.maximum(1, seen.sum(axis=0))
    stored_power = np.einsum("tx,tx->t", change, change)
    known = question.changes & (stored_power > 0)[:, None]
    together = (np.matmul(view.change, change[:, :, None])[..., 0] * known).sum(axis=0)
    power = (view.power * known).sum(axis=0) * (stored_power[:, None] * known).sum(axis=0)
    floor = (MOVES * 0.5) ** 2 * LOOK * LOOK * 0.1
    score = alike + together / np.sqrt(power + floor**2)
    best = int(np.argmax(score))
    return float(score[best]), best


def compare(asked: NDArray[np.uint8], stored: NDArray[np.uint8], cut: Cut, *, around: int) -> Likeness | None:
    """Compare picture by picture and measure the run of like ones around a second.

    Args:
        asked: uint8 (5, n, 24, 24), two pictures a second of the asked clip, and as many an eighth of a second or two earlier
            and later, see `motion.motion_of`.
        stored: uint8 (n, 24, 24), those of the stored clip that lie under them.
        cut: what part of the stored picture the asked one shows; mended by a few hundredths first.
        around: a second that the run is to hold, or to be near.

    Returns:
        The likeness of the run, or None where no second is alike.
    """
    ours = resampled(asked[AROUND], GRID, cut.asked())
    window = _mended(ours, stored, cut.stored())
    if window is None:
        return None
    theirs = resampled(stored, GRID, window)
    count, wide = len(ours), GRID * GRID
    left, right = tamed(ours.reshape(count, wide)), tamed(theirs.reshape(count, wide))
    alike = np.einsum("tx,tx->t", unit(left), unit(right))
    run = _run(alike >= _ALIKE, around * STORED)
    if run is None:
        return None
    start, stop = run
    low = min(max(start, around * STORED - _DETAILED // 2), max(start, stop - _DETAILED))
    some = slice(low, min(stop, low + _DETAILED))
    moves = motion_of(asked[:, some], stored[some], cut.asked(), window)
    return Likeness(start, stop, float(alike[start:stop].mean()), moves)


def _mended(ours: Pictures, stored: NDArray[np.uint8], window: Window) -> Window | None:
    """Shift and scale a window by hundredths to where what stands still fits best, on a few pictures; None where none is alike."""
    few = np.unique(np.linspace(0, len(ours) - 1, 4).astype(int))
    wanted = unit(ours[few].reshape(len(few), -1))
    chosen = np.ascontiguousarray(stored[few], np.float32)

    def fit(windows: list[Window]) -> NDArray[np.float32]:
        across = np.stack([weights(GRID, SIDE, left, right) for left, _, right, _ in windows])[:, None]
        down = np.stack([weights(GRID, SIDE, top, bottom) for _, top, _, bottom in windows])[:, None]
        seen = np.matmul(np.matmul(down, chosen), across.transpose(0, 1, 3, 2)).reshape(len(windows), len(few), -1)
        alike: NDArray[np.float32] = np.einsum("tx,wtx->w", wanted, unit(seen))
        return alike

    best = window
    score = float(fit([window])[0])
    if score >= _FITS * len(few):
        return window
    if score < _UNLIKE * len(few):
        return None
    for step in (0.02, 0.01, 0.005):
        for _ in range(2):
            moves = [_step(best, way, step) for way in _WAYS]
            moves = [move for move in moves if min(move) >= 0 and max(move) <= 1]
            if not moves:
                break
            tried = fit(moves)
            top = int(np.argmax(tried))
            if tried[top] <= score + 1e-5:
                break
            score, best = float(tried[top]), moves[top]
    return best


def _step(window: Window, way: tuple[int, int, int, int], step: float) -> Window:
    left, top, right, bottom = (round(side + step * by, 4) for side, by in zip(window, way, strict=True))
    return left, top, right, bottom


def _run(alike: NDArray[np.bool_], around: int) -> tuple[int, int] | None:
    """Find the longest run of True with gaps of at most a second, the one that holds `around` first."""
    where = np.flatnonzero(alike)
    if not len(where):
        return None
    parts = np.split(where, np.flatnonzero(np.diff(where) > _GAP * STORED + 1) + 1)
    runs = [(int(part[0]), int(part[-1]) + 1) for part in parts]
    return max(runs, key=lambda run: (run[0] <= around < run[1], run[1] - run[0], -run[0]))
