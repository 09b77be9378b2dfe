"""Calls of async models as tasks on the loop that asks for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from reelwise.live.caught import Caught

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["TaskWorker"]


class TaskWorker:
    """Makes calls on one loop.

    Args:
        loop: the running loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._task: asyncio.Task[None] | None = None

    def submit(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
        """Begin a coroutine; only from the loop's own thread, and when the one before is over or given up."""
        future: Future[Any] = Future()
        self._task = self.loop.create_task(self._run(make, future))
        return future

    async def _run(self, make: Callable[[], Coroutine[Any, Any, Any]], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        with Caught(all_=True) as caught:
            future.set_result(await make())
        if caught.error is not None:
            if not future.done():
                future.set_exception(caught.error)
            if isinstance(caught.error, asyncio.CancelledError):
                raise caught.error

    def give_up(self) -> None:
        """Cancel the task, from any thread."""
        task, self._task = self._task, None
        if task is not None and not task.done() and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """End: cancel what is under way."""
        self.give_up()
