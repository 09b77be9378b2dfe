"""Modes set from afar: by a remote setting, by the ledger's budgets and switches. Asked once a second, by a thread that calls no model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reelwise.live.caught import Caught
from reelwise.live.modes import BASIC, FULL, MODES, SAVER, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.live.books import Books

__all__ = ["Afar"]

_EVERY_SECONDS = 1.0
_IDLE_SECONDS = 10.0
_JOIN_SECONDS = 1.0
_FIRST_SECONDS = 1.0


class Afar:
    """Asks for modes.

    A question that takes long, or fails, leaves the answer before as it was: frames do not wait for it, but the first for a second. The thread ends by itself
    when no frame came for ten seconds.

    Args:
        remote: returns a mode, or None for no opinion; None for no remote setting.
        books: those of the main model.
        threaded: ask from a thread; otherwise within `look`, for simulated time.
        device: whether a model on the device is there, which may go on where a budget is spent: it costs nothing.
        every_seconds: how often.
    """

    def __init__(
        self,
        remote: Callable[[], str | None] | None,
        books: Books,
        *,
        threaded: bool,
        device: bool = False,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        self.wishes: tuple[Wish, ...] = ()
        self.said = ""
        self._remote, self._books = remote, books
        self._threaded, self._every, self._device = threaded, every_seconds, device
        self._active = remote is not None or books.asks_ledger
        self._asked: float | None = None
        self._idle = 0.0
        self._stop, self._answered = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def look(self, at: float) -> tuple[Wish, ...]:
        """Return what is wished; `at` is the time in seconds."""
        if not self._active:
            return ()
        self._idle = 0.0
        if not self._threaded:
            if self._asked is None or at - self._asked >= self._every:
                self._asked = at
                self._ask()
        elif (self._thread is None or not self._thread.is_alive()) and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="reelwise-live-modes", daemon=True)
            self._thread.start()
            if self._asked is None:  # what is off from afar is off from the first frame on, if the answer comes in time
                self._asked = at
                self._answered.wait(_FIRST_SECONDS)
        return self.wishes

    def _run(self) -> None:
        self._ask()
        self._answered.set()
        while not self._stop.wait(self._every) and self._idle < _IDLE_SECONDS:
            self._idle += self._every
            self._ask()

    def _ask(self) -> None:
        before = {one.cause: one for one in self.wishes}
        budget = before.get("budget") or before.get("spent")
        found = [one for one in (self._ask_remote(before.get("remote")), self._ask_ledger(budget)) if one]
        self.wishes = tuple(found)

    def _ask_remote(self, before: Wish | None) -> Wish | None:
        if self._remote is None:
            return None
        with Caught(all_=self._threaded) as caught:
            said = self._remote()
        if caught.error is not None:
            self.said = f"the remote setting cannot be read: {caught.said}"
            return before
        if said is None or said == "":
            return None
        if said not in MODES:
            self.said = f"the remote setting says {said!r:.40}, which is no mode"
            return before
        return Wish(said, "remote", f"set from afar: {said}")

    def _ask_ledger(self, before: Wish | None) -> Wish | None:
        with Caught(all_=self._threaded) as caught:
            mode = self._books.mode()
        if caught.error is not None:
            self.said = f"the ledger cannot be asked for its mode: {caught.said}"
            return before
        if mode is None or mode.name == FULL:
            return Wish(FULL, "budget", settings=mode.settings) if mode is not None and mode.settings else None
        if self._device and mode.free == BASIC:
            return Wish(BASIC, "spent", mode.why, mode.settings)
        known = mode.name in MODES
        why = mode.why if known else f"{mode.name}: {mode.why}"
        return Wish(mode.name if known else SAVER, "budget", why, mode.settings)

    def close(self) -> None:
        """Ask no more."""
        self._active = False
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)
