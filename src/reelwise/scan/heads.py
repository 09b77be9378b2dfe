"""Where packets tell nothing: everything, or each group of pictures but for its tail."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.keyframes import unlike_keys
from reelwise.scan.source import FULL, SKIP
from reelwise.scan.watch import Pulse, Watch, events_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source
    from reelwise.scan.watch import Spans

__all__ = ["blind_seconds", "watch_all", "watch_heads"]

_BLIND_SECONDS = 2.0
_MOVED_SECONDS = 0.8
_GAP_SECONDS = 0.2
_BLIND_SHARE = 0.4  # of the time from one key frame to the next


def watch_all(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> Spans:
    """Decode everything, without the loop filter, and find the events."""
    watch = Watch(mask)
    for seconds, grid in source.grids(packets, np.full(packets.count, FULL, np.uint8)):
        watch.add(seconds, grid)
    return events_of(*watch.done(), packets.interval)


def blind_seconds(packets: Packets) -> float:
    """Return how long before each key frame pictures are left out by `watch_heads`, at most, in seconds."""
    return min(_BLIND_SECONDS, _BLIND_SHARE * packets.longest_gop())


def watch_heads(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> Spans:
    """Decode all key frames, then each group of pictures but for its tail, and the tails where something may move.

    A tail is decoded where the next key frame differs, or where something was moving before it. An activity that begins and ends
    within one tail and leaves nothing behind is not seen.
    """
    unlike = unlike_keys(source, packets, mask)
    plan = np.full(packets.count, FULL, np.uint8)
    bounds = [*packets.keys.tolist(), packets.count]
    tails: list[tuple[float, int, int]] = []
    for at, (first, last) in enumerate(pairwise(bounds)):
        if last == packets.count or unlike[at + 1]:  # the file's end is always seen
            continue
        times, stop = packets.times[first:last], float(packets.times[last])
        tail = min(_BLIND_SECONDS, _BLIND_SHARE * (stop - float(times[0])))
        late = np.flatnonzero(times > stop - tail)
        if len(late):
            plan[first + int(late[0]) : last] = SKIP
            tails.append((stop - tail, first + int(late[0]), last))
    watch, pulse = Watch(mask), Pulse(mask)
    moved, at, last_seen = -np.inf, 0, -np.inf
    near = max(_MOVED_SECONDS, 3 * packets.interval)
    for seconds, grid in source.grids(packets, plan):
        watch.add(seconds, grid)
        if seconds - last_seen > max(_GAP_SECONDS, 3 * packets.interval):
            pulse = Pulse(mask)
        last_seen = seconds
        if pulse.moves(grid):
            moved = seconds
        while at < len(tails) and seconds >= float(packets.times[tails[at][2]]):
            at += 1
        # decided before the decoder comes to the tail; a picture that moves later still opens what is left of it
        if at < len(tails) and seconds - moved < near and seconds > tails[at][0] - near:
            plan[tails[at][1] : tails[at][2]] = FULL
            at += 1
    return events_of(*watch.done(), packets.interval)
