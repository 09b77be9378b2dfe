"""Sums of events by minute, hour, day and month, kept beside the rows: folded in bulk, and equal to the raw sums to the nano-dollar.

Rows up to `meta.rolled` are in the sums; the few that are newer are added whenever somebody asks.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.ledger.periods import window_of
from reelwise.ledger.recompute import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.ledger.sql import Link, SqlStore

__all__ = ["BY", "Sum", "fold", "series", "sums", "with_rest"]

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_GRAINS = ((3, _DAY), (2, _HOUR), (1, _MINUTE))
_WHO = ("user", "session", "tenant", "user_class")
_WHAT = ("model", "provider", "stage", "mode", "version", "status", "kind", "outcome", "plan")
BY: tuple[str, ...] = ("feature", *_WHO, *_WHAT, "tag")
"""What sums may be asked by; `tag:NAME` for one tag."""
_DIM = {"": 0, "feature": 0, **{name: at + 1 for at, name in enumerate((*_WHO, *_WHAT))}, "tag": 15}
_TOTAL = 0
_MONTH = 4
_SHORT = _DIM["session"]  # sessions are short: sums by them are kept by the hour alone, coarser ones would be as many
_COLUMNS = ("events", "cost", "avoided", "calls", "frames", "video_ms", "latency_ms", "outcomes")
_FOLD_MAX = 50_000
_SUMS = ", ".join(f"SUM({name})" for name in ("cost", "avoided", "calls", "frames", "video_ms", "latency_ms"))
_ADD = (
    f"INSERT INTO roll (grain, dim, at_ms, feature, label, {', '.join(_COLUMNS)}) VALUES ({', '.join('?' * 13)}) "  # noqa: S608
    "ON CONFLICT (grain, dim, at_ms, feature, label) DO UPDATE SET "
    + ", ".join(f"{name} = roll.{name} + excluded.{name}" for name in _COLUMNS)
)


class Sum(Struct, frozen=True, kw_only=True):
    """What some rows add up to.

    Attributes:
        label: the value they share; or the moment (ms) of a series.
        events, calls, frames, outcomes: counts.
        cost_nano, avoided_nano: nano-USD.
        video_ms, latency_ms: milliseconds in all.
    """

    label: str
    events: int = 0
    cost_nano: int = 0
    avoided_nano: int = 0
    calls: int = 0
    frames: int = 0
    video_ms: int = 0
    latency_ms: int = 0
    outcomes: int = 0


Row = list[int]
Key = tuple[int, int, int, str, str]


def unfolded(link: Link) -> tuple[int, int]:
    """Return the number of the last row that is in the sums, and of the last there is."""
    found = link.rows("SELECT value FROM meta WHERE name = ?", ("rolled",))
    last = link.rows("SELECT COALESCE(MAX(seq), 0) FROM event")[0][0]
    return (int(found[0][0]) if found else 0), int(last)


def month_of(at_ms: int) -> int:
    """Return the first millisecond of the month (UTC) that holds a moment."""
    return window_of("month", "UTC", at_ms)[0]


def fold(store: SqlStore, most: int = _FOLD_MAX) -> int:
    """Add rows to the sums that are not in them yet; return how many."""
    with store.transaction() as link:
        first, last = unfolded(link)
        last = min(last, first + most)
        if last <= first:
            return 0
        added: dict[Key, Row] = defaultdict(lambda: [0] * len(_COLUMNS))
        for feature, at, labels, row in _groups(link, first, last):
            _plus(added[1, _TOTAL, at - at % _MINUTE, feature, ""], row)
            hour = at - at % _HOUR
            for dim, label in labels:
                _plus(added[2, dim, hour, feature, label], row)
        for (grain, dim, at, feature, label), row in list(added.items()):
            if grain == 2 and dim != _SHORT:
                _plus(added[3, dim, at - at % _DAY, feature, label], row)
                _plus(added[_MONTH, dim, month_of(at), feature, label], row)
        link.many(_ADD, [(*key, *row) for key, row in sorted(added.items())])
        link.run(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            ("rolled", str(last)),
        )
        return last - first


def _groups(link: Link, first: int, last: int) -> Iterable[tuple[str, int, Sequence[tuple[int, str]], Row]]:
    """Yield what rows add up to by caller, purpose and minute, with the labels they count under."""
    found = link.rows(
        f"SELECT who, what, at_ms / 60000, COUNT(*), {_SUMS} FROM event WHERE seq > ? AND seq <= ? AND {COUNTS} "  # noqa: S608
        "GROUP BY who, what, at_ms / 60000",
        (first, last),
    )
    who = _labels(link, "who", {int(row[0]) for row in found})
    what = _labels(link, "what", {int(row[1]) for row in found})
    for row in found:
        feature, own = who[int(row[0])]
        outcome, purpose = what[int(row[1])]
        events = int(row[3])
        counts = outcome and (_DIM["kind"], "correction") not in purpose  # there it says why
        amounts = [events, *(int(one) for one in row[4:]), events if counts else 0]
        yield feature, int(row[2]) * _MINUTE, ((_TOTAL, ""), *own, *purpose), amounts


def _labels(link: Link, table: str, wanted: set[int]) -> dict[int, tuple[str, tuple[tuple[int, str], ...]]]:
    """Return, for each number, the feature (or the outcome) and the labels that it counts under."""
    names = ("feature", *_WHO, "tags") if table == "who" else ("outcome", *_WHAT)
    columns = ", ".join(f'"{name}"' for name in names)
    found: dict[int, tuple[str, tuple[tuple[int, str], ...]]] = {}
    numbers = sorted(wanted)
    for at in range(0, len(numbers), 500):
        part = numbers[at : at + 500]
        marks = ", ".join("?" * len(part))
        for row in link.rows(f"SELECT id, {columns} FROM {table} WHERE id IN ({marks})", part):  # noqa: S608
            labels = [
                (_DIM[name], str(value))
                for name, value in zip(names[1:], row[2:], strict=True)
                if name in _DIM and value
            ]
            if table == "who" and row[-1]:
                labels += [(_DIM["tag"], f"{name}={value}") for name, value in json.loads(row[-1]).items()]
            found[int(row[0])] = (str(row[1]), tuple(labels))
    return found


def dimension(by: str) -> tuple[int, str]:
    """Return the number of a dimension, and what its labels begin with.

    Raises:
        InputError: sums are not kept by it.
    """
    name, _, tag = by.partition(":")
    if name not in _DIM or (tag and name != "tag") or (name == "tag" and not tag):
        raise InputError(f"no sums by {by[:60]!r}", where="by", hint=f"{', '.join(BY[:-1])} or tag:NAME")
    return _DIM[name], f"{tag}=" if tag else ""


def spans(first: int, stop: int, dim: int) -> list[tuple[int, int, int]]:
    """Cover a span of time with as few whole months, days, hours and minutes as can be: (grain, first, stop), without gaps.

    The ends are widened to whole minutes, or to whole hours where sums are not kept by the minute.
    """
    minutes = dim == _TOTAL
    finest = _MINUTE if minutes else _HOUR
    first -= first % finest
    stop += -stop % finest
    if dim == _SHORT:
        return [(2, first, stop)] if first < stop else []
    found: list[tuple[int, int, int]] = []
    for grain, _ in reversed(_GRAINS):
        if grain == 1 and not minutes:
            continue
        coarser = next((size for number, size in reversed(_GRAINS) if number > grain), None)
        if coarser is None:
            found += _months(first, stop)
            break
        head = min(stop, first + -first % coarser)
        if first < head:
            found.append((grain, first, head))
        tail = max(head, stop - stop % coarser)
        if tail < stop:
            found.append((grain, tail, stop))
        first, stop = head, tail
    return found


def _months(first: int, stop: int) -> list[tuple[int, int, int]]:
    """Cover whole days with whole months where they hold some."""
    begin = window_of("month", "UTC", first - 1)[1] if first < stop else first
    end = month_of(stop)
    parts = [(3, first, begin), (_MONTH, begin, end), (3, end, stop)] if begin < end else [(3, first, stop)]
    return [one for one in parts if one[1] < one[2]]


def sums(
    store: SqlStore, first_ms: int, stop_ms: int, *, by: str = "", feature: str | None = None, most: int = 1_000_000
) -> list[Sum]:
    """Add up what happened in a span of time, in all or by one label, the dearest first.

    Args:
        store: the ledger's.
        first_ms: the first moment.
        stop_ms: the first moment after it; both widened to whole minutes, or to whole hours with `by` other than feature.
        by: see `BY`; empty for one sum of all.
        feature: only that of one feature.
        most: labels to return.
    """
    dim, begins = dimension(by)
    totals: dict[str, Row] = {}
    column = "feature" if by == "feature" else "label"
    with store.transaction(write=False) as link:
        rolled, last = unfolded(link)
        parts = spans(first_ms, stop_ms, dim)
        top = f" ORDER BY SUM(cost) DESC, {column} LIMIT {int(most)}" if len(parts) == 1 and rolled >= last else ""
        for grain, start, stop in parts:
            given: list[object] = [grain, dim, start, stop]
            only = ""
            if feature is not None:
                only += " AND feature = ?"
                given.append(feature)
            if begins:
                only += f" AND SUBSTR(label, 1, {len(begins)}) = ?"  # not LIKE: a _ in a tag's name would be any letter
                given.append(begins)
            for label, *amounts in link.rows(
                f"SELECT {column}, {', '.join(f'SUM({name})' for name in _COLUMNS)} FROM roll "  # noqa: S608
                f"WHERE grain = ? AND dim = ? AND at_ms >= ? AND at_ms < ?{only} GROUP BY {column}{top}",
                given,
            ):
                _add(totals, str(label), amounts)
        finest = _MINUTE if dim == _TOTAL else _HOUR
        low, high = first_ms - first_ms % finest, stop_ms + -stop_ms % finest
        for own, at, labels, amounts in _groups(link, rolled, last):
            if low <= at < high and (feature is None or own == feature):
                for number, label in labels:
                    if number == dim and label.startswith(begins):
                        _add(totals, own if by == "feature" else label, amounts)
    found = [_sum(label.removeprefix(begins), row) for label, row in totals.items()]
    return sorted(found, key=lambda one: (-one.cost_nano, one.label))[:most]


def with_rest(found: list[Sum], whole: list[Sum]) -> list[Sum]:
    """Add what has no label, under the label "", so that sums by a label come to the whole."""
    names = Sum.__struct_fields__[1:]
    rest = {name: sum(getattr(one, name) for one in whole) - sum(getattr(one, name) for one in found) for name in names}
    if not rest["events"]:
        return found
    return sorted([*found, Sum(label="", **rest)], key=lambda one: (-one.cost_nano, one.label))


def series(store: SqlStore, first_ms: int, stop_ms: int, grain: str, *, feature: str | None = None) -> list[Sum]:
    """Add up what happened in each minute, hour or day (UTC); `label` is its first millisecond.

    Raises:
        InputError: no such grain.
    """
    lengths = {"minute": (1, _MINUTE), "hour": (2, _HOUR), "day": (3, _DAY)}
    if grain not in lengths:
        raise InputError(f"no sums by {grain[:40]!r}", where="grain", hint=", ".join(lengths))
    number, length = lengths[grain]
    totals: dict[str, Row] = {}
    low, high = first_ms - first_ms % length, stop_ms + -stop_ms % length
    with store.transaction(write=False) as link:
        rolled, last = unfolded(link)
        only, given = (" AND feature = ?", [feature]) if feature is not None else ("", [])
        for at, *amounts in link.rows(
            f"SELECT at_ms, {', '.join(f'SUM({name})' for name in _COLUMNS)} FROM roll "  # noqa: S608
            f"WHERE grain = ? AND dim = ? AND at_ms >= ? AND at_ms < ?{only} GROUP BY at_ms",
            [number, _TOTAL, low, high, *given],
        ):
            _add(totals, str(at), amounts)
        for own, at, _, amounts in _groups(link, rolled, last):
            if low <= at < high and (feature is None or own == feature):
                _add(totals, str(at - at % length), amounts)
    return [_sum(label, totals[label]) for label in sorted(totals, key=int)]


def _plus(total: Row, row: Sequence[int]) -> None:
    for column, amount in enumerate(row):
        total[column] += amount


def _add(totals: dict[str, Row], label: str, amounts: Sequence[int]) -> None:
    row = totals.setdefault(label, [0] * len(_COLUMNS))
    for at, amount in enumerate(amounts):
        row[at] += int(amount)


def _sum(label: str, row: Row) -> Sum:
    events, cost, avoided, calls, frames, video_ms, latency_ms, outcomes = row
    return Sum(
        label=label,
        events=events,
        cost_nano=cost,
        avoided_nano=avoided,
        calls=calls,
        frames=frames,
        video_ms=video_ms,
        latency_ms=latency_ms,
        outcomes=outcomes,
    )
