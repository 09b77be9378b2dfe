"""What was not sent: the honesty section of a report."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.video.stretches import Stretches, frames_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.clips import Track

__all__ = ["Skipped", "coverage", "largest_skipped"]


class Skipped(Struct, frozen=True):
    """The largest change between two kept frames.

    Attributes:
        time: seconds of the frame, not kept, in which most changed.
        change: share of cells that changed, added up over the frames of the gap that were not kept.
        activity: largest share of active cells in the gap.
        seconds: length of the gap between the kept frames around it.
        frame: index of the frame.
    """

    time: float
    change: float
    activity: float
    seconds: float
    frame: int


def largest_skipped(track: Track, kept_indices: NDArray[np.int64], n: int = 6) -> tuple[Skipped, ...]:
    """List the largest changes that no kept frame shows, largest first; one for each gap between kept frames.

    Args:
        track: what one decode measured.
        kept_indices: ascending indexes of the frames that were sent.
        n: how many at most.
    """
    edges = np.concatenate(([-1], np.asarray(kept_indices, dtype=np.int64), [track.frames]))
    found = []
    for before, after in itertools.pairwise(edges):
        if after - before < 2:
            continue
        gap = slice(int(before) + 1, int(after))
        total = float(track.change[gap].sum())
        if total <= 0:
            continue
        frame = gap.start + int(np.argmax(track.change[gap]))
        start = float(track.times[before]) if before >= 0 else 0.0
        stop = float(track.times[after]) if after < track.frames else track.seconds
        found.append(
            Skipped(
                time=float(track.times[frame]),
                change=total,
                activity=float(track.activity[gap].max()),
                seconds=stop - start,
                frame=frame,
            )
        )
    found.sort(key=lambda one: (-one.change, one.time))
    return tuple(found[: max(0, n)])


def coverage(
    track: Track, kept_indices: NDArray[np.int64], stretches: Stretches, *, within_seconds: float = 1.0
) -> float:
    """Return the share 0..1 of the stretches' frames with a kept frame at most `within_seconds` away; 1.0 without frames."""
    if within_seconds < 0:
        raise InputError("within_seconds is not negative", hint="1.0 is one second")
    spans = frames_in(track, stretches)
    if not spans:
        return 1.0
    frames = np.unique(np.concatenate([np.arange(first, last) for first, last in spans]))
    kept = track.times[np.asarray(kept_indices, dtype=np.int64)]
    if len(kept) == 0:
        return 0.0
    times = track.times[frames]
    after = np.clip(np.searchsorted(kept, times), 0, len(kept) - 1)
    before = np.clip(after - 1, 0, len(kept) - 1)
    distance = np.minimum(np.abs(kept[after] - times), np.abs(times - kept[before]))
    return float(np.mean(distance <= within_seconds + 1e-9))
