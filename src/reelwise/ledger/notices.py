"""Notices: at 50, 80 and 100 % of a budget, by pace against the plan's forecast, at the soft limit, and where a shadow would have denied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.ledger.budgets import NOTICES, shown
from reelwise.ledger.leasing import said
from reelwise.ledger.periods import FOREVER, window_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.errors import BudgetError
    from reelwise.ledger.batches import Batch
    from reelwise.ledger.clock import Clock
    from reelwise.ledger.events import Who
    from reelwise.ledger.purses import Purse
    from reelwise.ledger.sql import SqlStore

__all__ = ["Notice", "Notices"]

_PACE = 1.2  # spent this much faster than the plan's forecast
_PACE_FROM = 0.05  # of the period must have passed, and of the forecast been spent


class Notice(Struct, frozen=True, kw_only=True):
    """Something that somebody should hear of, once in each window.

    Attributes:
        at_ms: when.
        kind: level, soft, pace, shadow or denied.
        budget: the budget's name.
        account: which of its accounts, as a person reads it.
        bucket: the window's first millisecond.
        level: percent, for kind level.
        text: one sentence.
    """

    at_ms: int
    kind: str
    budget: str
    account: str
    bucket: int
    level: int
    text: str


class Notices:
    """Looks at what each batch moved; each notice is written down once, by whichever process comes first."""

    def __init__(self, store: SqlStore, clock: Clock, tell: Callable[[Notice], None] | None) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._given: dict[tuple[int, str, int], int] = {}

    def look(self, batch: Batch) -> None:
        """Give the notices that a batch calls for."""
        now = self._clock.now_ms()
        seen: set[int] = set()
        found: list[Notice] = []
        for one in batch.taken:
            purse = one.account.purse
            if id(purse) in seen:
                continue
            seen.add(id(purse))
            found += self._due(purse, now)
        self._give(found)

    def _due(self, purse: Purse, now: int) -> list[Notice]:
        budget = purse.budget
        bucket = max(0, purse.bucket)
        kinds: list[tuple[str, int, str]] = []
        full = budget.full
        who = shown(budget, purse.account)
        if full:
            level = max((int(share * 100) for share in NOTICES if purse.spent >= share * full), default=0)
            if level > self._given.get(purse.place, 0):
                self._given[purse.place] = level
                if len(self._given) > 100_000:
                    self._given.clear()
                text = f"{level} % of {said(full, budget.measure)} spent ({budget.period}, {who})"
                kinds.append(("level", level, text))
            if budget.soft is not None and purse.spent >= budget.soft:
                kinds.append(("soft", 0, f"soft limit of {said(budget.soft, budget.measure)} reached ({who})"))
            if budget.shadow and budget.hard is not None and purse.spent > budget.hard:
                kinds.append(("shadow", 0, f"would have been denied above {said(budget.hard, budget.measure)} ({who})"))
        pace = _pace(purse, now)
        if pace:
            kinds.append(("pace", 0, f"{pace} ({who})"))
        return [
            Notice(at_ms=now, kind=kind, budget=budget.name, account=who, bucket=bucket, level=level, text=text)
            for kind, level, text in kinds
            if kind == "level" or self._once(purse, kind)
        ]

    def _once(self, purse: Purse, kind: str) -> bool:
        key = (purse.budget_id, f"{purse.account}\x1e{kind}", purse.bucket)
        if key in self._given:
            return False
        self._given[key] = 1
        return True

    def denied(self, error: BudgetError, who: Who) -> None:
        """Note the first denial of a window."""
        if not error.budget:
            return
        now = self._clock.now_ms()
        key = (0, f"{error.budget}\x1e{who.feature}", now // 60_000)
        if key in self._given:
            return
        self._given[key] = 1
        text = f"denied: {error.message}"
        self._give(
            [
                Notice(
                    at_ms=now,
                    kind="denied",
                    budget=error.budget,
                    account=who.feature,
                    bucket=key[2] * 60_000,
                    level=0,
                    text=text,
                )
            ]
        )

    def _give(self, found: list[Notice]) -> None:
        for one in found:
            if self._store.note(one) and self._tell is not None:
                self._tell(one)


def _pace(purse: Purse, now: int) -> str:
    budget = purse.budget
    if not budget.forecast or budget.rolling:
        return ""
    start, stop = window_of(budget.period, budget.zone, now)
    if stop >= FOREVER:
        return ""
    share = (now - start) / (stop - start)
    due = budget.forecast * share
    if share < _PACE_FROM or purse.spent < _PACE_FROM * budget.forecast or purse.spent <= _PACE * due:
        return ""
    end = round(purse.spent / share)
    return (
        f"{said(purse.spent, budget.measure)} spent where the plan expects {said(round(due), budget.measure)} by now: "
        f"{said(end, budget.measure)} by the end of the {budget.period} at this pace"
    )
