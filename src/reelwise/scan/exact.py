"""Decode only around candidates: from the key frame before each, pictures that others need first, all of them near it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.source import FULL, REFERENCES, SKIP
from reelwise.scan.watch import Watch, events_of, join_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source

__all__ = ["blind_seconds", "least_share", "plan_around", "verify", "watch_all", "watch_heads"]

_QUIET_SECONDS = 0.8  # watched before a candidate, to know what quiet looks like
_WIDER_SECONDS = 2.0
_ROUNDS_MAX = 3
_APART_SECONDS = 2.0
_EDGE_SECONDS = 1.2  # from a span's start, and before its stop, every picture is decoded: boundaries lie there
_GAP_SECONDS = 1.0  # between pictures: another run
_AHEAD = 6  # pictures that a decoder may hold back
_SETTLED_SECONDS = 0.6
_IDLE_SECONDS = 1.5
_BEFORE_SECONDS = 2.4  # measured before a candidate: where it begins earlier than packets say, this finds it
_LOOK_SECONDS = 1.0
_LOOK_ENDING_SECONDS = 0.25
_LEAVE_MAX_SECONDS = 2.0  # of a candidate, unseen until the next key frame in it
_BLIND_SECONDS = 2.0
_BLIND_SHARE = 0.4  # of the time from one key frame to the next

Spans = list[tuple[float, float]]


def plan_around(packets: Packets, spans: Spans) -> NDArray[np.uint8]:
    """Say which packets must be decoded to see these spans."""
    plan = np.zeros(packets.count, np.uint8)
    keys = packets.keys
    if not len(keys):
        plan[:] = FULL
        return plan
    starts = packets.times[keys]
    for start, stop in spans:
        before = np.flatnonzero(starts <= start + 1e-6)
        first = int(keys[before[-1]]) if len(before) else 0
        inside = np.flatnonzero(packets.times[first:] <= stop + 1e-6)
        last = first + int(inside[-1]) if len(inside) else first
        part = slice(first, last + 1)
        times = packets.times[part]
        near = (times >= start - packets.interval) & ((times < start + _EDGE_SECONDS) | (times > stop - _EDGE_SECONDS))
        plan[part] = np.maximum(plan[part], np.where(near, FULL, REFERENCES))
    return plan


def least_share(packets: Packets, spans: Spans) -> float:
    """Return the share of pictures that cannot be left out: from the key frame before each span to its end."""
    return float((plan_around(packets, spans) > 0).mean()) if spans else 0.0


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


def verify(source: Source, packets: Packets, candidates: Spans, mask: NDArray[np.bool_] | None) -> Spans:
    """Decode around candidates and return the events seen there, starts and stops as decoded.

    A candidate in which nothing moves is dropped. An event that was under way at the key frame is decoded from an earlier one,
    a bounded number of times.
    """
    spans = _prepared(candidates, packets)
    events: Spans = []
    for _ in range(_ROUNDS_MAX):
        found = _watched(source, packets, spans, mask)
        wider: Spans = []
        for span in spans:
            inside = [one for one in found if one[0] < span[1] and one[1] > span[0]]
            grown = _grown(span, inside, packets)
            if grown == span:
                events += inside
            else:
                wider.append(grown)
        if not wider:
            break
        spans = join_spans(wider, _APART_SECONDS)
    else:
        events += found
    return join_spans(events, packets.interval)


def _prepared(candidates: Spans, packets: Packets) -> Spans:
    padded = [(max(0.0, a - _QUIET_SECONDS), min(packets.seconds, b)) for a, b in candidates]
    return join_spans(padded, _APART_SECONDS)


def _grown(span: tuple[float, float], events: Spans, packets: Packets) -> tuple[float, float]:
    """Start a span earlier where an event was under way in the first picture that was measured."""
    if not events:
        return span
    first = min(a for a, _ in events)
    starts = packets.times[packets.keys]
    before = starts[starts <= span[0] + 1e-6]
    began = max(float(before.max()) if len(before) else 0.0, span[0] - _BEFORE_SECONDS)
    if first - began < 3 * packets.interval and began > 0:
        return max(0.0, began - _WIDER_SECONDS), span[1]
    return span


def _watched(source: Source, packets: Packets, spans: Spans, mask: NDArray[np.bool_] | None) -> Spans:
    """Decode spans and find events; a span is drawn out while something moves, and left early where nothing does."""
    plan = plan_around(packets, spans)
    found: Spans = []
    watch, last, looked = Watch(mask), -np.inf, 0.0
    at, stop = 0, spans[0][1] if spans else 0.0
    for seconds, grid in source.grids(packets, plan):
        gap = seconds - last > max(_GAP_SECONDS, 6 * packets.interval)
        if gap and last > -np.inf:
            found += events_of(*watch.done(), packets.interval)
            watch = Watch(mask)
            while at < len(spans) - 1 and seconds > spans[at][1]:
                at, stop = at + 1, spans[at + 1][1]
        last = seconds
        if seconds < spans[at][0] - _BEFORE_SECONDS:
            continue
        watch.add(seconds, grid)
        if seconds > stop and at < len(spans) - 1:
            at, stop = at + 1, spans[at + 1][1]
        ending = seconds >= stop - _AHEAD * packets.interval
        if seconds - looked < (_LOOK_ENDING_SECONDS if ending else _LOOK_SECONDS):
            continue
        looked = seconds
        if ending:
            if seconds - watch.moved_last() < _SETTLED_SECONDS:
                stop = min(packets.seconds, stop + _SETTLED_SECONDS)
                _draw_out(plan, packets, seconds, stop)
        elif seconds - max(watch.moved_last(), spans[at][0]) > _IDLE_SECONDS:
            _leave(plan, packets, seconds, stop)
    found += events_of(*watch.done(), packets.interval)
    return found


def _draw_out(plan: NDArray[np.uint8], packets: Packets, now: float, stop: float) -> None:
    late = (packets.times > now) & (packets.times <= stop + packets.interval)
    plan[late] = FULL


def _leave(plan: NDArray[np.uint8], packets: Packets, now: float, stop: float) -> None:
    """Skip what is left before the next key frame of a span that packets call unusual and in which nothing moves."""
    starts = packets.times[packets.keys]
    following = starts[(starts > now) & (starts < stop)]
    until = float(following.min()) if len(following) else now
    if until - now <= _LEAVE_MAX_SECONDS:
        rest = (packets.times > now + packets.interval * _AHEAD) & (packets.times < until - packets.interval / 2)
        plan[rest] = SKIP
