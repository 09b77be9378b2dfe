"""Which offsets in which stored clips hits speak for: votes along lines, then keys counted bit by bit, all in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.duplicates.level import Level
    from reelwise.duplicates.question import LookUp, Moves

__all__ = ["Lines", "hits", "lines", "motion"]

LINES_MOST = 640
"""Lines whose keys are counted bit by bit."""
_BIAS = 1 << 20  # seconds a question may be long without an offset turning negative
_UNLIKE = 8  # bits that a second counts against a line in which only one of the two clips moves


class Lines(Struct, frozen=True, eq=False):
    """Offsets in stored clips.

    Attributes:
        clips: int64 (n,), which clip.
        rows: int64 (n,), the row that lies under second 0 of the question; may lie outside of the clip.
        votes: int64 (n,).
    """

    clips: NDArray[np.int64]
    rows: NDArray[np.int64]
    votes: NDArray[np.int64]


def hits(levels: Sequence[Level], look_ups: Sequence[LookUp]) -> NDArray[np.int64]:
    """Look every key up: one number a hit, sorted: the clip, the offset's line and, in the last byte, its weight."""
    tallies = [np.zeros(0, np.int64)]
    for level in levels:
        if level.table is None:
            continue
        for asked in look_ups:
            which, rows, size = level.table.find(asked.band, asked.keys)
            weight = np.maximum(1, 16 / (1 + np.sqrt(size))).astype(np.int64)
            line = (level.base + _BIAS - asked.seconds)[which] + rows
            tallies.append(((level.clip_of[rows].astype(np.int64) << 32 | line) << 8) | weight[which])
    return np.sort(np.concatenate(tallies))


def lines(found: NDArray[np.int64]) -> Lines:
    """Add hits up along lines; those with most votes, about 640."""
    whole = found >> 8
    begins = np.flatnonzero(np.concatenate(([True], whole[1:] != whole[:-1]))) if len(whole) else np.zeros(0, np.intp)
    votes = np.add.reduceat(found & 255, begins) if len(begins) else np.zeros(0, np.int64)
    if len(votes) > LINES_MOST:
        floor = np.partition(votes, len(votes) - LINES_MOST)[-LINES_MOST]
        keep = np.flatnonzero(votes >= floor)[: 2 * LINES_MOST]
        begins, votes = begins[keep], votes[keep]
    chosen = whole[begins]
    return Lines(chosen >> 32, (chosen & 0xFFFFFFFF) - _BIAS, votes)


def motion(levels: Sequence[Level], found: Lines, moves: Moves) -> NDArray[np.int64]:
    """Count how many bits of what moves agree, beyond half of them, through the cut and at the phase at which most do.

    Args:
        levels: what is stored.
        found: n lines.
        moves: keys of the question.

    Returns:
        int64 (n,): a random line gets up to about 20, one that shows the same ten seconds up to 160.
    """
    best = np.zeros(len(found.clips), np.int64)
    for level in levels:
        mine = np.flatnonzero(
            (found.rows + moves.seconds.max() >= level.base) & (found.rows < level.base + level.count)
        )
        if not (level.count and len(mine)):
            continue
        rows = found.rows[mine][:, None] + moves.seconds - level.base  # (n, t)
        inside = (rows >= 0) & (rows < level.count)
        rows = np.clip(rows, 0, level.count - 1)
        inside &= level.clip_of[rows] == found.clips[mine][:, None]
        stored, moving = level.moves(rows, inner=moves.inner)
        moving = (moving & inside)[:, :, None]  # (n, t, phases)
        agree = 16 - np.bitwise_count(stored[:, :, None, None] ^ moves.keys).astype(np.int8)  # (n, t, phases, cuts)
        agree *= (moving & moves.active)[..., None]
        only_one = ((moving != moves.active) & inside[:, :, None]).sum(axis=1)
        score = agree.sum(axis=1, dtype=np.int16) - _UNLIKE * only_one[..., None]
        best[mine] = np.maximum(best[mine], score.reshape(len(mine), -1).max(axis=1))
    return best
