"""Which frames to keep when so many can be paid for: indexes into a track, ascending, as many as the budget or as there are.

Each way parts the time that is in play, gives every part its frames, and spreads a part's frames within it: evenly over time,
or over what changes. So no part goes unseen while a longer, busier or better one is seen for the hundredth time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.errors import InputError
from reelwise.video.cuts import shots
from reelwise.video.stretches import frames_in, gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reelwise.video.clips import Track
    from reelwise.video.sampling import Indexes
    from reelwise.video.scores import Scores
    from reelwise.video.stretches import Stretches

__all__ = ["sample_adaptive_budget", "sample_question", "sample_shots", "sample_uniform_budget", "shot_frames"]

_STEP_SECONDS_MAX = 10.0  # a gap between frames counts as so much time at most
_REACH_SECONDS = 0.5  # around a kept frame, what a score says is taken to be seen, at least


def sample_uniform_budget(track: Track, stretches: Stretches, budget: int) -> Indexes:
    """Keep frames in the middle of equal parts of the stretches' time: what every other way is measured against.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds.
        budget: frames to keep, at least 1.

    Raises:
        InputError: a budget below 1.
    """
    frames, ladder = _ladder(track, stretches, budget)
    return _filled(_along(frames, ladder, budget), frames, ladder, budget)


def sample_adaptive_budget(track: Track, stretches: Stretches, budget: int, *, even: float = 0.3) -> Indexes:
    """Keep frames where most changes: each event gets some, by the root of what changes in it, the quiet time between its share.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds; the first frame of each is kept where there is room.
        budget: frames to keep, at least 1.
        even: share 0..1 of the budget that is spread evenly over time, so that quiet parts are seen too.

    Raises:
        InputError: a budget below 1, or a share out of range.
    """
    if not 0 <= even <= 1:
        raise InputError("`even` is a share 0..1", hint="0.3 spreads a third of the frames over time")
    frames, ladder = _ladder(track, stretches, budget)
    if budget >= len(frames):
        return frames
    moved = track.change[frames].astype(np.float64)
    events = [part for part in _parts_of(frames, track, gate(track, pad_seconds=0.0)) if moved[part].sum() > 0]
    firsts = np.array([first for first, _ in frames_in(track, stretches)], np.int64)
    room = max(min(len(events), budget), budget - round(even * budget) - len(firsts))
    kept = np.zeros(0, np.int64)
    weights = [float(np.sqrt(moved[part].sum())) for part in events]
    for part, count in zip(events, _allocate(weights, min(room, budget)), strict=True):
        kept = np.union1d(kept, _along(frames[part], np.cumsum(moved[part]), count))
    kept = np.union1d(kept, firsts[: max(0, budget - len(kept))])
    kept = np.union1d(kept, _along(frames, ladder, min(round(even * budget), budget - len(kept))))
    return _filled(kept, frames, np.cumsum(moved + 1e-9) + 1e-6 * ladder, budget)


def sample_shots(track: Track, stretches: Stretches, budget: int) -> Indexes:
    """Keep at least one frame of each shot, the longest first, and more of longer ones, evenly within a shot.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds; shots are cut to them.
        budget: frames to keep, at least 1.

    Raises:
        InputError: a budget below 1, or a track in which shots were not measured.
    """
    frames, ladder = _ladder(track, stretches, budget)
    found = shots(track)
    pictures = [shot for shot in found if not shot.flat] or list(found)
    parts = _parts_of(frames, track, [(shot.start, shot.stop) for shot in pictures])
    steps = np.diff(ladder, prepend=0.0)
    kept = np.zeros(0, np.int64)
    for part, count in zip(parts, _allocate([float(steps[part].sum()) for part in parts], budget), strict=True):
        kept = np.union1d(kept, _along(frames[part], np.cumsum(steps[part]), count))
    return _filled(kept, frames, ladder, budget)


def shot_frames(track: Track, stretches: Stretches, gap_max_seconds: float) -> int:
    """Count the frames that show every shot at least once, and a long one every `gap_max_seconds`.

    Raises:
        InputError: a gap that is not above 0, or a track in which shots were not measured.
    """
    if not gap_max_seconds > 0:
        raise InputError("gap_max_seconds is above 0", hint="10 shows a long shot every ten seconds")
    frames, _ = _ladder(track, stretches, 1)
    found = shots(track)
    count = 0
    for shot in [shot for shot in found if not shot.flat] or found:
        seconds = sum(max(0.0, min(shot.stop, stop) - max(shot.start, start)) for start, stop in stretches)
        count += int(np.ceil(seconds / gap_max_seconds - 1e-9))
    return min(max(count, 1), len(frames))


def sample_question(track: Track, stretches: Stretches, budget: int, scores: Scores) -> Indexes:
    """Keep frames that tell most of what scores a question high, and not the same moment twice.

    Each moment weighs what its score exceeds the median by; a frame sees the moments around it, less the further they are.
    Frames are chosen one by one for what they add (the greedy rule of a coverage that saturates: at least 63 % of the best
    that so many frames can see, Nemhauser 1978). What is left when nothing more is to be seen is spread over time.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds.
        budget: frames to keep, at least 1.
        scores: what a model of yours says of moments, see `Scores`.

    Raises:
        InputError: a budget below 1.
    """
    frames, ladder = _ladder(track, stretches, budget)
    if budget >= len(frames):
        return frames
    times = track.times[frames]
    seconds, weights = scores.above_median()
    inside = _within(seconds, stretches) & (weights > 0)
    seconds, weights = seconds[inside], weights[inside]
    kept: list[int] = []
    if len(seconds):
        # so wide that the frames together can just see all that scores high
        high = float(scores.step * np.count_nonzero(weights > weights.max() / 2))
        reach = max(_REACH_SECONDS, scores.step, high / budget)
        at = np.clip(np.searchsorted(times, seconds + 1e-6, side="right") - 1, 0, len(times) - 1)
        candidates = np.unique(at)
        kept = [int(candidates[one]) for one in _greedy(times[candidates], seconds, weights, reach, budget)]
    return _filled(frames[np.array(sorted(set(kept)), np.int64)], frames, ladder, budget)


def _greedy(
    times: NDArray[np.float64], seconds: NDArray[np.float64], weights: NDArray[np.float64], reach: float, budget: int
) -> list[int]:
    """Choose candidates one by one, each for what it adds to what is seen; only those near the last one must be judged anew."""
    seen = np.zeros(len(seconds))
    first = np.searchsorted(seconds, times - reach).tolist()
    last = np.searchsorted(seconds, times + reach, side="right").tolist()

    def adds(place: int) -> float:
        part = slice(first[place], last[place])
        near = np.maximum(1 - np.abs(seconds[part] - times[place]) / reach, seen[part])
        return float(((near - seen[part]) * weights[part]).sum())

    added = np.array([adds(place) for place in range(len(times))])
    least = 1e-9 * weights.sum()
    chosen: list[int] = []
    while len(chosen) < min(budget, len(times)):
        best = int(np.argmax(added))
        if added[best] <= least:
            break
        chosen.append(best)
        part = slice(first[best], last[best])
        seen[part] = np.maximum(seen[part], 1 - np.abs(seconds[part] - times[best]) / reach)
        low, high = np.searchsorted(times, (times[best] - 2 * reach, times[best] + 2 * reach + 1e-9)).tolist()
        added[low:high] = [adds(place) for place in range(low, high)]
        added[best] = 0.0
    return chosen


def _ladder(track: Track, stretches: Stretches, budget: int) -> tuple[Indexes, NDArray[np.float64]]:
    """Return the frames in play, and how much time of them has gone by after each."""
    if budget < 1:
        raise InputError("the budget is at least one frame", hint="give a number of frames to keep")
    spans = frames_in(track, stretches)
    if not spans:
        return np.zeros(0, np.int64), np.zeros(0)
    frames = np.unique(np.concatenate([np.arange(first, last) for first, last in spans])).astype(np.int64)
    steps = np.minimum(np.diff(track.times, append=track.seconds), _STEP_SECONDS_MAX)[frames]
    return frames, np.cumsum(steps)


def _along(frames: Indexes, ladder: NDArray[np.float64], count: int) -> Indexes:
    """Take the frames in the middle of `count` equal parts of a ladder, which rises with what is to be shared evenly."""
    if count < 1 or not len(frames):
        return frames[:0]
    wanted = (np.arange(count) + 0.5) / count * ladder[-1]
    return np.unique(frames[np.minimum(np.searchsorted(ladder, wanted), len(frames) - 1)])


def _parts_of(frames: Indexes, track: Track, spans: Stretches) -> list[slice]:
    """Say which of the frames lie in each span; spans without one are left out."""
    times = track.times[frames]
    found = [slice(int(a), int(b)) for a, b in (np.searchsorted(times, np.array(span) - 1e-9) for span in spans)]
    return [part for part in found if part.stop > part.start]


def _within(seconds: NDArray[np.float64], stretches: Stretches) -> NDArray[np.bool_]:
    inside = np.zeros(len(seconds), np.bool_)
    for start, stop in stretches:
        inside |= (seconds >= start) & (seconds < stop)
    return inside


def _allocate(weights: Sequence[float], budget: int) -> list[int]:
    """Share frames among parts: one each while there is room, the heaviest first, then by weight (D'Hondt's rule)."""
    counts = np.zeros(len(weights), np.int64)
    heavy = np.array(weights, np.float64)
    counts[np.argsort(-heavy, kind="stable")[:budget]] = 1
    left = budget - int(counts.sum())
    if left <= 0 or not len(counts):
        return [int(count) for count in counts]
    # whole shares at once, the rest one by one: at most as many turns as there are parts
    total = heavy.sum()
    whole = np.floor(heavy / total * left).astype(np.int64) if total > 0 else np.zeros_like(counts)
    counts += whole
    for _ in range(left - int(whole.sum())):
        counts[int(np.argmax(heavy / (counts + 1)))] += 1
    return [int(count) for count in counts]


def _filled(kept: Indexes, frames: Indexes, ladder: NDArray[np.float64], budget: int) -> Indexes:
    """Bring a choice to exactly the budget: thin it out evenly, or add frames in the middle of the widest steps of a ladder."""
    kept = np.unique(kept) if len(kept) else _along(frames, ladder, budget)
    if len(kept) > budget:
        thinned: Indexes = kept[np.linspace(0, len(kept) - 1, budget).round().astype(int)]
        return thinned
    if budget >= len(frames):
        return frames
    places = np.searchsorted(frames, kept)
    while len(places) < budget:  # each turn halves the widest steps
        places = np.union1d(places, _middles(places, ladder, budget - len(places)))
    return frames[places]


def _middles(kept: NDArray[np.intp], ladder: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Find the frames in the middle of the widest steps between frames kept already (or the ends) that have room."""
    edges = np.concatenate(([-1], kept, [len(ladder)]))
    heights = np.concatenate(([0.0], ladder[kept], [ladder[-1]]))
    wide = np.where(np.diff(edges) > 1, np.diff(heights), -1.0)
    widest = np.argsort(-wide, kind="stable")[:most]
    widest = widest[(wide[widest] >= 0) & (wide[widest] >= wide[widest[0]] / 2)]
    at = np.searchsorted(ladder, (heights[widest] + heights[widest + 1]) / 2)
    places: NDArray[np.intp] = np.clip(at, edges[widest] + 1, edges[widest + 1] - 1)
    return places
