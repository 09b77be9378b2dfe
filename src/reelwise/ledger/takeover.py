"""Calls under way when a budget is set: where they count from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.ledger.events import Who
    from reelwise.ledger.holds import Hold
    from reelwise.ledger.purses import Line, Lines, Purse

__all__ = ["moved_holds", "new_purses"]


def moved_holds(holds: Iterable[Hold], lines: Lines) -> list[tuple[Hold, Line]]:
    """Return the holds that belong into other purses since definitions have changed, with their new lines."""
    made: dict[Who, Line] = {}
    found = []
    for hold in holds:
        if hold.line.version == lines.version:
            continue
        who = hold.line.who
        line = made.get(who)
        if line is None or not line.from_ms <= hold.at_ms < line.until_ms:
            line = made[who] = lines.at(who, hold.at_ms)
        if set(line.held()) != set(hold.line.held()):
            found.append((hold, line))
    return found


def new_purses(hold: Hold, line: Line) -> Iterator[Purse]:
    """Yield the purses of a hold's new line that it is not held in yet."""
    old = hold.line.held()
    return (purse for purse in line.held() if purse not in old)
