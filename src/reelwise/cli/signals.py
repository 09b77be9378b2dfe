"""Ctrl-C and terminations of what runs until it is stopped: it ends in good order, with whole outputs and its receipt."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["stopped_by_signals"]

_JOIN_SECONDS = 1.0


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call `stop` once on Ctrl-C or a termination; a second one ends the process at once.

    `stop` is called in a thread of its own. A signal comes between any two steps of the main thread, which may hold the very lock that
    `stop` wants: a handler that waited for it would wait for ever.

    Args:
        stop: tells what runs to end soon; safe to call from another thread.

    Yields:
        The signals that came so far.
    """
    before: dict[int, Any] = {}
    caught: list[int] = []
    told: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # a handler may put into it, whatever it interrupts

    def watch() -> None:
        if told.get() is not None:
            stop()

    def handle(number: int, _frame: Any) -> None:
        signal.signal(number, before[number])
        caught.append(number)
        told.put(number)

    watcher = threading.Thread(target=watch, name="reelwise-signals", daemon=True)
    watcher.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread: the caller stops us
            before[number] = signal.signal(number, handle)
    try:
        yield caught
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        told.put(None)
        watcher.join(_JOIN_SECONDS)
