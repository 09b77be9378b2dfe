"""One hold: taken before a call, then posted, voided or expired; exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reelwise.ledger.events import Event
    from reelwise.ledger.purses import Line

__all__ = ["NOTHING", "Amounts", "Hold", "Posted", "Posting"]

Amounts = tuple[int, int, int]
"""Nano-USD, calls, frames."""
NOTHING: Amounts = (0, 0, 0)

PENDING, POSTED, VOID, EXPIRED = range(4)
STATES = ("pending", "posted", "void", "expired")


class Hold:
    """An amount kept free for one call.

    Attributes:
        line: the accounts it is held in.
        amounts: nano-USD, calls, frames.
        at_ms: when it was taken: the window that the call counts in.
        timeout_ms: how long it is kept if nobody settles it.
        state: a number: pending, posted, void, expired.
        group: those that wait to be settled, of the same timeout.
    """

    __slots__ = ("amounts", "at_ms", "group", "line", "state", "timeout_ms")

    def __init__(self, line: Line, amounts: Amounts, at_ms: int, timeout_ms: int, group: dict[Hold, None]) -> None:
        self.line = line
        self.amounts = amounts
        self.at_ms = at_ms
        self.timeout_ms = timeout_ms
        self.group = group
        self.state = PENDING

    @property
    def expires_ms(self) -> int:
        """When it is let go if nobody settles it."""
        return self.at_ms + self.timeout_ms

    @property
    def nano(self) -> int:
        """What is held, in nano-USD."""
        return self.amounts[0]

    @property
    def status(self) -> str:
        """pending, posted, void or expired."""
        return STATES[self.state]


Posting = tuple["tuple[Event, ...]", "Line", Amounts, Amounts, Amounts]
"""A settled call that waits to be written: its rows (all are written or none), its accounts, what it used, how much of that lay above
what was held, and how much of it comes off the lease."""


class Posted(Struct, frozen=True, gc=False):
    """What became of a cost.

    Attributes:
        cost_nano: what was posted in all.
        overrun_nano: the part of it above the hold, in a row of its own.
        late: the hold had expired: all of it counts as overrun.
        number: settled calls up to this number must be written before it is durable.
    """

    cost_nano: int
    overrun_nano: int
    late: bool
    number: int
