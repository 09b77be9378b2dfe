"""A ledger that cannot be overspent: hold before a call, settle after it, exactly once; budgets that degrade instead of failing.

Importing this package loads nothing heavy; names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget, Target
    from reelwise.ledger.events import Event, Units, What, Who, who_of
    from reelwise.ledger.holds import Hold, Posted
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.modes import Feature, Mode
    from reelwise.ledger.notices import Notice

__all__ = [
    "Budget",
    "Event",
    "Feature",
    "Hold",
    "Ledger",
    "Mode",
    "Notice",
    "Posted",
    "Target",
    "Units",
    "What",
    "Who",
    "who_of",
]

_HOMES = {
    "Budget": "budgets",
    "Target": "budgets",
    "Event": "events",
    "Units": "events",
    "What": "events",
    "Who": "events",
    "who_of": "events",
    "Hold": "holds",
    "Posted": "holds",
    "Ledger": "ledger",
    "Feature": "modes",
    "Mode": "modes",
    "Notice": "notices",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
