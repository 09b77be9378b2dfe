"""Which frames to keep at a pace: indexes into a track, ascending. `budgets` keeps a number of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelwise.errors import InputError
from reelwise.units import ceil
from reelwise.video.stretches import Stretches, frames_in

if TYPE_CHECKING:
    from reelwise.video.clips import Track

__all__ = ["Indexes", "sample_adaptive", "sample_uniform"]

Indexes = NDArray[np.int64]

_SLACK = 1e-6  # seconds: time stamps are rounded to their time base


def sample_uniform(track: Track, stretches: Stretches, fps: float) -> Indexes:
    """Keep frames at an even pace, each stretch from its first frame: `ceil(seconds * fps)` of them, or all there are.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds.
        fps: frames a second, above 0.

    Raises:
        InputError: fps is not above 0.
    """
    if not fps > 0:
        raise InputError("fps is a number above 0", hint="0.1 keeps a frame every ten seconds")
    kept: list[Indexes] = []
    for (first, last), (start, stop) in zip(*_paired(track, stretches), strict=True):
        begin = max(start, float(track.times[first]))
        count = int(ceil((min(stop, track.seconds) - begin) * fps))
        wanted = begin + np.arange(max(1, count)) / fps
        # the frame on screen at that moment
        index = np.searchsorted(track.times, wanted + _SLACK, side="right") - 1
        kept.append(np.clip(index, first, last - 1))
    return _joined(kept)


def sample_adaptive(
    track: Track,
    stretches: Stretches,
    *,
    change: float = 0.03,
    fps_max: float = 2.0,
    gap_max_seconds: float = 10.0,
) -> Indexes:
    """Keep a frame when enough has changed since the last kept one.

    Change is added up frame by frame; slow drift, which no pair of frames shows, counts through the difference in activity.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds; each begins with a kept frame.
        change: accumulated share of changed cells that is worth a frame.
        fps_max: frames a second at most.
        gap_max_seconds: a frame at least that often (where the clip has frames).

    Raises:
        InputError: a setting is not above 0.
    """
    if not (change > 0 and fps_max > 0 and gap_max_seconds > 0):
        raise InputError("change, fps_max and gap_max_seconds are above 0", hint="see sample_adaptive()")
    total = np.cumsum(track.change, dtype=np.float64)
    kept: list[int] = []
    for first, last in frames_in(track, stretches):
        at = first
        while at < last:  # each turn moves at least one frame ahead
            kept.append(at)
            at = _next_adaptive(track, total, (at, last), change=change, fps_max=fps_max, gap=gap_max_seconds)
    return np.unique(np.array(kept, dtype=np.int64))


def _next_adaptive(
    track: Track, total: NDArray[np.float64], span: tuple[int, int], *, change: float, fps_max: float, gap: float
) -> int:
    at, last = span
    times = track.times
    soonest = max(at + 1, int(np.searchsorted(times, times[at] + 1 / fps_max - _SLACK)))
    latest = max(at + 1, int(np.searchsorted(times, times[at] + gap + _SLACK, side="right")) - 1)
    if soonest >= latest:
        return soonest if soonest <= latest else max(latest, min(soonest, last))
    window = slice(soonest, min(latest, last))
    moved = total[window] - total[at]
    drifted = np.abs(track.activity[window] - track.activity[at])
    enough = np.flatnonzero(np.maximum(moved, drifted) >= change)
    return soonest + int(enough[0]) if len(enough) else latest


def _paired(track: Track, stretches: Stretches) -> tuple[list[tuple[int, int]], list[tuple[float, float]]]:
    spans, times = [], []
    for stretch in stretches:
        for span in frames_in(track, [stretch]):
            spans.append(span)
            times.append(stretch)
    return spans, times


def _joined(kept: list[Indexes]) -> Indexes:
    return np.unique(np.concatenate(kept)).astype(np.int64) if kept else np.zeros(0, np.int64)
