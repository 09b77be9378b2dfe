"""What a choice of frames shows, beside what frames at an even pace show: the same figures for both, at the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.video.budgets import sample_adaptive_budget, sample_question, sample_shots, sample_uniform_budget
from reelwise.video.cuts import shots
from reelwise.video.scores import scores_at
from reelwise.video.skipped import coverage
from reelwise.video.stretches import frames_in, gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reelwise.video.clips import Track
    from reelwise.video.sampling import Indexes
    from reelwise.video.scores import Scores
    from reelwise.video.stretches import Stretches

__all__ = ["FIGURES", "JUDGED_BY", "WAYS", "Choice", "Seen", "Way", "choose", "hold_against", "judge"]

Way = Literal["uniform", "change", "shot", "question"]
WAYS: tuple[Way, ...] = ("uniform", "change", "shot", "question")
JUDGED_BY: dict[str, tuple[str, ...]] = {
    "uniform": (),
    "change": ("events_share", "change_share"),
    "shot": ("shots_share",),
    "question": ("top_score_share",),
}
"""The figures that each way is made for; a later one decides where an earlier one is level."""
FIGURES: dict[str, str] = {
    "events_share": "activities with a frame in them",
    "active_share": "active time within 1 s of a frame",
    "change_share": "change within 1 s of a frame",
    "largest_unseen_change": "most change between two frames",
    "shots_share": "shots with a frame in them",
    "top_score_share": "best-scored tenth within 1 s of a frame",
    "largest_gap_seconds": "longest time without a frame, s",
}
"""What the figures are called, in the order in which they are shown."""

_LEVEL = 0.005
_TOP = 0.1  # share of the moments that are a question's best


class Seen(Struct, frozen=True, kw_only=True):
    """What some frames show. Shares are 0..1; None where there is nothing to show.

    Attributes:
        frames: how many they are.
        events_share: activities, as the gate finds them, with a frame within.
        active_share: time of these activities with a frame at most a second away.
        change_share: of all that changes, what changes at most a second from a frame.
        shots_share: shots with a frame within; shots of one colour do not count.
        top_score_share: of what the best tenth of the scored moments exceed the median by, the share of the moments that have
            a frame at most a second (or half the distance of scores, if that is more) away.
        largest_gap_seconds: longest time without a frame.
        largest_unseen_change: of all that changes, the most that lies between two neighbouring frames (or an end).
    """

    frames: int
    events_share: float | None
    active_share: float | None
    change_share: float | None
    shots_share: float | None
    top_score_share: float | None
    largest_gap_seconds: float
    largest_unseen_change: float | None


class Choice(Struct, frozen=True, kw_only=True, eq=False):
    """Chosen frames, what they show, and what as many at an even pace show.

    Attributes:
        by: the way they were chosen.
        frames: int64 (n,), ascending indexes into the track.
        seconds: their times.
        seen: what they show.
        uniform: what as many frames at an even pace show.
        judged_by: the fields of both that this way is made for; none of an even pace.
        verdict: better, level or worse than an even pace, by these.
    """

    by: Way
    frames: Any
    seconds: tuple[float, ...]
    seen: Seen
    uniform: Seen
    judged_by: tuple[str, ...]
    verdict: Literal["better", "level", "worse"]


def choose(
    track: Track,
    budget: int,
    *,
    by: Way = "change",
    stretches: Stretches | None = None,
    scores: Scores | Callable[[float], float] | None = None,
) -> Choice:
    """Choose frames under a budget and hold the choice against as many frames at an even pace.

    Args:
        track: what one decode measured.
        budget: frames, at least 1.
        by: uniform, change, shot or question.
        stretches: (start, stop) in seconds to choose from; the whole clip where left out.
        scores: needed by question, judged by in any way: scores of moments, or a function from seconds to a score.

    Raises:
        InputError: a budget below 1, an unknown way, or no scores for a question.
    """
    scores = None if scores is None else scores_at(track, scores)
    spans = ((0.0, track.seconds),) if stretches is None else tuple(stretches)
    if by == "question":
        if scores is None:
            raise InputError("sampling by question needs scores", where="scores", hint="read_scores(FILE) reads some")
        kept = sample_question(track, spans, budget, scores)
    elif by in _KINDS:
        kept = _KINDS[by](track, spans, budget)
    else:
        raise InputError(f"no way of sampling is named {by!r}", where="by", hint=f"one of {', '.join(WAYS)}")
    return hold_against(track, kept, spans, by=by, scores=scores)


def hold_against(track: Track, kept: Indexes, stretches: Stretches, *, by: Way, scores: Scores | None = None) -> Choice:
    """Hold frames that were chosen against as many at an even pace.

    Args:
        track: what one decode measured.
        kept: indexes of the frames, ascending.
        stretches: (start, stop) in seconds that they were chosen from.
        by: the way they were chosen, which says by what they are judged.
        scores: of moments, for by question.
    """
    even = sample_uniform_budget(track, stretches, max(1, len(kept)))
    seen, uniform = judge(track, kept, stretches, scores), judge(track, even, stretches, scores)
    return Choice(
        by=by,
        frames=kept,
        seconds=tuple(float(time) for time in track.times[kept]),
        seen=seen,
        uniform=uniform,
        judged_by=JUDGED_BY[by],
        verdict=_verdict(seen, uniform, JUDGED_BY[by]),
    )


def _verdict(seen: Seen, uniform: Seen, fields: tuple[str, ...]) -> Literal["better", "level", "worse"]:
    for name in fields:
        one, other = getattr(seen, name), getattr(uniform, name)
        if one is not None and other is not None and abs(one - other) > _LEVEL:
            return "better" if one > other else "worse"
    return "level"


_KINDS = {"uniform": sample_uniform_budget, "change": sample_adaptive_budget, "shot": sample_shots}


def judge(track: Track, kept: Indexes, stretches: Stretches, scores: Scores | None = None) -> Seen:
    """Say what frames show of some stretches of a clip, by figures that do not depend on how they were chosen.

    Args:
        track: what one decode measured.
        kept: indexes of the frames, ascending.
        stretches: (start, stop) in seconds in play.
        scores: of moments, for `top_score_share`.
    """
    times = track.times[kept]
    events = _cut(gate(track, pad_seconds=0.0), stretches)
    near = _near(times, track.times)
    play = np.zeros(track.frames, np.bool_)
    for first, last in frames_in(track, stretches):
        play[first:last] = True
    change = np.where(play, track.change, 0).astype(np.float64)
    total = float(change.sum())
    gaps, unseen = _gaps(track, kept, stretches, change)
    return Seen(
        frames=len(kept),
        events_share=_holding(times, events),
        active_share=coverage(track, kept, events) if frames_in(track, events) else None,
        change_share=float(change[near <= 1.0 + 1e-9].sum()) / total if total > 0 else None,
        shots_share=_shots_share(track, times, stretches),
        top_score_share=_top_share(times, scores, stretches) if scores is not None else None,
        largest_gap_seconds=round(gaps, 3),
        largest_unseen_change=unseen / total if total > 0 else None,
    )


def _cut(spans: Stretches, to: Stretches) -> list[tuple[float, float]]:
    both = ((max(a, c), min(b, d)) for a, b in spans for c, d in to)
    return [(start, stop) for start, stop in both if stop - start > 1e-6]


def _near(kept: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each time is from the nearest kept one."""
    if not len(kept):
        return np.full(len(times), np.inf)
    after = np.clip(np.searchsorted(kept, times), 0, len(kept) - 1)
    before = np.clip(after - 1, 0, len(kept) - 1)
    nearest: NDArray[np.float64] = np.minimum(np.abs(kept[after] - times), np.abs(times - kept[before]))
    return nearest


