"""The time, for rows and leases: it may be simulated, and it never goes back."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]

_BACK_MAX_MS = 3_600_000


class Clock(Protocol):
    """Milliseconds since 1970 (UTC), and waiting."""

    def now_ms(self) -> int:
        """Return the time; never less than it returned before."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock.

    Where it is set back by up to an hour, time stands still until it has caught up: rows keep their order. Set back farther (it was
    wrong before, then), its new time is taken.

    Attributes:
        back_ms: the farthest that the machine's clock was seen to lie behind.
    """

    def __init__(self) -> None:
        self._last = 0
        self.back_ms = 0
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """See `Clock`."""
        now = time.time_ns() // 1_000_000
        if now >= self._last:
            self._last = now
            return now
        with self._lock:
            self.back_ms = max(self.back_ms, self._last - now)
            if self._last - now > _BACK_MAX_MS:
                self._last = now
        return self._last

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        time.sleep(seconds)
