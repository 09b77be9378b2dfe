"""The sandbox's own time: it begins on the scenario's day and may run faster, so that a batch of a day ends in a second."""

from __future__ import annotations

import datetime as dt
import time

__all__ = ["Clock"]


class Clock:
    """Seconds since 1970 that begin at noon (UTC) of a day, or now.

    Args:
        day: ISO; empty for now.
        speed: its seconds in one of ours.
    """

    def __init__(self, day: str = "", speed: float = 1.0) -> None:
        noon = dt.time(12, tzinfo=dt.UTC)
        self._start = dt.datetime.combine(dt.date.fromisoformat(day), noon).timestamp() if day else time.time()
        self._began = time.monotonic()
        self._speed = speed
        self._ahead = 0.0

    def now(self) -> float:
        """Return the time."""
        return self._start + (time.monotonic() - self._began) * self._speed + self._ahead

    def day(self) -> dt.date:
        """Return the day that prices are taken at."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC).date()

    def iso(self, at: float | None = None) -> str:
        """Write a time as Google and Anthropic do."""
        moment = dt.datetime.fromtimestamp(self.now() if at is None else at, dt.UTC)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def ahead(self, seconds: float) -> None:
        """Set it forward, for tests."""
        self._ahead += seconds
