"""What a unit costs: a user, a session, an hour of video, an outcome; from the roll-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.ledger.periods import since
from reelwise.ledger.rolls import sums

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.sql import SqlStore

__all__ = ["UnitCost", "unit_cost"]


class UnitCost(Struct, frozen=True, kw_only=True):
    """Nano-USD per unit, and the count of units it rests on."""

    nano: int
    count: int


def unit_cost(store: SqlStore, budget: Budget, now_ms: int) -> UnitCost | None:
    """Return the unit cost that a budget's target is held against, in its present window; None where nothing was counted."""
    target = budget.target
    if target is None:
        return None
    first = since(budget.period, budget.zone, now_ms, rolling=budget.rolling)
    found = sums(store, first, now_ms + 1, feature=dict(budget.match).get("feature"))
    count: float
    if target.per in ("user", "session"):
        count = len(
            [
                one
                for one in sums(store, first, now_ms + 1, by=target.per, feature=dict(budget.match).get("feature"))
                if one.label
            ]
        )
    else:
        whole = found[0] if found else None
        if whole is None:
            return None
        count = {
            "video_hour": whole.video_ms / 3_600_000,
            "minute": whole.video_ms / 60_000,
            "outcome": whole.outcomes,
            "call": whole.calls,
            "frame": whole.frames,
        }[target.per]
    cost = sum(one.cost_nano for one in found)
    return UnitCost(nano=round(cost / count), count=int(count)) if count > 0 else None