def _holding(times: NDArray[np.float64], spans: Stretches) -> float | None:
    """Return the share of spans with a time within."""
    if not spans:
        return None
    bounds = np.array(spans)
    held = np.searchsorted(times, bounds[:, 1] - 1e-9) > np.searchsorted(times, bounds[:, 0] - 1e-9)
    return float(held.mean())


def _shots_share(track: Track, times: NDArray[np.float64], stretches: Stretches) -> float | None:
    try:
        found = shots(track)
    except InputError:  # a track made from numbers: nothing is known of its shots
        return None
    return _holding(times, _cut([(shot.start, shot.stop) for shot in found if not shot.flat], stretches))


def _top_share(times: NDArray[np.float64], scores: Scores, stretches: Stretches) -> float | None:
    seconds, weights = scores.above_median()
    inside = np.zeros(len(seconds), np.bool_)
    for start, stop in stretches:
        inside |= (seconds >= start) & (seconds < stop)
    seconds, weights = seconds[inside], weights[inside]
    best = np.argsort(-weights, kind="stable")[: max(1, round(_TOP * len(weights)))]
    total = float(weights[best].sum())
    if total <= 0:
        return None
    held = _near(times, seconds[best]) <= max(1.0, scores.step / 2) + 1e-9
    return float(weights[best][held].sum()) / total


def _gaps(track: Track, kept: Indexes, stretches: Stretches, change: NDArray[np.float64]) -> tuple[float, float]:
    """Return the longest time without a frame within a stretch, and the most that changes between two neighbours."""
    longest = 0.0
    for start, stop in stretches:
        inside = track.times[kept]
        inside = inside[(inside >= start - 1e-9) & (inside < stop)]
        edges = np.concatenate(([start], inside, [min(stop, track.seconds)]))
        longest = max(longest, float(np.diff(edges).max()))
    total = np.concatenate(([0.0], np.cumsum(change)))
    edges = np.concatenate(([0], np.asarray(kept, np.int64) + 1, [track.frames]))
    return longest, float(np.diff(total[edges]).max())
