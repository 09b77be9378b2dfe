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

__all__ = ["spaced_keys", "unlike_keys", "watch_keys"]

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


def _measured(
    source: Source, packets: Packets, keys: NDArray[np.intp], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    plan = np.zeros(packets.count, np.uint8)
    plan[keys] = FULL
    watch = Watch(mask)
    for seconds, grid in source.grids(packets, plan):
        watch.add(seconds, grid)
    return watch.done()


def unlike_keys(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Decode all key frames; say of each whether it differs from the one before: bool (keys,)."""
    keys = packets.keys
    times, change, _ = _measured(source, packets, keys, mask)
    usual = min(CHANGE_MIN, 2.0 * float(np.quantile(change, 0.3))) if len(change) else 0.0
    differs = change > CHANGE_MIN / 2 + usual
    unlike = np.ones(len(keys), np.bool_)  # one that cannot be decoded may be anything
    at = np.searchsorted(times, packets.times[keys])
    known = at < len(times)
    known[known] = np.abs(times[at[known]] - packets.times[keys][known]) < packets.interval / 2
    unlike[known] = differs[at[known]]
    return unlike


def watch_keys(source: Source, packets: Packets, mask: NDArray[np.bool_] | None) -> list[tuple[float, float]]:
    """Decode key frames only and return the stretches, from one to the next, in which something differs."""
    times, change, activity = _measured(source, packets, spaced_keys(packets), mask)
    bounds = np.append(times, packets.seconds)
    spans: list[tuple[float, float]] = []
    for at in range(len(times)):
        seen = activity[at] > ACTIVITY_MIN
        if seen or (change[at] > CHANGE_MIN and at and activity[at - 1] > ACTIVITY_MIN):
            spans.append((float(bounds[max(0, at - 1)]), float(bounds[at + 1] if seen else bounds[at])))
    return join_spans(spans, packets.interval)
