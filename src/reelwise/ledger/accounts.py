"""Slots: one account of a budget in one window, and the leases on it. Everything here runs inside a store's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reelwise.errors import LedgerError
from reelwise.ledger.periods import since
from reelwise.ledger.store import Denied, Granted, Move, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.sql import Link

__all__ = ["ROLLING", "Accounts", "Place"]

ROLLING = -1
"""The bucket that leases and durable holds of a rolling budget are kept on: they have no moment yet."""

_SHARES = 8  # a lease is at most this part of what remains, for each owner
_KNOWN_MAX = 100_000

_FREE = (
    "UPDATE lease SET amount = amount - ?, tight = CASE WHEN ? = 1 THEN 1 ELSE tight END "
    "WHERE owner = ? AND slot = ? AND amount >= ?"
)

Place = tuple[int, str, int]
"""A budget, an account of it, and a bucket."""


class State(NamedTuple):
    """One account as it stands."""

    slot: int
    spent: int
    leased: int
    pending: int
    lost: int
    tight: bool


class Accounts:
    """Reads and moves slots."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots: dict[Place, int] = {}

    def forget(self) -> None:
        """A transaction was rolled back: slots it made are not there."""
        self._slots.clear()

    def slot(self, link: Link, place: Place) -> int:
        """Return the number of a slot, making it where it is new."""
        known = self._slots.get(place)
        if known is not None:
            return known
        find = "SELECT id FROM slot WHERE budget = ? AND account = ? AND bucket = ?"
        found = link.rows(find, place)
        if not found:
            link.run("INSERT INTO slot (budget, account, bucket) VALUES (?, ?, ?)", place)
            found = link.rows(find, place)
        if len(self._slots) >= _KNOWN_MAX:
            self._slots.clear()
        self._slots[place] = int(found[0][0])
        return int(found[0][0])

    def state(self, link: Link, budget: Budget, place: Place, now_ms: int) -> State:
        """Return what is spent, leased, pending and lost on an account.

        `spent` has posted costs, overruns among them, and what is lost.
        """
        slot = self.slot(link, place)
        posted, leased, pending, lost, tight = link.rows(
            "SELECT posted, leased, pending, lost, tight FROM slot WHERE id = ?", (slot,)
        )[0]
        if place[2] == ROLLING:
            first = since(budget.period, budget.zone, now_ms, rolling=True)
            posted = link.rows(
                "SELECT COALESCE(SUM(posted), 0) FROM slot WHERE budget = ? AND account = ? AND bucket >= ?",
                (place[0], place[1], first),
            )[0][0]
        return State(slot, int(posted) + int(lost), int(leased), int(pending), int(lost), bool(tight))

    def spent(
        self, link: Link, budgets: Mapping[int, Budget], places: Iterable[Place], now_ms: int
    ) -> dict[Place, int]:
        """Return what is spent on accounts: posted and lost, in the present window of their budget."""
        found = {}
        wanted = {}
        for place in dict.fromkeys(places):
            budget = budgets.get(place[0])
            if budget is None:
                continue
            if place[2] == ROLLING:
                found[place] = self.state(link, budget, place, now_ms).spent
            else:
                wanted[self.slot(link, place)] = place
        numbers = sorted(wanted)
        for at in range(0, len(numbers), 500):
            part = numbers[at : at + 500]
            marks = ", ".join("?" * len(part))
            for slot, spent in link.rows(f"SELECT id, posted + lost FROM slot WHERE id IN ({marks})", part):  # noqa: S608
                found[wanted[int(slot)]] = int(spent)
        return found

    def grant(self, link: Link, owner: str, want: Want, now_ms: int) -> tuple[Granted | None, State]:
        """Say how much may be leased, or None; nothing is written yet but that a slot has become tight."""
        state = self.state(link, want.budget, want.place, now_ms)
        remaining = (want.budget.hard or 0) - state.spent - state.leased - state.pending
        if want.need > remaining:
            if not state.tight:
                link.run("UPDATE slot SET tight = 1 WHERE id = ?", (state.slot,))
            return None, state
        owners = int(link.rows("SELECT COUNT(*) FROM lease WHERE slot = ? AND owner <> ?", (state.slot, owner))[0][0])
        chunk = 0 if state.tight else min(want.want, remaining // (_SHARES * (owners + 1)))
        return Granted(max(want.need, chunk), state.spent, state.tight), state

    def denied(self, link: Link, owner: str, index: int, want: Want, state: State) -> Denied:
        """Say why a want does not fit."""
        found = link.rows("SELECT tight FROM lease WHERE slot = ? AND owner <> ? AND amount > 0", (state.slot, owner))
        remaining = (want.budget.hard or 0) - state.spent - state.leased - state.pending
        return Denied(index, remaining, any(not tight for (tight,) in found), bool(found), state.lost)

    def lease(self, link: Link, owner: str, place: Place, one: Granted, expires_ms: int) -> None:
        """Write a lease down."""
        slot = self.slot(link, place)
        link.run("UPDATE slot SET leased = leased + ? WHERE id = ?", (one.amount, slot))
        link.run(
            "INSERT INTO lease (owner, slot, amount, tight, expires_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (owner, slot) "
            "DO UPDATE SET amount = lease.amount + excluded.amount, expires_ms = excluded.expires_ms, tight = excluded.tight",
            (owner, slot, one.amount, int(one.tight), expires_ms),
        )

    def move(self, link: Link, owner: str, moves: Sequence[Move]) -> None:
        """Post to accounts, and free what was leased for it."""
        slots = [self.slot(link, (one.budget_id, one.account, one.lease_bucket)) for one in moves]
        posted = [
            (one.posted, one.overrun, slot if one.bucket == one.lease_bucket else self._posts(link, one))
            for one, slot in zip(moves, slots, strict=True)
            if one.posted or one.overrun
        ]
        if posted:
            link.many("UPDATE slot SET posted = posted + ?, overrun = overrun + ? WHERE id = ?", posted)
        due = [(one, slot) for one, slot in zip(moves, slots, strict=True) if one.release or one.told]
        if not due:
            return
        link.run("SAVEPOINT leases")
        freed = [(one.release, int(one.told), owner, slot, one.release) for one, slot in due]
        if link.many(_FREE, freed) == len(due):
            link.many("UPDATE slot SET leased = leased - ? WHERE id = ?", [(one.release, slot) for one, slot in due])
        else:  # some of them are not leased any more: one after the other
            link.run("ROLLBACK TO SAVEPOINT leases")
            for one, slot in due:
                self._release(link, owner, slot, one)
        link.run("RELEASE SAVEPOINT leases")

    def _posts(self, link: Link, one: Move) -> int:
        return self.slot(link, (one.budget_id, one.account, one.bucket))

    def _release(self, link: Link, owner: str, slot: int, one: Move) -> None:
        amount, told = one.release, int(one.told)
        if link.run(_FREE, (amount, told, owner, slot, amount)):
            link.run("UPDATE slot SET leased = leased - ? WHERE id = ?", (amount, slot))
            return
        if not amount:
            return
        # the lease was booked as lost while its owner slept: what it settles now comes off that
        kept = link.rows("SELECT amount FROM lease WHERE owner = ? AND slot = ?", (owner, slot))
        late = link.rows("SELECT amount FROM lost WHERE owner = ? AND slot = ?", (owner, slot))
        leased, lost = (int(kept[0][0]) if kept else 0), (int(late[0][0]) if late else 0)
        if amount > leased + lost:
            raise LedgerError(
                f"{amount:,} to free of a lease of {leased + lost:,}",
                where=self._name,
                hint="please report this: it is a bug",
            )
        rest = amount - leased
        link.run("UPDATE lease SET amount = 0 WHERE owner = ? AND slot = ?", (owner, slot))
        link.run("UPDATE lost SET amount = amount - ? WHERE owner = ? AND slot = ?", (rest, owner, slot))
        link.run("UPDATE slot SET leased = leased - ?, lost = lost - ? WHERE id = ?", (leased, rest, slot))

    def renew(self, link: Link, owner: str, expires_ms: int) -> None:
        """Say that an owner lives: its leases hold on, and what was booked as lost while it slept is leased again."""
        link.run("DELETE FROM lease WHERE owner = ? AND amount = 0", (owner,))
        link.run("UPDATE lease SET expires_ms = ? WHERE owner = ?", (expires_ms, owner))
        for slot, amount in link.rows("SELECT slot, amount FROM lost WHERE owner = ?", (owner,)):
            link.run("DELETE FROM lost WHERE owner = ? AND slot = ?", (owner, slot))
            link.run("UPDATE slot SET leased = leased + ?, lost = lost - ? WHERE id = ?", (amount, amount, slot))
            link.run(
                "INSERT INTO lease (owner, slot, amount, expires_ms) VALUES (?, ?, ?, ?) ON CONFLICT (owner, slot) "
                "DO UPDATE SET amount = lease.amount + excluded.amount",
                (owner, slot, amount, expires_ms),
            )

    def reap(self, link: Link, now_ms: int) -> int:
        """Book leases that were not renewed as lost; return how many there were."""
        dead = link.rows("SELECT owner, slot, amount FROM lease WHERE expires_ms < ?", (now_ms,))
        for owner, slot, amount in dead:
            link.run("DELETE FROM lease WHERE owner = ? AND slot = ?", (owner, slot))
            if not amount:
                continue
            link.run("UPDATE slot SET leased = leased - ?, lost = lost + ? WHERE id = ?", (amount, amount, slot))
            link.run(
                "INSERT INTO lost (owner, slot, amount, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (owner, slot) "
                "DO UPDATE SET amount = lost.amount + excluded.amount",
                (owner, slot, amount, now_ms),
            )
        return sum(1 for one in dead if one[2])
