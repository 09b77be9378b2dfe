"""One hold: taken before a call, then posted, voided or expired; exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reelwise.ledger.events import Event
    from reelwise.ledger.purses import Line

__all__ = ["Amounts", "Hold", "Posted", "Posting"]

Amounts = tuple[int, int, int]
"""Nano-USD, calls, frames."""

PENDING, POSTED, VOID, EXPIRED = range(4)
STATES = ("pending", "posted", "void", "expired")


class Hold:
    """An amount kept free for one call.

    Attributes:
        line: the accounts it is held in.
        amounts: nano-USD, calls, frames.
        at_ms: when it was taken: the window that the call counts in.
        expires_ms: when it is let go if nobody settles it.
        state: a number: pending, posted, void, expired.
    """

    __slots__ = ("amounts", "at_ms", "expires_ms", "line", "state", "timeout_ms")

    def __init__(self, line: Line, amounts: Amounts, at_ms: int, timeout_ms: int) -> None:
        self.line = line
        self.amounts = amounts
        self.at_ms = at_ms
        self.timeout_ms = timeout_ms
        self.expires_ms = at_ms + timeout_ms
        self.state = PENDING

    @property
    def nano(self) -> int:
        """What is held, in nano-USD."""
        return self.amounts[0]

    @property
    def status(self) -> str:
        """pending, posted, void or expired."""
        return STATES[self.state]


class Posting(NamedTuple):
    """A row that waits to be written, with what it moved: to be undone if the row was there already."""

    event: Event
    line: Line
    used: Amounts
    over: Amounts


class Posted(NamedTuple):
    """What became of a cost.

    Attributes:
        cost_nano: what was posted in all.
        overrun_nano: the part of it above the hold, in a row of its own.
        late: the hold had expired: all of it counts as overrun.
        number: rows up to this number must be written before it is durable; see `Ledger.wait`.
    """

    cost_nano: int
    overrun_nano: int
    late: bool
    number: int
