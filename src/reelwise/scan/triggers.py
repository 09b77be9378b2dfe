"""What may say beside the pictures that something happens, and how it is joined with what they say: union or intersection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reelwise.errors import InputError

if TYPE_CHECKING:
    from reelwise.scan.receipt import Event

__all__ = [
    "JOIN_SECONDS",
    "Change",
    "Joiner",
    "Spans",
    "Trigger",
    "as_events",
    "combine",
    "described",
    "signals_in",
    "spans_of",
    "trigger_name",
]

Spans = list[tuple[float, float]]
Trigger = Callable[[float, float], Iterable[tuple[float, float]]]
"""Asked for a stretch of time, (start, stop) in seconds from the first picture; answers with the spans in which it was on.

In a live scan it is asked about once a second for what is new; a span that goes on ends at `stop`. Its name in answers is
its attribute `name`, otherwise its `__name__`.
"""

JOIN_SECONDS = 0.7
_HORIZON_SECONDS = 120.0
_SPANS_MAX = 4_096
_ANSWER_MAX = 100_000


class Change(NamedTuple):
    """An event that starts or stops; seconds from the first picture, `stop_seconds` nan while it goes on."""

    what: Literal["start", "stop"]
    number: int
    start_seconds: float
    stop_seconds: float
    by: tuple[str, ...]


def trigger_name(trigger: Trigger) -> str:
    """Return a trigger's name."""
    return str(getattr(trigger, "name", None) or getattr(trigger, "__name__", None) or type(trigger).__name__)


def spans_of(trigger: Trigger, start: float, stop: float) -> Spans:
    """Ask a trigger; its spans are checked, cut to what was asked for, and sorted.

    Raises:
        InputError: it answers with something else than pairs of seconds.
    """
    found: Spans = []
    try:
        for one in trigger(start, stop):
            a, b = float(one[0]), float(one[1])
            if min(b, stop) > max(a, start):
                found.append((max(a, start), min(b, stop)))
            if len(found) > _ANSWER_MAX:
                break
    except (TypeError, ValueError, IndexError, KeyError):
        found = [(0.0, 0.0)] * (_ANSWER_MAX + 1)
    if len(found) > _ANSWER_MAX:
        raise InputError(
            "a trigger must answer with pairs of seconds, (start, stop)",
            where=trigger_name(trigger),
            hint=f"at most {_ANSWER_MAX:,} pairs for one question",
        )
    return sorted(found)


def combine(sources: Mapping[str, Spans], *, seen: str, require: bool, gap: float = JOIN_SECONDS) -> Spans:
    """Join what several sources say.

    Args:
        sources: spans by the name of who says so.
        seen: the name of what the pictures say.
        require: whether only what pictures and a trigger agree on counts (intersection); otherwise all (union).
        gap: spans so near to each other are one, in seconds.

    Returns:
        Spans, ascending, not overlapping.
    """
    others = [one for name, spans in sources.items() if name != seen for one in spans]
    pictures = list(sources.get(seen, ()))
    if not require:
        return _joined(pictures + others, gap)
    other, mine = _joined(others, 0.0), _joined(pictures, 0.0)
    both = [(max(a, c), min(b, d)) for a, b in mine for c, d in other if min(b, d) > max(a, c)]
    return _joined(both, gap)


def _joined(spans: Spans, gap: float) -> Spans:
    joined: Spans = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def signals_in(sources: Mapping[str, Spans], start: float, stop: float) -> tuple[str, ...]:
    """Name the sources that say something between two moments, in the order they were given."""
    return tuple(name for name, spans in sources.items() if any(a < stop and b > start for a, b in spans))


def as_events(sources: Mapping[str, Spans], *, seen: str, require: bool, gap: float | None = None) -> tuple[Event, ...]:
    """Join what sources say of a whole file to events that name their signals; see `combine`."""
    from reelwise.scan.receipt import Event

    return tuple(
        Event(start_seconds=round(a, 3), stop_seconds=round(b, 3), by=signals_in(sources, a, b))
        for a, b in combine(sources, seen=seen, require=require, gap=JOIN_SECONDS if gap is None else gap)
    )


