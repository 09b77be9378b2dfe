"""Slots: one account of a budget in one window, and the leases on it. Everything here runs inside a store's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from reelwise.errors import LedgerError
from reelwise.ledger.budgets import Budget
from reelwise.ledger.periods import bucket_of, length_ms, since
from reelwise.ledger.store import Denied, Granted, Move, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelwise.ledger.sql import Link

__all__ = ["ROLLING", "Accounts", "Place"]

ROLLING = -1
"""The bucket that leases and durable holds of a rolling budget are kept on: they have no moment yet.

What is lost of them has one: the moment up to which the lease was believed, and it leaves the window as costs of that moment do."""
TIGHT_SECONDS = 5
"""So long after a denial each process keeps no more of an account than it needs."""
LEASE_MS = 30_000
"""How long a lease is believed without a sign of life of its owner."""
SILENT_MS = 3000
"""Owners renew every second: one that has not for so long may be dead."""

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
    tight: bool  # somebody was denied a moment ago
    eased: bool  # somebody was, and it is over


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
            posted, lost = link.rows(
                "SELECT COALESCE(SUM(posted), 0), COALESCE(SUM(lost), 0) FROM slot WHERE budget = ? AND account = ? AND bucket >= ?",
                (place[0], place[1], first),
            )[0]
        recent = 0 <= now_ms // 1000 - int(tight) <= TIGHT_SECONDS
        eased = bool(tight) and not recent
        return State(slot, int(posted) + int(lost), int(leased), int(pending), int(lost), recent, eased)

    def frees_ms(self, link: Link, budget: Budget, place: Place, amount: int, now_ms: int) -> int | None:
        """Return when as much as `amount` will have left a rolling window; None where there is not so much in it."""
        first = since(budget.period, budget.zone, now_ms, rolling=True)
        for bucket, gone in link.rows(
            "SELECT bucket, posted + lost FROM slot WHERE budget = ? AND account = ? AND bucket >= ? ORDER BY bucket",
            (place[0], place[1], first),
        ):
            amount -= int(gone)
            if amount <= 0:
                start, stop = bucket_of(budget.period, budget.zone, int(bucket), rolling=True)
                return stop + length_ms(budget.period, budget.zone, start, rolling=True)
        return None

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
            if want.need <= remaining + self._others(link, owner, state.slot)[0]:  # else it helps nobody
                link.run("UPDATE slot SET tight = ? WHERE id = ?", (now_ms // 1000, state.slot))
            return None, state
        if state.eased:
            link.run("UPDATE slot SET tight = 0 WHERE id = ?", (state.slot,))
        owners = int(link.rows("SELECT COUNT(*) FROM lease WHERE slot = ? AND owner <> ?", (state.slot, owner))[0][0])
        chunk = 0 if state.tight else min(want.want, remaining // (_SHARES * (owners + 1)))
        return Granted(max(want.need, chunk), state.spent, state.tight), state

    def _others(self, link: Link, owner: str, slot: int, heard_ms: int = 0) -> tuple[int, int]:
        """Return what others have leased, and what of it belongs to those that were not heard of since a moment."""
        held, silent = link.rows(
            "SELECT COALESCE(SUM(amount), 0), COALESCE(SUM(CASE WHEN expires_ms < ? THEN amount ELSE 0 END), 0) "
            "FROM lease WHERE slot = ? AND owner <> ?",
            (heard_ms, slot, owner),
        )[0]
        return int(held), int(silent)

    def denied(self, link: Link, owner: str, index: int, want: Want, state: State, *, heard_ms: int) -> Denied:
        """Say why a want does not fit; leases that end before `heard_ms` were not renewed as they should be."""
        found = link.rows("SELECT tight FROM lease WHERE slot = ? AND owner <> ? AND amount > 0", (state.slot, owner))
        remaining = (want.budget.hard or 0) - state.spent - state.leased - state.pending
        held, silent = self._others(link, owner, state.slot, heard_ms)
        others = any(not tight for (tight,) in found) and want.need <= remaining + held
        return Denied(index, remaining, others, bool(found), state.lost, held + state.pending, silent)

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
        late = self._lost(link, owner, slot)
        leased, lost = (int(kept[0][0]) if kept else 0), sum(left for _, left, _ in late)
        if amount > leased + lost and any(settled for _, _, settled in late):
            amount = leased + lost  # a person has settled the rest
        if amount > leased + lost:
            raise LedgerError(
                f"{amount:,} to free of a lease of {leased + lost:,}",
                where=self._name,
                hint="please report this: it is a bug",
            )
        rest = amount - leased
        link.run("UPDATE lease SET amount = 0 WHERE owner = ? AND slot = ?", (owner, slot))
        link.run("UPDATE slot SET leased = leased - ? WHERE id = ?", (leased, slot))
        for where, left, _ in late:
            off = min(rest, left)
            rest -= off
            link.run("UPDATE lost SET amount = amount - ? WHERE owner = ? AND slot = ?", (off, owner, where))
            link.run("UPDATE slot SET lost = lost - ? WHERE id = ?", (off, where))

    def _lost(self, link: Link, owner: str, slot: int) -> list[tuple[int, int, bool]]:
        """Return what an owner has lost of the lease on a slot: where it is booked, how much, and whether a person has settled it."""
        found = link.rows(
            "SELECT l.slot, l.amount, l.at_ms FROM lost l JOIN slot s ON s.id = l.slot JOIN slot o ON o.id = ? "
            "WHERE l.owner = ? AND s.budget = o.budget AND s.account = o.account AND (s.id = o.id OR o.bucket = ?) "
            "ORDER BY s.bucket",
            (slot, owner, ROLLING),
        )
        return [(int(where), int(left), int(at) < 0) for where, left, at in found]

    def renew(self, link: Link, owner: str, expires_ms: int) -> None:
        """Say that an owner lives: its leases hold on, and what was booked as lost while it slept is leased again."""
        link.run("DELETE FROM lease WHERE owner = ? AND amount = 0", (owner,))
        link.run("UPDATE lease SET expires_ms = ? WHERE owner = ?", (expires_ms, owner))
        for booked, amount in link.rows(
            "SELECT slot, amount FROM lost WHERE owner = ? AND (amount > 0 OR at_ms > 0)", (owner,)
        ):
            link.run("DELETE FROM lost WHERE owner = ? AND slot = ?", (owner, booked))
            link.run("UPDATE slot SET lost = lost - ? WHERE id = ?", (amount, booked))
            slot = self._lease_slot(link, booked)
            link.run("UPDATE slot SET leased = leased + ? WHERE id = ?", (amount, slot))
            link.run(
                "INSERT INTO lease (owner, slot, amount, expires_ms) VALUES (?, ?, ?, ?) ON CONFLICT (owner, slot) "
                "DO UPDATE SET amount = lease.amount + excluded.amount",
                (owner, slot, amount, expires_ms),
            )

    def _lease_slot(self, link: Link, booked: int) -> int:
        """Return the slot that the lease was on of which something is booked as lost on a slot: rolling budgets have one for all."""
        found = link.rows(
            "SELECT o.id FROM slot s JOIN slot o ON o.budget = s.budget AND o.account = s.account AND o.bucket = ? WHERE s.id = ?",
            (ROLLING, booked),
        )
        return int(found[0][0]) if found else booked

    def _lost_slot(self, link: Link, slot: int, at_ms: int) -> int:
        """Return the slot that a lease is booked on when it is lost: of a rolling budget, the one of the moment up to which it held."""
        number, account, bucket, body = link.rows(
            "SELECT s.budget, s.account, s.bucket, b.body FROM slot s JOIN budget b ON b.id = s.budget WHERE s.id = ?",
            (slot,),
        )[0]
        if int(bucket) != ROLLING:
            return slot
        budget = msgspec.json.decode(body, type=Budget)
        start, _ = bucket_of(budget.period, budget.zone, at_ms, rolling=True)
        return self.slot(link, (int(number), str(account), start))

    def reap(self, link: Link, now_ms: int) -> int:
        """Book leases that were not renewed as lost; return how many there were."""
        dead = link.rows("SELECT owner, slot, amount, expires_ms FROM lease WHERE expires_ms < ?", (now_ms,))
        for owner, slot, amount, expires_ms in dead:
            link.run("DELETE FROM lease WHERE owner = ? AND slot = ?", (owner, slot))
            if not amount:
                continue
            booked = self._lost_slot(link, int(slot), int(expires_ms))
            link.run("UPDATE slot SET leased = leased - ? WHERE id = ?", (amount, slot))
            link.run("UPDATE slot SET lost = lost + ? WHERE id = ?", (amount, booked))
            link.run(
                "INSERT INTO lost (owner, slot, amount, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (owner, slot) "
                "DO UPDATE SET amount = lost.amount + excluded.amount",
                (owner, booked, amount, expires_ms),
            )
        return sum(1 for one in dead if one[2])
