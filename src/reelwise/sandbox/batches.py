"""Batches of all three vendors: rows that are answered later, at the batch price, each billed once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.asked import Asked
from reelwise.sandbox.desk import Served
from reelwise.sandbox.drawing import hashed
from reelwise.sandbox.errors import RefusalError

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk

__all__ = ["WINDOW_SECONDS", "Batch", "Done", "Line"]

WINDOW_SECONDS = 86_400.0
"""All three vendors promise a day."""


class Line(Struct, kw_only=True):
    """A row of a batch: the call, or why it is none."""

    name: str
    asked: Asked | None = None
    error: RefusalError | None = None


class Done(Struct, kw_only=True):
    """What became of a row: an answer, an error, or nothing in time (status ok, error, expired, canceled)."""

    name: str
    status: str
    served: Served | None = None
    error: RefusalError | None = None


class Batch:
    """A batch under way. It is worked on when somebody looks, once its time has come.

    Args:
        desk: the sandbox's state.
        name: its id.
        lines: its rows.
        meta: what the vendor's routes keep with it.
    """

    def __init__(self, desk: Desk, name: str, lines: list[Line], meta: dict[str, Any]) -> None:
        self.name, self.lines, self.meta = name, lines, meta
        self.created = desk.clock.now()
        self.expires = self.created + WINDOW_SECONDS
        self.ended: float | None = None
        self.cancelled: float | None = None
        self.state = "running"
        self.done: list[Done] = []
        self._desk = desk
        self._lock = threading.Lock()

    def look(self) -> str:
        """Return its state: running, done, expired or cancelled."""
        desk, scenario = self._desk, self._desk.scenario
        with self._lock:
            now = desk.clock.now()
            if self.state != "running":
                return self.state
            if self.cancelled is not None:
                self._end("cancelled", now, 0.0)
            elif scenario.batch_seconds > WINDOW_SECONDS:
                if now >= self.expires:
                    self._end("expired", self.expires, scenario.batch_done)
            elif now >= self.created + scenario.batch_seconds:
                self._end("done", self.created + scenario.batch_seconds, scenario.batch_done)
            return self.state

    def cancel(self) -> None:
        """Stop it; rows that were not answered are not billed."""
        self.look()
        if self.state == "running":
            self.cancelled = self._desk.clock.now()
            self.look()

    def _end(self, state: str, at: float, share: float) -> None:
        for line in self.lines:
            self.done.append(self._row(line, state, share))
        self.state, self.ended = state, at

    def _row(self, line: Line, state: str, share: float) -> Done:
        if line.asked is None:
            return Done(name=line.name, status="error", error=line.error)
        if hashed(self._desk.scenario.seed, "batch", self.name, line.name) / 2**64 >= share:
            status = {"done": "error", "expired": "expired"}.get(state, "canceled")
            failed = RefusalError("The server had an error while processing this request")
            failed.status, failed.kind, failed.google = 500, "api_error", "INTERNAL"
            return Done(name=line.name, status=status, error=failed)
        try:
            served = self._desk.serve(line.asked)
        except RefusalError as error:
            return Done(name=line.name, status="error", error=error)
        self._desk.bill(served)
        return Done(name=line.name, status="ok", served=served)

    def count(self, status: str) -> int:
        """Count the rows that ended so."""
        return sum(one.status == status for one in self.done)
