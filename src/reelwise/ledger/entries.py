"""The rows that settling a hold writes: the call up to what was held for it, and its excess in a row of its own."""

from __future__ import annotations

import msgspec

from reelwise.ledger.events import NO_UNITS, Event

__all__ = ["rows_of"]


def rows_of(event: Event, held_nano: int, *, late: bool) -> tuple[Event, ...]:
    """Split a call's row: what lies above its hold goes to an `overrun` row; all of it is `late` where the hold had expired."""
    if late:
        return (msgspec.structs.replace(event, what=msgspec.structs.replace(event.what, kind="late")),)
    over = event.cost_nano - held_nano
    if over <= 0:
        return (event,)
    more = msgspec.structs.replace(event.what, kind="overrun")
    return (
        msgspec.structs.replace(event, cost_nano=held_nano),
        Event(id=f"{event.id}/overrun", at_ms=event.at_ms, who=event.who, what=more, units=NO_UNITS, cost_nano=over),
    )
