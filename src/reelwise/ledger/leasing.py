"""The slow path of a hold: ask the store for more, call back what others do not use, and say no only when nothing is left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reelwise.errors import BudgetError
from reelwise.ledger.budgets import shown
from reelwise.ledger.holds import Amounts, Hold
from reelwise.ledger.periods import length_ms, spell, window_of
from reelwise.ledger.store import Denied, Move, Want
from reelwise.units import NANO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.ledger.clock import Clock
    from reelwise.ledger.events import Who
    from reelwise.ledger.kernel import Kernel
    from reelwise.ledger.purses import Line, Purse
    from reelwise.ledger.store import Granted, Store

__all__ = ["Leasing", "give_back"]

_ROUNDS_MAX = 200
_CALL_BACK_SECONDS = 0.5
_POLL_SECONDS = 0.003
_SETTLE_SECONDS = 0.02


class Leasing:
    """Takes leases for one process.

    Args:
        kernel, store, clock: of the ledger.
        owner: this process, by a name that no other has.
        sizes: what to lease at once, in nano-USD, calls and frames: the most that a crash can leave uncertain for each account.
        ttl_ms: how long a lease is believed without a sign of life.
    """

    def __init__(self, kernel: Kernel, store: Store, clock: Clock, *, owner: str, sizes: Amounts, ttl_ms: int) -> None:
        self._kernel = kernel
        self._store = store
        self._clock = clock
        self._owner = owner
        self._sizes = sizes
        self._ttl_ms = ttl_ms
        self._lock = threading.Lock()

    def hold(self, who: Who, amounts: Amounts, timeout_ms: int) -> Hold:
        """Hold, leasing what is short; bounded in rounds and in time.

        Raises:
            BudgetError: a budget has not that much left.
        """
        kernel = self._kernel
        waited = 0.0
        settled = False
        with self._lock:
            for _ in range(_ROUNDS_MAX):
                now = self._clock.now_ms()
                self._take_over()
                with kernel.lock:
                    kernel.expire(now)
                    found = kernel.try_hold(who, amounts, now, timeout_ms)
                    if isinstance(found, Hold):
                        return found
                    wants = self._wants(found, amounts, now)
                    flights = kernel.flights
                answer = self._store.lease(self._owner, [want for want, _ in wants], now, self._ttl_ms)
                if not isinstance(answer, Denied):
                    with kernel.lock:
                        _fill(wants, answer, now)
                        found = kernel.try_hold(who, amounts, now, timeout_ms)
                        if isinstance(found, Hold):
                            return found
                    continue
                want, purse = wants[answer.place_index]
                with kernel.lock:
                    purse.tight = True
                    missing = amounts[purse.index] - purse.free
                    owed = purse.owed
                    moving = flights % 2 or flights != kernel.flights
                if missing <= answer.remaining:
                    continue  # a call of this process was settled meanwhile
                if owed:
                    give_back(kernel, self._store, self._owner, purse, now)  # what a lowered limit took out of it
                    continue
                if moving and waited < _CALL_BACK_SECONDS:
                    self._wait()  # what this process gives back is on its way
                    waited += _POLL_SECONDS
                    continue
                if answer.others and waited < _CALL_BACK_SECONDS:
                    self._wait()
                    waited += _POLL_SECONDS
                    continue
                if answer.shared and not settled:
                    self._clock.sleep(_SETTLE_SECONDS)  # what others are just settling is on its way back
                    settled = True
                    continue
                raise denied(self._store, want, answer, amounts, purse, now_ms=now)
        raise BudgetError(
            "other calls take what is free before this one can", reason="others_hold", retryable=True, retry_seconds=0.1
        )

    def take_over(self, *, wait: bool = True) -> None:
        """Lease what calls under way hold in budgets that were set meanwhile; without waiting, only if nobody else is at it.

        Raises:
            LedgerError, OutputError: the ledger cannot be written now; it is owed on, and nothing new passes there.
        """
        if self._lock.acquire(blocking=wait):
            try:
                self._take_over()
            finally:
                self._lock.release()

    def _take_over(self) -> None:
        kernel = self._kernel
        if not kernel.moving:
            return
        with kernel.lock:
            turn, debts = kernel.turn, dict(kernel.debts)
        if debts:
            forced = [(purse.place, amount) for purse, amount in debts.items()]
            self._store.force(self._owner, forced, self._clock.now_ms(), self._ttl_ms)
        with kernel.lock:
            kernel.settle_debts(turn, debts)

    def _wait(self) -> None:
        self._clock.sleep(_POLL_SECONDS)

    def _wants(self, line: Line, amounts: Amounts, now_ms: int) -> list[tuple[Want, Purse]]:
        wants = []
        for purse in line.held():
            need = amounts[purse.index] - purse.free
            if need > 0:
                purse.used_ms = now_ms
                best = max(need, self._sizes[purse.index])
                wants.append((Want(purse.budget_id, purse.budget, purse.account, purse.bucket, need, best), purse))
        return wants


def _fill(wants: Sequence[tuple[Want, Purse]], answer: Sequence[Granted], now_ms: int) -> None:
    for (_, purse), granted in zip(wants, answer, strict=True):
        purse.free += granted.amount
        purse.leased += granted.amount
        purse.spent, purse.seen_ms = granted.spent, now_ms
        purse.tight = purse.told = granted.tight


def give_back(kernel: Kernel, store: Store, owner: str, purse: Purse, now_ms: int) -> None:
    """Give back what a purse owes now, and not with the next rows."""
    with kernel.lock:
        back, purse.owed = purse.owed, 0
    move = Move(purse.budget_id, purse.account, purse.bucket, purse.bucket, 0, 0, back)
    try:
        store.commit(owner, [], [move], now_ms)
    except BaseException:
        with kernel.lock:
            purse.owed += back
        raise
    with kernel.lock:
        purse.leased -= back


def denied(store: Store, want: Want, answer: Denied, amounts: Amounts, purse: Purse, *, now_ms: int) -> BudgetError:
    """Say which budget said no, why, and when to try again."""
    budget = want.budget
    amount, limit = amounts[purse.index], budget.hard or 0
    name = shown(budget, want.account)
    remaining = max(0, answer.remaining + purse.free)
    if amount > limit:
        return BudgetError(
            f"a call for {said(amount, budget.measure)} can never fit under {said(limit, budget.measure)} ({budget.period}, {name})",
            reason="over_window",
            budget=budget.name,
            where=budget.name,
            hint="send less (shorter, smaller, fewer frames), or raise the limit",
        )
    missing = amount - answer.remaining - purse.free
    mine = purse.leased - purse.free - purse.owed
    retry: float | None
    if missing <= mine + answer.held - answer.silent:
        retry = 1.0  # what calls under way hold may be let go any moment
    elif budget.rolling:
        frees = store.frees_ms(want, missing, now_ms)
        length = length_ms(budget.period, budget.zone, now_ms, rolling=True)
        retry = ((frees - now_ms) if frees is not None else length) / 1000
    elif budget.period == "total":
        retry = None
    else:
        retry = (window_of(budget.period, budget.zone, now_ms)[1] - now_ms) / 1000
    return BudgetError(
        f"{said(amount, budget.measure)} asked, {said(remaining, budget.measure)} left of {said(limit, budget.measure)} "
        f"({'the last ' if budget.rolling else ''}{budget.period}, {name}){_held(answer, mine, budget.measure)}",
        reason="over_limit",
        budget=budget.name,
        retryable=retry is not None,
        retry_seconds=retry,
        where=budget.name,
        hint=f"`reelwise budget status` shows it; try again in {spell(retry)}"
        if retry is not None
        else "raise the limit",
    )


def _held(answer: Denied, mine: int, measure: str) -> str:
    """Say who has what is neither spent nor left."""
    parts = (
        (mine, "held by calls of this process"),
        (answer.held - answer.silent, "held by other processes and jobs"),
        (answer.silent, "leased by a process that was not heard of for some seconds"),
        (answer.lost, "uncertain since a process died (`reelwise ledger settle-lost`)"),
    )
    return "".join(f"; {said(amount, measure)} is {what}" for amount, what in parts if amount > 0)


def said(amount: int, measure: str) -> str:
    """Write an amount for people: dollars with as many digits as it has, or a count."""
    if measure != "usd":
        return f"{amount:,} {measure}"
    text = f"{amount // NANO:,}.{amount % NANO:09d}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"${whole}.{part:0<2}"
