"""Prompt caches: prefixes of calls that are kept for a while, by key and model."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

__all__ = ["Prefixes", "least"]

_KEPT_MAX = 100_000

_LEAST = (
    (r"gemini-2", 2048),
    (r"gemini-3-flash", 1024),
    (r"gemini-", 4096),
    (r"claude-(opus|fable)-5", 512),
    (r"claude-opus-4-7", 2048),
    (r"claude-(opus-4-[56]|haiku-4-5)", 4096),
    (r"claude-(haiku-3|3-haiku|3-5-haiku)", 2048),
)
"""Of what the vendors' pages on caching say: OpenAI's and all other Claude models take 1,024 tokens."""


def least(model: str) -> int:
    """Return the shortest prefix, or explicit cache, that a model keeps, in tokens."""
    return next((tokens for pattern, tokens in _LEAST if re.match(pattern, model)), 1024)


class Prefixes:
    """What was seen lately. Each use begins its time anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def longest(self, prefixes: list[tuple[bytes, int]], now: float, seconds: float) -> int:
        """Return the tokens of the longest prefix that is kept, and keep it longer; 0 if none is.

        Args:
            prefixes: digest and tokens of each, shortest first.
            now: the time.
            seconds: how long a used one lives on.
        """
        with self._lock:
            for digest, tokens in reversed(prefixes):
                if self._until.get(digest, 0.0) > now:
                    self._until[digest] = max(self._until[digest], now + seconds)
                    return tokens
        return 0

    def keep(self, digest: bytes, until: float) -> None:
        """Keep a prefix."""
        with self._lock:
            self._until[digest] = max(until, self._until.get(digest, 0.0))
            self._until.move_to_end(digest)
            while len(self._until) > _KEPT_MAX:
                self._until.popitem(last=False)
