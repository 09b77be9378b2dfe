"""The rows that settling a hold writes: one, and another for what the call cost above its hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reelwise.ledger.events import NO_UNITS, Event, Units, What, Who, check_amount, check_units, check_what

if TYPE_CHECKING:
    from reelwise.ledger.holds import Amounts

__all__ = ["Entry"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a call is settled; see `Event`."""

    identity: str
    cost_nano: int
    what: What
    units: Units
    avoided_nano: int = 0
    latency_ms: int = 0

    def check(self) -> Entry:
        """Check amounts and labels.

        Raises:
            InputError: one that cannot be.
        """
        check_amount(self.cost_nano, "cost")
        check_amount(self.avoided_nano, "avoided")
        check_amount(self.latency_ms, "latency_ms")
        check_what(self.what)
        check_units(self.units)
        return self

    @property
    def used(self) -> Amounts:
        """Nano-USD, calls and frames."""
        return self.cost_nano, self.units.calls, self.units.frames

    def events(self, who: Who, at_ms: int, held_nano: int, *, late: bool) -> list[Event]:
        """Return the rows: the call up to its hold and the rest as `overrun`; or all of it as `late`."""
        over = 0 if late else max(0, self.cost_nano - held_nano)
        first = Event(
            id=self.identity,
            at_ms=at_ms,
            who=who,
            what=msgspec.structs.replace(self.what, kind="late") if late else self.what,
            units=self.units,
            cost_nano=self.cost_nano - over,
            avoided_nano=self.avoided_nano,
            latency_ms=self.latency_ms,
        )
        if not over:
            return [first]
        more = msgspec.structs.replace(self.what, kind="overrun")
        identity = f"{self.identity}/overrun"
        return [first, Event(id=identity, at_ms=at_ms, who=who, what=more, units=NO_UNITS, cost_nano=over)]
