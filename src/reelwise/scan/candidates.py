"""From how unusual packets are to stretches worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.normal import Unrest
    from reelwise.scan.packets import Packets
    from reelwise.scan.watch import Spans

__all__ = ["candidates_of", "quiet_of"]

_UNUSUAL = 3.2  # robust deviations; never less
_SURELY = 8.0  # unusual whatever the rest is like: never asked for more
_KEPT = 0.13  # share of the time that is unusual in a stream in which little happens
_PAD_SECONDS = 0.25
_JOIN_SECONDS = 0.5
_MASS_MIN = 0.1  # robust deviations times seconds above the threshold: a lone packet is less
_MASS_MIN_LIGHT = 0.03  # where light changes, packets are noisier and events stand out less


def candidates_of(unrest: Unrest, packets: Packets, *, light: bool = False) -> tuple[float, Spans]:
    """Return the limit above which this stream is unusual, and the stretches above it.

    Args:
        unrest: how unusual packets are.
        packets: the stream's packets.
        light: whether the light of the whole picture changes: then weaker unrest counts.
    """
    times, score = unrest.times, unrest.score
    if not len(times):
        return _UNUSUAL, []
    limit, spans = _threshold(times, score, packets.seconds)
    excess = np.concatenate(([0.0], np.cumsum(np.maximum(0.0, score - limit) * packets.interval)))
    mass = [excess[np.searchsorted(times, b)] - excess[np.searchsorted(times, a)] for a, b in spans]
    return limit, [
        span for span, one in zip(spans, mass, strict=True) if one >= (_MASS_MIN_LIGHT if light else _MASS_MIN)
    ]


def quiet_of(unrest: Unrest, packets: Packets, limit: float) -> NDArray[np.float64]:
    """Return the largest score between each key frame and the next; nan where that is unusual."""
    keys = np.sort(packets.times[packets.keys])
    if not len(unrest.times) or not len(keys):
        return np.zeros(max(0, len(keys) - 1))
    # a maximum a GOP; an empty one takes the first of the next, which is harmless
    bounds = np.minimum(np.searchsorted(unrest.times, keys), len(unrest.score) - 1)
    most = np.maximum.reduceat(unrest.score, bounds)[: len(keys) - 1]
    return np.where(most <= limit, most, np.nan)


def _threshold(times: NDArray[np.float64], score: NDArray[np.float64], seconds: float) -> tuple[float, Spans]:
    """Take the lowest threshold that leaves most of the time quiet, within bounds, and what lies above it."""
    low, high = _UNUSUAL, _SURELY
    spans = _above(times, score, low, seconds)
    if _length(spans) <= _KEPT * seconds:
        return low, spans
    for _ in range(6):
        middle = (low + high) / 2
        if _length(_above(times, score, middle, seconds)) > _KEPT * seconds:
            low = middle
        else:
            high = middle
    return high, _above(times, score, high, seconds)


def _above(times: NDArray[np.float64], score: NDArray[np.float64], limit: float, seconds: float) -> Spans:
    """Return the padded, joined spans in which the score is above a limit."""
    moments = times[score > limit]
    if not len(moments):
        return []
    cut = np.flatnonzero(np.diff(moments) > 2 * _PAD_SECONDS + _JOIN_SECONDS)
    starts = np.maximum(0.0, moments[np.append(0, cut + 1)] - _PAD_SECONDS)
    stops = np.minimum(seconds, moments[np.append(cut, len(moments) - 1)] + _PAD_SECONDS)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _length(spans: Spans) -> float:
    return sum(stop - start for start, stop in spans)
