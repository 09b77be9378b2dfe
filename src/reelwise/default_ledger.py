"""The process's own ledger: what `meter` writes to where it is given none."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from reelwise.ledger.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["default_ledger"]

_log = logging.getLogger("reelwise")


class _Own:
    """One a process: opened once, whichever thread comes first, and anew after a fork."""

    def __init__(self, path: Callable[[], str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._inherited: list[Ledger] = []

    def open(self) -> Ledger:
        ledger = self._ledger
        if ledger is not None and not ledger.closed:
            return ledger
        with self._lock:
            if self._ledger is None or self._ledger.closed:
                self._ledger = Ledger(self._path())
                if not self._ledger.budgets():
                    _log.warning(
                        "no budget is set in %s: calls are recorded there, and none is refused "
                        "(`reelwise budget set all --period day --hard 5`, or REELWISE_LEDGER names another ledger)",
                        self._ledger.store.name,
                    )
            return self._ledger

    def forked(self) -> None:
        """In a child: the parent's connection is not to be used, nor closed."""
        self._lock = threading.Lock()
        if self._ledger is not None:
            self._inherited.append(self._ledger)
        self._ledger = None


_OWN = _Own(lambda: os.environ.get("REELWISE_LEDGER") or "reelwise.db")
os.register_at_fork(after_in_child=_OWN.forked)


def default_ledger() -> Ledger:
    """Open the process's ledger, once: the file or address in REELWISE_LEDGER, or reelwise.db in the working folder.

    A child process opens its own. Where no budget at all is set, that is said once (the logger is named reelwise).
    """
    return _OWN.open()
