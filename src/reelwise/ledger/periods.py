"""The windows that a budget counts in: calendar (this day, in a time zone) or rolling (the last 24 hours)."""

from __future__ import annotations

import datetime as dt
import math
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reelwise.errors import InputError

__all__ = ["PERIODS", "Period", "Window", "bucket_of", "since", "spell", "window_of", "zone"]

Period = Literal["minute", "hour", "day", "month", "total"]
PERIODS: tuple[str, ...] = ("minute", "hour", "day", "month", "total")

_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "month": 30 * 86_400_000}
_PARTS = 60  # a rolling window is counted in 60 parts: what falls out of it does so up to a 60th late, never early
FOREVER = 1 << 61

Window = tuple[int, int]
"""The first millisecond of a window, and the first after it."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises:
        InputError: there is none by this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"no such time zone: {name[:60]!r}", where="zone", hint="UTC, Europe/Berlin, America/New_York"
        ) from None


def window_of(period: Period, name: str, at_ms: int) -> Window:
    """Return the calendar window that holds a moment."""
    if period == "total":
        return 0, FOREVER
    if period in ("minute", "hour") and name == "UTC":
        length = _MS[period]
        start = at_ms - at_ms % length
        return start, start + length
    here = zone(name)
    moment = dt.datetime.fromtimestamp(at_ms / 1000, here)
    if period == "minute":
        first = moment.replace(second=0, microsecond=0)
        start = round(first.timestamp() * 1000)
        return start, start + _MS["minute"]
    if period == "hour":
        first = moment.replace(minute=0, second=0, microsecond=0)
        start = round(first.timestamp() * 1000)
        return start, start + _MS["hour"]
    day = moment.date()
    if period == "day":
        after = day + dt.timedelta(days=1)
    else:
        day = day.replace(day=1)
        after = (day + dt.timedelta(days=32)).replace(day=1)
    return _midnight(day, here), _midnight(after, here)


def _midnight(day: dt.date, here: ZoneInfo) -> int:
    return round(dt.datetime(day.year, day.month, day.day, tzinfo=here).timestamp() * 1000)


def bucket_of(period: Period, name: str, at_ms: int, *, rolling: bool) -> Window:
    """Return the bucket a cost is counted in: the calendar window, or a 60th of a rolling one."""
    if not rolling:
        return window_of(period, name, at_ms)
    part = _MS[period] // _PARTS
    start = at_ms - at_ms % part
    return start, start + part


def since(period: Period, name: str, at_ms: int, *, rolling: bool) -> int:
    """Return the first bucket that still counts at a moment."""
    if not rolling:
        return window_of(period, name, at_ms)[0]
    part = _MS[period] // _PARTS
    return (at_ms - _MS[period]) // part * part  # the bucket in which the window begins counts whole


def spell(seconds: float) -> str:
    """Write how long something takes, for people: 45 s, 12 min, 17 h 2 min, 3 d 4 h."""
    minutes = max(0, math.ceil(seconds / 60 - 1e-9))
    if seconds <= 60:
        return f"{max(1, math.ceil(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def length_ms(period: Period, name: str, at_ms: int, *, rolling: bool) -> int:
    """Return how long the window is that holds a moment."""
    if rolling:
        return _MS[period]
    start, stop = window_of(period, name, at_ms)
    return stop - start