class Joiner:
    """Joins what sources say while time goes on. What it holds is bounded: spans of the last two minutes.

    Args:
        seen: the name of what the pictures say.
        require: see `combine`.
        settle_seconds: how long an event must be over before it is called so; what is told later becomes an event of its own.
    """

    def __init__(self, *, seen: str, require: bool = False, settle_seconds: float = JOIN_SECONDS) -> None:
        self.late = 0
        self.number = 0
        self._seen, self._require, self._settle = seen, require, settle_seconds
        self._spans: dict[str, Spans] = {seen: []}
        self._told: Spans = []
        self._open: Change | None = None
        self._changed = False

    @property
    def held(self) -> int:
        """Count the spans held."""
        return len(self._told) + sum(map(len, self._spans.values()))

    def tell(self, name: str, start: float, stop: float, now: float) -> None:
        """Take a span; one that begins as another of this source did replaces it, which is how a span grows.

        Args:
            name: who says so.
            start: seconds.
            stop: seconds; infinite while it goes on.
            now: seconds.
        """
        spans = self._spans.setdefault(name, [])
        self._changed = True
        if spans and spans[-1][0] == start:
            spans[-1] = (start, stop)
            return
        if stop < now - _HORIZON_SECONDS:
            self.late += 1
            return
        if len(spans) >= _SPANS_MAX:
            spans[:] = _joined(spans, JOIN_SECONDS)[-_SPANS_MAX // 2 :]
        if spans and spans[-1][0] <= start <= spans[-1][1]:
            start, stop = spans[-1][0], max(stop, spans[-1][1])
            spans.pop()
        spans.append((start, stop))

    def update(self, now: float) -> list[Change]:
        """Return what started and stopped, as far as is known at a moment."""
        if self._open is None and not self._changed:
            return []
        changes: list[Change] = []
        self._changed = False
        for start, stop in self._news():
            by = signals_in(self._spans, start, min(stop, max(now, start) + 1.0))
            one = self._open
            if one is not None and stop <= one.start_seconds:  # told late, and over before the one under way began
                changes += self._told_at_once(start, stop, by)
                continue
            if one is None:
                self.number += 1
                one = Change("start", self.number, start, math.nan, by)
                changes.append(one)
            first = min(one.start_seconds, start)
            self._open = one._replace(start_seconds=first, by=tuple(dict.fromkeys(one.by + by)))
            if stop > now - self._settle:
                break
            changes.append(self._close(stop))
        self._forget(now)
        return changes

    def finish(self, now: float) -> list[Change]:
        """Return what is left when nothing more comes: events under way stop now."""
        for spans in self._spans.values():
            spans[:] = [(a, min(b, now)) for a, b in spans if min(b, now) > a]
        self._changed = True
        changes = self.update(now + self._settle + 1e-6)
        if self._open is not None:
            changes.append(self._close(now))
        return changes

    def _news(self) -> Spans:
        """Return the spans, ascending, that no stop was told of yet."""
        news: Spans = []
        for start, stop in combine(self._spans, seen=self._seen, require=self._require):
            parts = [(start, stop)]
            for a, b in self._told:
                parts = [piece for c, d in parts for piece in ((c, min(d, a)), (max(c, b), d)) if piece[1] > piece[0]]
            whole = parts == [(start, stop)]
            # what is left of an event that was told shorter than it was is told if it is worth an event
            news += [one for one in parts if whole or one[1] - one[0] > JOIN_SECONDS]
        return news

    def _told_at_once(self, start: float, stop: float, by: tuple[str, ...]) -> list[Change]:
        self.number += 1
        self._told.append((start, stop))
        begun = Change("start", self.number, start, math.nan, by)
        return [begun, begun._replace(what="stop", stop_seconds=stop)]

    def _close(self, stop: float) -> Change:
        assert self._open is not None  # noqa: S101 - only called while one is open
        closed = self._open._replace(what="stop", stop_seconds=stop)
        self._open = None
        self._told.append((closed.start_seconds, stop))
        return closed

    def _forget(self, now: float) -> None:
        limit = now - _HORIZON_SECONDS
        for spans in self._spans.values():
            spans[:] = [one for one in spans if one[1] > limit]
        self._told = [one for one in self._told if one[1] > limit][-_SPANS_MAX:]


def described(change: Change) -> dict[str, Any]:
    """Return a change as it is written in JSON."""
    document: dict[str, Any] = {"event": change.what, "number": change.number, "start_seconds": change.start_seconds}
    if not math.isnan(change.stop_seconds):
        document["stop_seconds"] = change.stop_seconds
    return {**document, "by": list(change.by)}
