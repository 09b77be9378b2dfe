"""Callbacks with notices run in a thread of their own: one that raises or sleeps holds up no row."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.ledger.notices import Notice

__all__ = ["Teller"]

_WAITING_MAX = 1000
_JOIN_SECONDS = 2.0


class Teller:
    """Tells notices one after the other, in order.

    What a callback raises is shown by `threading.excepthook`, as for any thread, and the next notice is told all the same. A
    thousand may wait; of more, the oldest are not told (all of them stay in the ledger: `reelwise budget status` shows them).

    Args:
        tell: called with each notice.
        at_once: wait until it was told: for ledgers without threads.
    """

    def __init__(self, tell: Callable[[Notice], None], *, at_once: bool) -> None:
        self._tell = tell
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting: deque[Notice] = deque(maxlen=_WAITING_MAX)
        self._thread: threading.Thread | None = None

    def __call__(self, notice: Notice) -> None:
        """Tell one soon."""
        with self._lock:
            self._waiting.append(notice)
            if self._thread is None:
                self._start()
        if self._at_once:
            self.finish()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reelwise-notices", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        done = False
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        done = True
                        return
                    notice = self._waiting.popleft()
                self._tell(notice)
        finally:
            if not done:  # it raised: another thread goes on with the rest
                with self._lock:
                    self._thread = None
                    if self._waiting:
                        self._start()

    def finish(self, seconds: float = _JOIN_SECONDS) -> None:
        """Wait for what is being told, bounded."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
