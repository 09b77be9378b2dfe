"""Stretches of time in which something happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.clips import Track

__all__ = ["ACTIVITY_MIN", "Stretches", "active_seconds", "frames_in", "gate", "runs"]

Stretches = Sequence[tuple[float, float]]

ACTIVITY_MIN = 0.001
"""Share of active cells that is an event: 14 of a 160x90 grid, a cat at ten metres."""

_FLOOR_QUANTILE = 0.1


def gate(
    track: Track,
    *,
    threshold: float = ACTIVITY_MIN,
    pad_seconds: float = 1.0,
    join_seconds: float = 2.0,
    minimum_seconds: float = 0.2,
) -> tuple[tuple[float, float], ...]:
    """Find the stretches in which something moves or has newly appeared.

    Sensor noise and light changes are already out of `track.activity`; what unrest is left is learned as the clip's
    quietest tenth and taken off, up to the threshold itself. An event starts above the threshold and ends below half of it.

    Args:
        track: what one decode measured.
        threshold: share of active cells that starts an event.
        pad_seconds: kept before and after each event.
        join_seconds: quiet gaps up to this length are kept.
        minimum_seconds: shorter events are dropped, before padding.

    Returns:
        (start, stop) in seconds, ascending, not overlapping, within the clip.

    Raises:
        InputError: a threshold outside 0..1 or a negative duration.
    """
    if not 0 <= threshold <= 1 or min(pad_seconds, join_seconds, minimum_seconds) < 0:
        raise InputError("the gate's threshold is a share 0..1 and its durations are not negative", hint="see gate()")
    if track.frames == 0:
        return ()
    floor = min(float(np.quantile(track.activity, _FLOOR_QUANTILE)), threshold)
    level = track.activity - floor
    on = _with_hysteresis(level > threshold, level > threshold / 2)
    return runs(on, track.times, track.seconds, pad=pad_seconds, join=join_seconds, minimum=minimum_seconds)


def _with_hysteresis(high: NDArray[np.bool_], low: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep runs of `low` that hold at least one `high`."""
    label = np.cumsum(np.diff(low, prepend=False) & low)
    label[~low] = 0
    wanted = np.unique(label[high & low])
    return np.isin(label, wanted[wanted > 0])


def runs(
    on: NDArray[np.bool_], starts: NDArray[np.float64], end: float, *, pad: float, join: float, minimum: float
) -> tuple[tuple[float, float], ...]:
    """Turn a mask over moments into padded, joined stretches; a moment lasts until the next one starts."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    bounds = np.append(starts, end)
    found: list[tuple[float, float]] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, stop = float(bounds[first]), float(bounds[last])
        if stop - start < minimum - 1e-9:
            continue
        start, stop = max(0.0, start - pad), min(end, stop + pad)
        if found and start - found[-1][1] <= join:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        elif stop > start:
            found.append((start, stop))
    return tuple(found)


def active_seconds(stretches: Iterable[tuple[float, float]]) -> float:
    """Add up the length of stretches."""
    return float(sum(stop - start for start, stop in stretches))


def frames_in(track: Track, stretches: Stretches) -> list[tuple[int, int]]:
    """Return each stretch's frames as (first, past the last); stretches without a frame are left out."""
    found = []
    for start, stop in stretches:
        first = int(np.searchsorted(track.times, start - 1e-9, side="left"))
        last = int(np.searchsorted(track.times, stop - 1e-9, side="left"))
        if last > first:
            found.append((first, last))
    return found
