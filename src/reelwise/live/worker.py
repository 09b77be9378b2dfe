"""Threads that call a model: one call at a time, given up when it does not come back, and never one that nobody ends.

A job that was handed over and has not begun can still be taken back (`Future.cancel`): after a pause not one more call begins.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Protocol

from reelwise.live.caught import Caught

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Clock", "Job", "SystemClock", "ThreadWorker", "Worker"]

_IDLE_SECONDS = 10.0
_STUCK_MAX = 2


class Clock(Protocol):
    """Seconds from any moment on, never less than before; it may be simulated."""

    def now(self) -> float:
        """Return the time."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """See `Clock`."""
        return time.monotonic()


Job = "Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], Any]"
"""What is done; it is given a function that runs a coroutine to its end."""


class Worker(Protocol):
    """Where calls are made."""

    @property
    def jammed(self) -> bool:
        """Whether so many calls never came back that no further one is begun."""

    def submit(self, job: Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], Any]) -> Future[Any]:
        """Begin a job; only when the one before is over or given up."""

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Wait for a job, bounded."""

    def give_up(self) -> None:
        """Wait no longer for the job under way: the next one is begun elsewhere."""

    def close(self, seconds: float) -> None:
        """End, waiting so long at most for the job under way."""


class _Hand(threading.Thread):
    """One thread; it ends when it is told to, or when nothing was to do for some seconds."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._changed = threading.Condition()
        self._slot: tuple[Any, Future[Any]] | None = None
        self._over = False
        self._runner: asyncio.Runner | None = None

    def take(self, job: Any, future: Future[Any]) -> bool:
        """Take a job; False where the thread has ended meanwhile."""
        with self._changed:
            if self._over:
                return False
            self._slot = (job, future)
            self._changed.notify()
        return True

    def end(self) -> None:
        """End after the job under way."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def run(self) -> None:
        """Do jobs."""
        try:
            while (taken := self._next()) is not None:
                job, future = taken
                if future.set_running_or_notify_cancel():
                    with Caught(all_=True) as caught:
                        future.set_result(job(self._finish))
                    if caught.error is not None and not future.done():
                        future.set_exception(caught.error)
                del job, future, taken
        finally:
            if self._runner is not None:
                self._runner.close()

    def _next(self) -> tuple[Any, Future[Any]] | None:
        with self._changed:
            if self._slot is None and not self._over:
                self._changed.wait(_IDLE_SECONDS)
            taken, self._slot = self._slot, None
            if taken is None:
                self._over = True
            return taken

    def _finish(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on this thread's own loop, which stays: clients keep their connections."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(coroutine)


class ThreadWorker:
    """A thread that is begun when it is needed.

    A call that never comes back keeps its thread, for Python cannot end it. Two such threads are let be, as daemons that hold up no
    exit; then no further call is begun until one of them comes back.

    Args:
        name: of its threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._hand: _Hand | None = None
        self._stuck: list[_Hand] = []

    @property
    def jammed(self) -> bool:
        """See `Worker`."""
        self._stuck = [one for one in self._stuck if one.is_alive()]
        return len(self._stuck) >= _STUCK_MAX

    def submit(self, job: Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], Any]) -> Future[Any]:
        """See `Worker`."""
        future: Future[Any] = Future()
        if self._hand is None or not self._hand.take(job, future):
            self._hand = _Hand(self._name)
            self._hand.take(job, future)
            self._hand.start()
        return future

    def wait(self, future: Future[Any], seconds: float) -> None:
        """See `Worker`."""
        wait((future,), seconds)

    def give_up(self) -> None:
        """See `Worker`."""
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.end()
            if hand.is_alive():
                self._stuck.append(hand)

    def close(self, seconds: float) -> None:
        """See `Worker`."""
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.end()
            hand.join(seconds)
