"""Percentiles of how long calls took, and how evenly they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Latencies", "Rate", "latencies", "rate_of"]

_WINDOWS = 10
_SURE = 20  # calls a window, below which a window says little


class Latencies(Struct, frozen=True, kw_only=True):
    """Milliseconds of calls; None where there was no call."""

    latency_ms_p50: float | None
    latency_ms_p95: float | None
    latency_ms_p99: float | None
    latency_ms_max: float | None


class Rate(Struct, frozen=True, kw_only=True):
    """Frames a second over a run: of all of it, and the 5th and 95th percentile of its parts."""

    value: float
    low: float
    high: float


def latencies(seconds: Sequence[float]) -> Latencies:
    """Return the percentiles of some calls' seconds."""
    if not len(seconds):
        return Latencies(latency_ms_p50=None, latency_ms_p95=None, latency_ms_p99=None, latency_ms_max=None)
    p50, p95, p99, most = (round(float(one) * 1e3, 3) for one in np.quantile(seconds, (0.5, 0.95, 0.99, 1.0)))
    return Latencies(latency_ms_p50=p50, latency_ms_p95=p95, latency_ms_p99=p99, latency_ms_max=most)


def rate_of(ends: Sequence[float], frames_each: int, began: float, stopped: float) -> Rate:
    """Return the rate at which calls ended, over all of a run and over up to ten parts of it of equal length.

    Args:
        ends: when each call ended, in seconds of any clock, in any order.
        frames_each: frames of each call.
        began: when the run did, on the same clock.
        stopped: when it was over.
    """
    length = max(stopped - began, 1e-9)
    value = len(ends) * frames_each / length
    parts = int(np.clip(len(ends) // _SURE, 1, _WINDOWS))
    counts, _ = np.histogram(ends, bins=parts, range=(began, stopped))
    low, high = (float(one) for one in np.quantile(counts * frames_each / (length / parts), (0.05, 0.95)))
    # a call more or less could have ended within the run: few calls say little, however even they came
    low, high = min(low, (len(ends) - 1) * frames_each / length), max(high, (len(ends) + 1) * frames_each / length)
    return Rate(value=round(value, 3), low=round(max(0.0, low), 3), high=round(high, 3))
