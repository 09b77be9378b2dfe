"""Simulated time: an hour of a stream with a slow model, in seconds, and the same every time. For tests, benches and what-if runs."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from reelwise.live.caught import Caught

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["SimulatedTime"]


class SimulatedTime:
    """A clock that is moved by hand, and a worker whose calls take simulated time: pass it as `clock` and as `worker`.

    A model says with `spend` how long it takes; `math.inf` is one that never answers.
    """

    def __init__(self) -> None:
        self.jammed = False
        self._now = 0.0
        self._due: tuple[float, Future[Any], Any, BaseException | None] | None = None

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def spend(self, seconds: float) -> None:
        """Let a call take so long: from within a model."""
        self._now += seconds

    def move(self, to: float) -> None:
        """Let time go on to a moment; never back."""
        self._now = max(self._now, to)
        self._tell()

    def _tell(self) -> None:
        if self._due is not None and self._due[0] <= self._now:
            _, future, result, error = self._due
            self._due = None
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

    def submit(self, job: Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], Any]) -> Future[Any]:
        """Make a call; its answer comes when its time is over."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        began, result = self._now, None
        with Caught() as caught:
            result = job(asyncio.run)
        over, self._now = self._now, began
        self._due = (over, future, result, caught.error)
        self._tell()
        return future

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Let time go on until a call is over, bounded."""
        due = self._due[0] if self._due is not None and self._due[1] is future else self._now
        self.move(self._now + seconds if math.isinf(due) else min(due, self._now + seconds))

    def give_up(self) -> None:
        """Wait no longer for the call under way."""
        self._due = None

    def close(self, seconds: float) -> None:
        """End."""
