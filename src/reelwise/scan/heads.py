"""Where packets tell nothing: everything, or each group of pictures but for its tail."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.source import FULL, SKIP
from reelwise.scan.watch import Watch, events_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source

__all__ = ["blind_seconds", "watch_all", "watch_heads"]

_BLIND_SECONDS = 2.0
_BLIND_SHARE = 0.4  # of the time from one key frame to the next

Spans = list[tuple[float, float]]


def watch_all(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> Spans:
    """Decode everything, without the loop filter, and find the events."""
    watch = Watch(mask)
    for seconds, grid in source.grids(packets, np.full(packets.count, FULL, np.uint8)):
        watch.add(seconds, grid)
    return events_of(*watch.done(), packets.interval)


def blind_seconds(packets: Packets) -> float:
    """Return how long before each key frame pictures are left out by `watch_heads`, at most, in seconds."""
    return min(_BLIND_SECONDS, _BLIND_SHARE * packets.longest_gop())


def watch_heads(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> tuple[Spans, Spans]:
    """Decode each group of pictures but for its tail.

    Returns:
        The events that lie in what was decoded, and the spans in which others begin or end: gaps are included in those.

    What moves in a tail is seen where the next key frame differs. An activity that begins and ends within one tail and leaves
    nothing behind is not seen.
    """
    plan = np.full(packets.count, FULL, np.uint8)
    bounds = [*packets.keys.tolist(), packets.count]
    for first, last in pairwise(bounds):
        times = packets.times[first:last]
        begin = times[0]
        stop = packets.times[last] if last < packets.count else packets.seconds
        tail = min(_BLIND_SECONDS, _BLIND_SHARE * float(stop - begin))
        late = np.flatnonzero(times > stop - tail)
        if len(late) and last < packets.count:  # the file's end is always seen
            plan[first + int(late[0]) : last] = SKIP
    watch = Watch(mask)
    for seconds, grid in source.grids(packets, plan):
        watch.add(seconds, grid)
    times, change, activity = watch.done()
    certain: Spans = []
    open_ended: Spans = []
    for start, stop in events_of(times, change, activity, packets.interval):
        at, to = int(np.searchsorted(times, start)), int(np.searchsorted(times, stop - packets.interval / 2))
        before = float(times[at - 1]) if at else 0.0
        after = float(times[to]) if to < len(times) else packets.seconds
        whole = max(start - before, after - stop) < 3 * packets.interval
        (certain if whole else open_ended).append(
            (min(start, before), max(stop, after)) if not whole else (start, stop)
        )
    return certain, open_ended
