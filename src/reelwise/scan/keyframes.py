"""Key frames alone: what differs between one and the next, for streams whose key frames are close together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.source import FULL
from reelwise.scan.watch import CHANGE_MIN, Watch, join_spans
from reelwise.video.stretches import ACTIVITY_MIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source

__all__ = ["spaced_keys", "watch_keys"]

_SPACING_SECONDS = 0.4  # where every picture is a key frame, some are enough


def spaced_keys(packets: Packets, seconds: float = _SPACING_SECONDS) -> NDArray[np.intp]:
    """Return the key frames that are at least so far apart."""
    keys = packets.keys
    times = packets.times[keys]
    chosen: list[int] = []
    last = -np.inf
    for at, moment in zip(keys.tolist(), times.tolist(), strict=True):
        if moment - last >= seconds - 1e-6:
            chosen.append(at)
            last = moment
    return np.array(chosen, dtype=np.intp)


def watch_keys(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> list[tuple[float, float]]:
    """Decode key frames only and return the stretches, from one to the next, in which something differs."""
    keys = spaced_keys(packets)
    plan = np.zeros(packets.count, np.uint8)
    plan[keys] = FULL
    watch = Watch(mask)
    for seconds, grid in source.grids(packets, plan):
        watch.add(seconds, grid)
    times, change, activity = watch.done()
    bounds = np.append(times, packets.seconds)
    spans: list[tuple[float, float]] = []
    for at in range(len(times)):
        seen = activity[at] > ACTIVITY_MIN
        if seen or (change[at] > CHANGE_MIN and at and activity[at - 1] > ACTIVITY_MIN):
            spans.append((float(bounds[max(0, at - 1)]), float(bounds[at + 1] if seen else bounds[at])))
    return join_spans(spans, packets.interval)
