"""Ledgers that nobody closed are closed when the process ends: rows that still wait are written then."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import weakref
from typing import TYPE_CHECKING

from reelwise.errors import ReelwiseError

if TYPE_CHECKING:
    from reelwise.ledger.ledger import Ledger

__all__ = ["close_at_exit"]


class _Open:
    """The open ledgers of one process; they can go before it does."""

    def __init__(self) -> None:
        self._ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()
        self._worker = 0
        atexit.register(self.close)

    def add(self, ledger: Ledger) -> None:
        self._ledgers.add(ledger)
        processes = sys.modules.get("multiprocessing.process")
        if processes is None or processes.parent_process() is None or self._worker == os.getpid():
            return
        from multiprocessing.util import Finalize

        self._worker = os.getpid()
        Finalize(None, self.close, exitpriority=10)  # a worker ends without atexit

    def close(self) -> None:
        for ledger in list(self._ledgers):
            try:
                ledger.close()
            except ReelwiseError as error:
                logging.getLogger("reelwise").error("rows were not written: %s", error)  # noqa: TRY400 - a named error, no trace


_OPEN = _Open()


def close_at_exit(ledger: Ledger) -> None:
    """Close a ledger when this process ends, a worker of multiprocessing too, unless it is closed or gone by then."""
    _OPEN.add(ledger)
