"""Which frames to keep: indexes into a track, ascending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelwise.errors import InputError
from reelwise.units import ceil
from reelwise.video.stretches import Stretches, frames_in

if TYPE_CHECKING:
    from reelwise.video.clips import Track

__all__ = ["Indexes", "sample_adaptive", "sample_adaptive_budget", "sample_uniform"]

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


def sample_adaptive_budget(track: Track, stretches: Stretches, budget: int, *, even: float = 0.3) -> Indexes:
    """Keep at most `budget` frames, spent where most changes.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds.
        budget: frames to keep, at least 1.
        even: share 0..1 of the budget that is spread evenly over time, so that quiet parts are seen too.

    Raises:
        InputError: a budget below 1.
    """
    if budget < 1 or not 0 <= even <= 1:
        raise InputError("the budget is at least one frame, `even` a share 0..1", hint="see sample_adaptive_budget()")
    spans = frames_in(track, stretches)
    if not spans:
        return np.zeros(0, np.int64)
    frames = np.unique(np.concatenate([np.arange(first, last) for first, last in spans]))
    if budget >= len(frames):
        return frames.astype(np.int64)
    steps = np.minimum(np.diff(track.times, append=track.seconds), 10.0)[frames]
    moved = track.change[frames].astype(np.float64)
    weight = even * steps / max(steps.sum(), 1e-12) + (1 - even) * moved / max(moved.sum(), 1e-12)
    ladder = np.cumsum(weight)
    picks = np.searchsorted(ladder, (np.arange(budget) + 0.5) / budget * ladder[-1])
    starts = np.searchsorted(frames, [first for first, _ in spans])
    return frames[_spread(np.clip(picks, 0, len(frames) - 1), starts, budget, len(frames))].astype(np.int64)


def _spread(picks: NDArray[np.intp], starts: NDArray[np.intp], budget: int, count: int) -> NDArray[np.intp]:
    """Let the first frame of each stretch in, as many as there is room for, then fill up to the budget."""
    must = np.unique(starts)[:budget]
    others = np.setdiff1d(picks, must)
    room = budget - len(must)
    if len(others) > room:
        others = others[np.linspace(0, len(others) - 1, room).round().astype(int)] if room else others[:0]
    chosen = np.union1d(must, others)
    if len(chosen) < budget:
        free = np.setdiff1d(np.arange(count), chosen)
        more = free[np.linspace(0, len(free) - 1, budget - len(chosen)).round().astype(int)]
        chosen = np.union1d(chosen, more)
    return chosen


def _paired(track: Track, stretches: Stretches) -> tuple[list[tuple[int, int]], list[tuple[float, float]]]:
    spans, times = [], []
    for stretch in stretches:
        for span in frames_in(track, [stretch]):
            spans.append(span)
            times.append(stretch)
    return spans, times


def _joined(kept: list[Indexes]) -> Indexes:
    return np.unique(np.concatenate(kept)).astype(np.int64) if kept else np.zeros(0, np.int64)
