"""What is normal in a stream, learned from the stream alone: robust, drifting slowly, one level for each class of packets.

An encoder spends bits where pictures change, and it also changes its habits: it stops putting pictures between others, and
raises the quantiser. Each of these is a number a packet, compared with a running quantile of the same class, in units of its
own spread. Quiet footage is taken to be the larger part of any minute, but need not be: the running level is a lower quantile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.packets import BETWEEN, KEY, PREDICTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets

__all__ = ["Unrest", "robust_spread", "running_level", "smooth", "unrest"]

_BASE_SECONDS = 60.0
_SMOOTH_SECONDS = 0.4
_PATTERN_SECONDS = 0.8
_LEVEL = 35.0  # percentile that stands for quiet
_CLASS_MIN = 50
_EMPTY_BYTES = 32.0  # a packet that codes nothing still has headers
_SPREAD_MIN = 0.05  # of the logarithm of a size: five per cent is never unusual
_CLIP_LOW, _CLIP_HIGH = -4.0, 6.0


class Unrest:
    """How unusual packets are, moment by moment.

    Args:
        times: float64 (n,), seconds, ascending.
        score: float64 (n,), robust deviations.
    """

    def __init__(self, times: NDArray[np.float64] | None = None, score: NDArray[np.float64] | None = None) -> None:
        self.times = np.zeros(0) if times is None else times
        self.score = np.zeros(0) if score is None else score

    def most(self, start: float, stop: float) -> float:
        """Return the largest score between two moments; nan where there is none."""
        part = self._part(start, stop)
        return float(part.max()) if len(part) else float("nan")

    def least(self, start: float, stop: float) -> float:
        """Return the smallest score between two moments; nan where there is none."""
        part = self._part(start, stop)
        return float(part.min()) if len(part) else float("nan")

    def _part(self, start: float, stop: float) -> NDArray[np.float64]:
        first, last = np.searchsorted(self.times, (start, stop)).tolist()
        return self.score[first:last]


def robust_spread(values: NDArray[np.float64]) -> float:
    """Return the median absolute deviation, scaled to a standard deviation of normal noise."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def running_level(values: NDArray[np.float64], width: int, percentile: float) -> NDArray[np.float64]:
    """Return a percentile of each value's surroundings, `width` values wide; computed at some places, drawn out between."""
    count = len(values)
    half = max(8, width // 2)
    centres = np.unique(np.linspace(0, count - 1, max(2, min(count, 4 * count // half + 1))).astype(int))
    thin = max(1, half // 64)
    found = [np.percentile(values[max(0, at - half) : at + half + 1 : thin], percentile) for at in centres]
    level: NDArray[np.float64] = np.interp(np.arange(count), centres, found)
    return level


def smooth(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Average each value with its neighbours, `width` values in all, made odd."""
    wide = max(1, round(width)) | 1
    total = np.cumsum(np.concatenate(([0.0], np.pad(values, wide // 2, mode="edge"))))
    average: NDArray[np.float64] = (total[wide:] - total[:-wide]) / wide
    return average


def unrest(packets: Packets, *, quantisers: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say how far each moment is from the stream's own normal.

    Args:
        packets: the stream's packets.
        quantisers: correct sizes by the quantiser, where it is known: six steps halve the bits.

    Returns:
        Times in seconds, ascending, of the pictures that are no key frames; and for each how unusual the size and the
        pattern of the pictures around it are, in robust standard deviations. Above about 3 something happens.
    """
    order = packets.order
    kind = packets.kind[order]
    keep = kind != KEY
    times, kind = packets.times[order][keep], kind[keep]
    size = np.log(packets.size[order][keep].astype(np.float64) + _EMPTY_BYTES)
    if not len(times):
        return times, np.zeros(0)
    if quantisers:
        size += np.nan_to_num(packets.qp[order][keep].astype(np.float64)) * (np.log(2.0) / 6.0)
    rate = 1.0 / packets.interval
    residual = np.zeros(len(times))
    for one in (PREDICTED, BETWEEN):
        mine = kind == one
        if mine.sum() < _CLASS_MIN:
            continue
        level = running_level(size[mine], max(31, int(_BASE_SECONDS * rate * mine.mean())), _LEVEL)
        off = size[mine] - level
        residual[mine] = np.clip(off / max(robust_spread(off), _SPREAD_MIN), _CLIP_LOW, _CLIP_HIGH)
    score = smooth(residual, _SMOOTH_SECONDS * rate)
    score /= max(robust_spread(score), 0.3)
    ahead = (kind == PREDICTED).astype(np.float64)
    if 0.02 < ahead.mean() < 0.98:
        pattern = smooth(ahead, _PATTERN_SECONDS * rate)
        pattern -= running_level(pattern, int(_BASE_SECONDS * rate), 50.0)
        score += pattern / max(0.08, robust_spread(pattern))
    return times, score
