"""How often definitions and leases have changed, known without asking: a thread listens, and asks four times a second besides."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from reelwise.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Watch"]

_ASK_SECONDS = 0.25
_AGAIN_SECONDS = 0.1


class _Known(NamedTuple):
    """The counter, and the moment (monotonic) at which it was certainly that."""

    number: int
    at: float


class Watch:
    """Reads a counter from a thread of its own, over a connection of its own.

    Args:
        connect: opens a connection.
        ask: the query for the counter.
        channel: what is notified when it moves.
        name: of the ledger, for messages.
        silence_seconds: how long the counter is believed after the server was last heard of.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[tuple[int]]],
        *,
        ask: bytes,
        channel: str,
        name: str,
        silence_seconds: float,
    ) -> None:
        self._connect = connect
        self._ask = ask
        self._listen = f'LISTEN "{channel}"'.encode()
        self._name = name
        self._silence = silence_seconds
        self._known = _Known(-1, time.monotonic() - silence_seconds)
        self._first = threading.Event()
        self._stopped = threading.Event()
        self._told = False
        self._pipe = os.pipe()
        self._thread = threading.Thread(target=self._loop, name="reelwise-postgres", daemon=True)

    def start(self, wait_seconds: float) -> None:
        """Begin, and wait until the counter is known."""
        self._thread.start()
        self._first.wait(wait_seconds)

    def count(self) -> int:
        """Return the counter; costs no query.

        Raises:
            LedgerError: the server was not heard of for longer than it may be silent: a switch may have been thrown meanwhile.
        """
        number, at = self._known
        if time.monotonic() - at > self._silence:
            raise LedgerError(
                f"nothing heard of the server for {self._silence:g} s",
                where=self._name,
                hint="no call is let through until it answers: a kill switch may have been set meanwhile",
            )
        return number

    def stop(self) -> None:
        """End; the connection is closed when this returns."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            os.write(self._pipe[1], b".")
        if self._thread.ident is not None:
            self._thread.join(10)
        for one in self._pipe:
            with contextlib.suppress(OSError):
                os.close(one)

    def _loop(self) -> None:
        while not self._stopped.is_set():
            try:
                with contextlib.closing(self._connect()) as connection:
                    connection.add_notify_handler(self._notified)
                    connection.execute(self._listen)
                    self._read(connection)
            except (psycopg.Error, LedgerError, OSError):
                self._stopped.wait(_AGAIN_SECONDS)  # `count` says how long this may go on

    def _notified(self, _: psycopg.Notify) -> None:
        self._told = True

    def _read(self, connection: psycopg.Connection[tuple[int]]) -> None:
        while not self._stopped.is_set():
            self._told = False
            asked = time.monotonic()
            found = connection.execute(self._ask).fetchone()
            if found is not None:
                self._known = _Known(int(found[0]), asked)
                self._first.set()
            if not self._told:  # a notice that came with the answer is not seen by `select`
                select.select([connection.fileno(), self._pipe[0]], [], [], _ASK_SECONDS)
