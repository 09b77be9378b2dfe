"""Keep below an endpoint's limits of requests and tokens a minute, and wait no longer than is allowed."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from reelwise.errors import BusyError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Limiter"]

_MINUTE = 60.0
_PAUSE_MAX_SECONDS = 600.0


class Limiter:
    """One endpoint's limits under one key, shared by all threads.

    Each limit is a bucket that fills evenly and holds `burst` minutes of it. Whoever waits has its place: calls go in the order they came.

    Args:
        requests_minute: None for no limit.
        tokens_minute: likewise; input and output together.
        burst: how much of a minute may go at once, 0..1.
        name: what messages call it.
        clock, sleep: for tests.

    Raises:
        InputError: a limit of nothing.
    """

    def __init__(
        self,
        requests_minute: float | None = None,
        tokens_minute: float | None = None,
        *,
        burst: float = 1.0,
        name: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for value in (requests_minute, tokens_minute):
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{value} a minute", where="limiter", hint="more than 0, or None")
        if not 0 < burst <= 1:
            raise InputError(f"a burst of {burst} minutes", where="limiter", hint="above 0, up to 1")
        self._rates = (requests_minute, tokens_minute)
        self._burst, self._name, self._clock, self._sleep = burst, name, clock, sleep
        self._lock = threading.Lock()
        now = clock()
        self._free = [(r or 0.0) * burst for r in self._rates]
        self._filled = now
        self._paused_until = now

    def take(self, tokens: float, wait_seconds: float) -> float:
        """Wait for room for one request and so many tokens.

        Args:
            tokens: what the call is expected to take; 0 is unknown, and settled after it.
            wait_seconds: the longest wait.

        Returns:
            Seconds waited.

        Raises:
            BusyError: room comes later than that; nothing was taken.
        """
        with self._lock:
            now = self._fill()
            need = (1.0, min(tokens, (self._rates[1] or math.inf) * self._burst))
            wait = max(0.0, self._paused_until - now)
            for free, amount, rate in zip(self._free, need, self._rates, strict=True):
                if rate is not None and free < amount:
                    wait = max(wait, (amount - free) / rate * _MINUTE)
            if wait > wait_seconds:
                raise BusyError(
                    f"its limit has room in {wait:.1f} s, and the call may wait {max(0.0, wait_seconds):.1f} s",
                    where=self._name,
                    hint="fewer calls at once, or a longer timeout",
                    retry_seconds=wait,
                    reason="limit",
                )
            self._free = [
                free - amount for free, amount in zip(self._free, need, strict=True)
            ]  # may go below 0: a place in the row
        if wait > 0:
            self._sleep(wait)
        return wait

    def settle(self, expected: float, actual: float) -> None:
        """Correct the tokens of a call that is over."""
        with self._lock:
            self._fill()
            self._free[1] -= actual - min(expected, (self._rates[1] or math.inf) * self._burst)

    def pause(self, seconds: float) -> None:
        """Let nobody through for a while: the endpoint asked for it."""
        with self._lock:
            until = self._clock() + min(max(0.0, seconds), _PAUSE_MAX_SECONDS)
            self._paused_until = max(self._paused_until, until)

    def _fill(self) -> float:
        now = self._clock()
        passed = max(0.0, now - self._filled)
        self._filled = now
        for at, rate in enumerate(self._rates):
            if rate is not None:
                self._free[at] = min(rate * self._burst, self._free[at] + passed * rate / _MINUTE)
        return now
