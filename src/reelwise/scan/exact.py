"""Decode only around candidates: land near the edges, look at pictures that others need, leave the inside and the quiet alone.

Predicted pictures cannot be jumped to exactly. But where packets saw nothing between a key frame and a candidate, the key frame
still shows what the picture before the candidate looks like, and decoding goes on from it as if nothing lay between. Whether that
holds in this stream is measured first: some candidates are decoded both ways, and the jump is taken only where their starts and
stops agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.scan.normal import Unrest
from reelwise.scan.routes import Task, landing, route
from reelwise.scan.source import PASS, REFERENCES, SKIP
from reelwise.scan.watch import Pulse, Spans, Watch, events_of, join_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source

__all__ = ["Verified", "verify"]

_LEAD_SECONDS = 1.2  # watched before a candidate, to know what quiet looks like
_LEAD_JUMPED_SECONDS = 2.0  # after a jump it takes some pictures until blocks that had changed a little are settled
_SETTLE_SECONDS = 0.3
_TAIL_SECONDS = 0.4
_BEFORE_SECONDS = (
    1.2  # what must be decoded anyway is measured so long before the lead: events begin earlier than packets say
)
_WIDER_SECONDS = 2.0
_ROUNDS_MAX = 3
_APART_SECONDS = 2.0
_AHEAD = 7  # pictures that a decoder may hold back
_QUIET_SECONDS = 0.8  # without movement after an event, before it is over
_IDLE_SECONDS = 1.5
_GAP_SECONDS = 0.7
_LEAVE_MAX_SECONDS = 2.0  # of a candidate, unseen until the next key frame in it, whatever packets say
_IDLE_AGAIN_SECONDS = 0.6  # once a candidate was still for long
_STILL_MARGIN = 1.15
_INSIDE_SECONDS = 0.4  # of movement that is seen before the inside of an event is left out
_INSIDE_MIN_SECONDS, _INSIDE_MAX_SECONDS = 0.8, 5.0
_INSIDE_LEAST = 0.4  # of what packets said while it was seen to move
_CONCEALED = frozenset(
    {"h264"}
)  # for these libav puts the last picture in the place of a missing one; for HEVC, a grey one
_JUMPS_MIN = 0.08  # share of all pictures that jumps must save to be worth a check
_CHECK_SHARE = 0.15  # of the candidates are decoded both ways
_CHECKS_MIN, _CHECKS_MAX = 2, 12
_AGREE_SECONDS = 0.3
_DOUBT_SECONDS = (
    1.8  # further than this from what packets said, an event seen after a jump is decoded from the key frame
)


class Verified(Struct, frozen=True, kw_only=True):
    """Events as decoded, and how.

    Attributes:
        events: start and stop, in seconds.
        jumped: spans that were decoded after a jump.
        edges_checked: starts and stops that were decoded both ways.
        edge_error: largest difference between the two, in seconds; infinite where an event was seen only one way.
    """

    events: Spans
    jumped: Spans = []
    edges_checked: int = 0
    edge_error: float = 0.0


def verify(
    source: Source, packets: Packets, candidates: Spans, mask: NDArray[np.bool_] | None, *, unrest: Unrest | None = None
) -> Verified:
    """Decode around candidates and return the events seen there, starts and stops as decoded.

    A candidate in which nothing moves is dropped. An event that was under way in the first picture measured is decoded from an
    earlier one, a bounded number of times.

    Args:
        source: the clip.
        packets: its packets.
        candidates: where to look, in seconds.
        mask: cells to leave out.
        unrest: what packets say, where they are believed: then quiet stretches before candidates may be jumped over, if a check
            on this stream allows it.
    """
    jump = unrest is not None and source.codec in _CONCEALED
    unrest = unrest or Unrest()
    spans = join_spans(candidates, _APART_SECONDS + _LEAD_SECONDS)
    near = [Task(max(0.0, a - _LEAD_SECONDS), min(packets.seconds, b + _TAIL_SECONDS), due=a) for a, b in spans]
    if not jump:
        return Verified(events=_rounds(source, packets, near, mask, unrest))
    far = [Task(max(0.0, one.due - _LEAD_JUMPED_SECONDS), one.stop, due=one.due, jump=True) for one in near]
    saved = np.array([landing(packets, task)[1] for task in far])
    able = np.flatnonzero(saved)
    if saved.sum() < _JUMPS_MIN * packets.count or len(able) <= _CHECKS_MIN:
        return Verified(events=_rounds(source, packets, near, mask, unrest))
    checks = int(np.clip(round(_CHECK_SHARE * len(able)), _CHECKS_MIN, _CHECKS_MAX))
    length = np.array([near[at].stop - near[at].start for at in able])
    short = able[length <= np.median(length)]  # those that cost least to decode twice
    chosen = short[((np.arange(checks) + 0.5) / checks * len(short)).astype(int)].tolist()
    sure = _rounds(source, packets, [near[at] for at in chosen], mask, unrest)
    other = _rounds(source, packets, [far[at] for at in chosen], mask, unrest)
    edges, error = _compared(sure, other)
    agree = edges > 0 and error <= _AGREE_SECONDS
    rest = [far[at] if agree and saved[at] else near[at] for at in range(len(near)) if at not in chosen]
    events = join_spans(sure + _rounds(source, packets, rest, mask, unrest), packets.interval)
    jumped = [(task.start, task.stop) for task in rest if task.jump]
    return Verified(events=events, jumped=jumped, edges_checked=edges, edge_error=error)


def _compared(sure: Spans, other: Spans) -> tuple[int, float]:
    """Return how many edges two ways of decoding found, and the largest difference in seconds."""
    if len(sure) != len(other):
        return 2 * max(len(sure), len(other)), float("inf")
    pairs = zip(sorted(sure), sorted(other), strict=True)
    return 2 * len(sure), max((max(abs(a - c), abs(b - d)) for (a, b), (c, d) in pairs), default=0.0)


def _rounds(
    source: Source, packets: Packets, tasks: list[Task], mask: NDArray[np.bool_] | None, unrest: Unrest
) -> Spans:
    events: Spans = []
    for left in reversed(range(_ROUNDS_MAX)):
        again: list[Task] = []
        for found, better in _watched(source, packets, tasks, mask, unrest):
            if better is None or not left or better.closed:
                events += found
            if better is not None:
                again.append(better)
        if not again:
            break
        tasks = _joined(again)
    return join_spans(events, 3 * packets.interval)


def _joined(tasks: list[Task]) -> list[Task]:
    joined: list[Task] = []
    for task in sorted(tasks, key=lambda one: one.start):
        if joined and task.start <= joined[-1].stop:
            last = joined[-1]
            joined[-1] = Task(last.start, max(last.stop, task.stop), due=last.due, whole=last.whole or task.whole)
        else:
            joined.append(task)
    return joined


def _watched(
    source: Source, packets: Packets, tasks: list[Task], mask: NDArray[np.bool_] | None, unrest: Unrest
) -> list[tuple[Spans, Task | None]]:
    """Decode what tasks ask for; return for each the events, and the task to do in its place where they are not sure."""
    plan = route(packets, tasks)
    keys = np.sort(packets.times[packets.keys])
    looks = [Look(task, packets, plan, keys, mask=mask, unrest=unrest) for task in tasks]
    at = 0
    for seconds, grid in source.grids(packets, plan) if tasks else ():
        while at < len(looks) - 1 and seconds >= looks[at + 1].since and seconds > looks[at].stop:
            at += 1
        looks[at].add(seconds, grid)
    return [one.answer() for one in looks]


class Look:
    """One candidate under the decoder: steers what is still to be decoded while pictures come.

    Args:
        task: where to look.
        packets: the stream's packets.
        plan: what is decoded; changed on the way.
        keys: seconds of all key frames, ascending.
        mask: cells to leave out.
        unrest: what packets say.
    """

    def __init__(
        self,
        task: Task,
        packets: Packets,
        plan: NDArray[np.uint8],
        keys: NDArray[np.float64],
        *,
        mask: NDArray[np.bool_] | None,
        unrest: Unrest,
    ) -> None:
        self.task, self.stop, self._unrest = task, task.stop, unrest
        self._packets, self._plan, self._keys, self._mask = packets, plan, keys, mask
        jumped = task.jump and landing(packets, task)[1]
        self.since = task.start + _SETTLE_SECONDS if jumped else max(0.0, task.start - _BEFORE_SECONDS)
        self._watch, self._pulse = Watch(mask), Pulse(mask)
        self._first: float | None = None
        self._last = self._moved = self._began = -np.inf
        self._folds: list[tuple[float, float]] = []  # where time was left out inside an event, and how much
        self._left = self._back = 0.0

    def add(self, seconds: float, grid: NDArray[np.uint8]) -> None:
        """Take a picture, and decide what comes next."""
        ahead = _AHEAD * self._packets.interval
        if seconds < self.since or seconds <= self._last or seconds > self.stop + ahead:
            return
        moving = self._moves(seconds, grid)
        if seconds >= self.stop - ahead:
            if not self.task.closed and seconds - self._moved < _QUIET_SECONDS and self._goes_on(seconds):
                self.stop = min(self._packets.seconds, max(self.stop, self._moved + _QUIET_SECONDS + ahead))
                self._take(seconds)
            return
        patience = _IDLE_AGAIN_SECONDS if self._back > 0 else _IDLE_SECONDS
        if seconds - max(self._moved, self.task.due, self._back) > patience:
            self._leave(seconds, seconds + ahead)
        elif moving and not self.task.whole and seconds - self._began > _INSIDE_SECONDS:
            self._inside(seconds + ahead)

    def _moves(self, seconds: float, grid: NDArray[np.uint8]) -> bool:
        """Measure a picture, and say at once whether it differs from the one before."""
        if self._first is None:
            self._first = seconds
        elif not self._left and seconds - self._last > max(_GAP_SECONDS, 6 * self._packets.interval):
            self._pulse = Pulse(self._mask)
        if self._left and seconds >= self._left - self._packets.interval / 2:
            self._folds.append((self._last, seconds - self._last - self._packets.interval))
            self._left = 0.0
        self._last = seconds
        moving = self._pulse.moves(grid)
        self._watch.add(seconds - sum(by for _, by in self._folds), grid)
        if moving:
            if seconds - self._moved > _QUIET_SECONDS:
                self._began = seconds
            self._moved = seconds
        return moving

    def _goes_on(self, seconds: float) -> bool:
        """Ask the dearer measure where something seems to move longer than packets say: flicker is not movement."""
        if seconds < self.task.stop + _SETTLE_SECONDS:
            return True
        return self._watch.moved_last() + sum(by for _, by in self._folds) > seconds - _QUIET_SECONDS

    def _take(self, now: float) -> None:
        late = (self._packets.times > now) & (self._packets.times <= self.stop + self._packets.interval)
        self._plan[late & ((self._plan == SKIP) | (self._plan == PASS))] = REFERENCES

    def _next_key(self, after: float, before: float) -> float | None:
        at = int(np.searchsorted(self._keys, after))
        return float(self._keys[at]) if at < len(self._keys) and self._keys[at] < before else None

    def _leave(self, now: float, after: float) -> None:
        """Skip to the next key frame where a candidate is still, and packets until then look like those that were still."""
        until = self._next_key(after, self.stop)
        if until is None or self.task.whole:
            return
        if until - after > _LEAVE_MAX_SECONDS:
            still = self._unrest.most(max(self._moved, self.task.due, self._back) + _SETTLE_SECONDS, now)
            if not self._unrest.most(after, until) <= _STILL_MARGIN * still:
                return
        self._skip(after, until)
        self._back = until

    def _inside(self, now: float) -> None:
        """Skip to the next key frame inside an event, where packets call all of the time until then unusual."""
        until = self._next_key(now, self.task.stop - _TAIL_SECONDS - _QUIET_SECONDS)
        if until is None or self._left or not _INSIDE_MIN_SECONDS <= until - now <= _INSIDE_MAX_SECONDS:
            return
        if self._unrest.least(now, until) >= _INSIDE_LEAST * self._unrest.most(self._began, now):
            self._skip(now, until)
            self._left = until

    def _skip(self, now: float, until: float) -> None:
        rest = (self._packets.times > now) & (self._packets.times < until - self._packets.interval / 2)
        self._plan[rest] = SKIP

    def answer(self) -> tuple[Spans, Task | None]:
        """Return the events, and what to do in place of this task where one of them is not sure."""
        interval = self._packets.interval
        folded = events_of(*self._watch.done(), interval)
        found = [(self._unfolded(a), self._unfolded(b - interval / 2) + interval / 2) for a, b in folded]
        if not found or self._first is None:
            return found, None
        task = self.task
        if task.jump and (
            len(found) > 1 or found[0][0] < task.due - _DOUBT_SECONDS or found[-1][1] > task.stop + _DOUBT_SECONDS
        ):
            return found, Task(max(0.0, task.due - _LEAD_SECONDS), task.stop, due=task.due)
        for at, by in self._folds:
            across = [b for a, b in found if a < at and b > at + by + 3 * interval]
            if not across:  # what went on before was over after: decode all of it
                return found, Task(task.start, task.stop, due=task.due, whole=True)
        over = self._packets.seconds - 2 * interval
        if not task.closed and found[-1][1] > self._last - _QUIET_SECONDS / 2 and self._last < over:
            return found, Task(task.start, task.stop + _WIDER_SECONDS, due=task.due, whole=task.whole)
        if self._first > interval and found[0][0] - self._first < 3 * interval:
            # what lies before is looked at by itself, and joined
            return found, Task(max(0.0, self._first - _WIDER_SECONDS), self._first, due=self._first, closed=True)
        return found, None

    def _unfolded(self, seconds: float) -> float:
        for at, by in self._folds:
            if seconds > at + self._packets.interval / 2:
                seconds += by
        return seconds
