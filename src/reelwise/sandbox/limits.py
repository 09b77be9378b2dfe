"""Requests and tokens a minute, for each key and model: what the sandbox lets through."""

from __future__ import annotations

import threading
import time

from reelwise.sandbox.errors import LimitedError

__all__ = ["Gate"]

_KEYS_MAX = 10_000


class Gate:
    """Buckets that fill evenly and hold a minute.

    Args:
        requests_minute: 0 for no limit.
        tokens_minute: likewise.
    """

    def __init__(self, requests_minute: float, tokens_minute: float) -> None:
        self._rates = (requests_minute, tokens_minute)
        self._lock = threading.Lock()
        self._free: dict[str, list[float]] = {}

    def enter(self, who: str, tokens: int) -> None:
        """Let one call through.

        Raises:
            LimitedError: not now; it says when.
        """
        if not any(self._rates):
            return
        now = time.monotonic()
        with self._lock:
            if len(self._free) > _KEYS_MAX:
                self._free.clear()
            state = self._free.setdefault(who, [now, *self._rates])
            passed, state[0] = now - state[0], now
            need = (1.0, float(tokens))
            wait = 0.0
            for at, rate in enumerate(self._rates, 1):
                if rate:
                    state[at] = min(rate, state[at] + passed * rate / 60)
                    wait = max(wait, (min(need[at - 1], rate) - state[at]) * 60 / rate)
            if wait > 0:
                raise LimitedError("Rate limit reached", code="rate_limit_exceeded", retry_seconds=wait)
            for at, rate in enumerate(self._rates, 1):
                if rate:
                    state[at] -= need[at - 1]
