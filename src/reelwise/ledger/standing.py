"""Where a caller stands: what its budgets have left, and the mode that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.ledger.budgets import shown
from reelwise.ledger.leasing import said
from reelwise.ledger.modes import FREE, OFF, Feature, Mode, step, step_for_target
from reelwise.ledger.unit_costs import unit_cost

if TYPE_CHECKING:
    from reelwise.ledger.clock import Clock
    from reelwise.ledger.events import Who
    from reelwise.ledger.kernel import Kernel
    from reelwise.ledger.purses import Line, Purse
    from reelwise.ledger.sql import SqlStore
    from reelwise.ledger.unit_costs import UnitCost

__all__ = ["Standing"]

_FRESH_MS = 1000
_TARGET_MS = 5000


class Standing:
    """Reads the kernel, and the store where what the kernel knows is older than a second."""

    def __init__(self, kernel: Kernel, store: SqlStore, clock: Clock) -> None:
        self._kernel = kernel
        self._store = store
        self._clock = clock
        self._targets: dict[int, tuple[int, UnitCost | None]] = {}

    def mode(self, who: Who) -> Mode:
        """See `Ledger.mode`."""
        now = self._clock.now_ms()
        kernel = self._kernel
        with kernel.lock:
            definitions = kernel.lines.definitions
            line = kernel.lines.lines.get(who)
            if line is None or not line.from_ms <= now < line.until_ms:
                line = kernel.lines.resolve(who, now)
        feature = (definitions.features.get(who.feature) if definitions else None) or Feature(name=who.feature)
        if feature.killed:
            return feature.mode(OFF, why=f"switched off{': ' + feature.reason if feature.reason else ''}")
        if feature.forced:
            return feature.mode(feature.forced, why=f"set by hand{': ' + feature.reason if feature.reason else ''}")
        ladder = feature.ladder(who.user_class)
        self._refresh(line, now)
        deepest, why = 0, ""
        for account in line.accounts():
            purse = account.purse
            budget = purse.budget
            if budget.shadow:
                continue
            spent = self._spent(purse)
            down = step(ladder, spent, budget.soft, budget.hard)
            if down > deepest:
                full = budget.full or 0
                deepest = down
                why = f"{budget.name}: {said(spent, budget.measure)} of {said(full, budget.measure)} ({shown(budget, purse.account)})"
            if budget.target is not None:
                cost = self._target(purse, now)
                down = step_for_target(ladder, cost.nano, budget.target.nano) if cost is not None else 0
                if down > deepest and cost is not None:
                    deepest = down
                    why = f"{budget.name}: {said(cost.nano, 'usd')} a {budget.target.per}, {said(budget.target.nano, 'usd')} aimed at"
        mode = feature.mode(ladder[deepest], why)
        return replace(mode, free=FREE) if mode.name == OFF and FREE in ladder else mode

    def _spent(self, purse: Purse) -> int:
        return purse.spent + purse.leased - purse.free - purse.owed

    def _refresh(self, line: Line, now: int) -> None:
        stale = [one.purse for one in line.accounts() if now - one.purse.seen_ms >= _FRESH_MS or one.purse.seen_ms < 0]
        if stale:
            spent = self._store.spent([(one.budget, one.place) for one in stale], now)
            with self._kernel.lock:
                for purse, amount in zip(stale, spent, strict=True):
                    purse.spent, purse.seen_ms = amount, now

    def _target(self, purse: Purse, now: int) -> UnitCost | None:
        known = self._targets.get(purse.budget_id)
        if known is None or now - known[0] >= _TARGET_MS:
            known = (now, unit_cost(self._store, purse.budget, now))
            self._targets[purse.budget_id] = known
        cost = known[1]
        target = purse.budget.target
        return cost if cost is not None and target is not None and cost.count >= target.minimum else None

    def remaining(self, who: Who) -> dict[str, int]:
        """See `Ledger.remaining`."""
        now = self._clock.now_ms()
        with self._kernel.lock:
            line = self._kernel.lines.resolve(who, now)
        self._refresh(line, now)
        return {
            one.purse.budget.name: max(0, (one.purse.budget.hard or 0) - self._spent(one.purse))
            for one in (*line.usd, *line.other)
        }
