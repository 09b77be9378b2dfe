"""The budget of retries: one for all endpoints and fallbacks of a run, so that trouble does not multiply calls."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Attempts"]


class Attempts:
    """Allow at most a share of calls to be sent again.

    Retries never exceed `share` of the calls made so far, or `reserve` where that is more: 100,000 calls are 110,000 attempts at most,
    whichever endpoints and fallbacks they went to.

    Args:
        share: retries to calls.
        reserve: retries that are allowed before enough calls were made.

    Raises:
        InputError: negative, or a share above 1.
    """

    def __init__(self, share: float = 0.10, reserve: int = 3) -> None:
        if not 0 <= share <= 1 or not 0 <= reserve <= 1000:
            raise InputError(f"{share} of the calls and {reserve} before", where="attempts", hint="share 0 to 1")
        self._share, self._reserve = share, reserve
        self._lock = threading.Lock()
        self._here = threading.local()
        self._calls = self._retries = self._denied = 0

    def call(self) -> None:
        """Note that a call begins."""
        if getattr(self._here, "inside", False):
            return
        with self._lock:
            self._calls += 1

    @contextmanager
    def part_of_a_call(self) -> Iterator[None]:
        """Count what this thread sends as further attempts of a call that began before: a retry was taken for it."""
        self._here.inside = True
        try:
            yield
        finally:
            self._here.inside = False

    def retry(self) -> bool:
        """Take one retry; False where the budget is used up: the error is passed on."""
        with self._lock:
            if self._retries + 1 > max(self._reserve, self._share * self._calls):
                self._denied += 1
                return False
            self._retries += 1
            return True

    @property
    def calls(self) -> int:
        """Calls begun."""
        return self._calls

    @property
    def retries(self) -> int:
        """Calls that were sent again."""
        return self._retries

    @property
    def denied(self) -> int:
        """Retries that were not allowed."""
        return self._denied

    @property
    def attempts(self) -> int:
        """Calls and retries."""
        return self._calls + self._retries
