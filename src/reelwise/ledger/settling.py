"""What processes that died had leased: shown, kept as spent, or let go of, by a person who knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.errors import AlreadySettledError, InputError
from reelwise.ledger.accounts import ROLLING, Accounts
from reelwise.ledger.budgets import Budget, key_for, shown
from reelwise.ledger.events import Event, Units, What, Who
from reelwise.ledger.periods import bucket_of
from reelwise.ledger.words import INSERT_EVENT, Words

if TYPE_CHECKING:
    from reelwise.ledger.sql import Link, SqlStore

__all__ = ["Lost", "lost", "settle_lost"]

_MOST = 10_000


class Lost(Struct, frozen=True, kw_only=True):
    """What one process that died had leased of one account.

    Attributes:
        budget: the budget's name; `account` which of its accounts, as a person reads it.
        measure: usd, calls or frames.
        amount: nano-USD, or a count: counted as spent, perhaps never spent.
        owner: the process, by the name it had: its number comes first.
        at_ms: up to when its lease was believed.
        slot: the account's number in the ledger.
    """

    budget: str
    account: str
    measure: str
    amount: int
    owner: str
    at_ms: int
    slot: int


class _Place(Struct, frozen=True):
    number: int
    budget: Budget
    account: str
    bucket: int


def lost(store: SqlStore, budget: str | None = None) -> list[Lost]:
    """List what is uncertain since processes died, the narrowest budgets and the largest amounts first; of one budget, or of all that are in force.

    Raises:
        InputError: no such budget.
    """
    known = sorted(one.name for one in store.definitions().budgets.values())
    if budget is not None and budget not in known:
        raise InputError(
            f"no budget {budget[:64]!r}", where=budget[:64], hint=f"there are: {', '.join(known) or 'none'}"
        )
    with store.transaction(write=False) as link:
        found = link.rows(
            "SELECT l.owner, l.slot, l.amount, l.at_ms, s.account, b.body FROM lost l JOIN slot s ON s.id = l.slot "
            "JOIN budget b ON b.id = s.budget WHERE l.amount > 0 AND b.dropped_ms IS NULL ORDER BY l.amount DESC LIMIT ?",
            (_MOST,),
        )
    made: list[tuple[int, Lost]] = []
    for owner, slot, amount, at_ms, account, body in found:
        one = msgspec.json.decode(body, type=Budget)
        if budget is None or one.name == budget:
            made.append(
                (
                    len(one.match) + len(one.each),
                    Lost(
                        budget=one.name,
                        account=shown(one, str(account)),
                        measure=one.measure,
                        amount=int(amount),
                        owner=str(owner),
                        at_ms=abs(int(at_ms)),
                        slot=int(slot),
                    ),
                )
            )
    return [one for _, one in sorted(made, key=lambda pair: (-pair[0], -pair[1].amount))]


def settle_lost(store: SqlStore, found: list[Lost], *, as_spent: bool) -> list[Lost]:
    """Settle what was listed, each in one transaction: it was spent, or it was not. Returns what was settled by itself.

    As spent, it becomes a row of the kind `correction` with the labels that its account has, at the time of the lease. The row counts
    in every budget that has such a caller, and what the same process lost there comes off by as much: it is the same money. So settle
    the narrowest budget as spent; budgets of other labels (a user's and a feature's) lost the same money once more, which nobody can
    see from the balances: let go of it there. Let go of, it is free again. What the process itself settles later, should it live,
    counts besides.

    What has changed since it was listed is left alone.
    """
    done = []
    for one in found:
        with store.transaction() as link:
            now = link.rows("SELECT amount FROM lost WHERE owner = ? AND slot = ?", (one.owner, one.slot))
            amount = min(one.amount, int(now[0][0]) if now else 0)
            if not amount:
                continue  # it came off with a row for a narrower budget, or its process lives after all
            rest = msgspec.structs.replace(one, amount=amount)
            if as_spent:
                _spend(link, rest)
            else:
                _take_off(link, one.owner, one.slot, amount)
            done.append(rest)
    return done


def _take_off(link: Link, owner: str, slot: int, amount: int) -> None:
    link.run(
        "UPDATE lost SET amount = amount - ?, at_ms = CASE WHEN at_ms > 0 THEN -at_ms ELSE at_ms END "  # a person settled it
        "WHERE owner = ? AND slot = ?",
        (amount, owner, slot),
    )
    link.run("UPDATE slot SET lost = lost - ? WHERE id = ?", (amount, slot))


def _place(link: Link, slot: int) -> _Place:
    number, account, bucket, body = link.rows(
        "SELECT s.budget, s.account, s.bucket, b.body FROM slot s JOIN budget b ON b.id = s.budget WHERE s.id = ?",
        (slot,),
    )[0]
    return _Place(int(number), msgspec.json.decode(body, type=Budget), str(account), int(bucket))


def _spend(link: Link, one: Lost) -> None:
    place = _place(link, one.slot)
    budget = place.budget
    at_ms = one.at_ms
    if place.bucket != ROLLING:  # in the window that the lease was for
        start, stop = bucket_of(budget.period, budget.zone, max(0, place.bucket), rolling=budget.rolling)
        at_ms = min(max(at_ms, start), stop - 1)
    who = _who(place)
    used = tuple(one.amount if name == budget.measure else 0 for name in ("usd", "calls", "frames"))
    event = Event(
        id=f"lost/{one.owner}/{one.slot}/{one.at_ms}/{one.amount}",
        at_ms=at_ms,
        who=who,
        what=What(kind="correction", status="ambiguous"),
        units=Units(calls=used[1], frames=used[2]),
        cost_nano=used[0],
    )
    if link.many(INSERT_EVENT, Words(link).rows([event])) != 1:
        raise AlreadySettledError(
            "this was settled as spent before",
            where=one.budget,
            hint="nothing was counted twice; --release lets go of it",
        )
    for number, body in link.rows("SELECT id, body FROM budget WHERE dropped_ms IS NULL"):
        other = msgspec.json.decode(body, type=Budget)
        amount = used[("usd", "calls", "frames").index(other.measure)]
        key = key_for(other, who)
        if key is None or not amount:
            continue
        bucket, _ = bucket_of(other.period, other.zone, at_ms, rolling=other.rolling)
        slot = Accounts("").slot(link, (int(number), key, bucket))
        had = link.rows("SELECT amount FROM lost WHERE owner = ? AND slot = ?", (one.owner, slot))
        off = min(amount, int(had[0][0])) if had else 0
        over = amount - off if other.holds else 0
        link.run("UPDATE slot SET posted = posted + ?, overrun = overrun + ? WHERE id = ?", (amount, over, slot))
        if off:
            _take_off(link, one.owner, slot, off)


def _who(place: _Place) -> Who:
    """Return a caller with the labels that an account has."""
    budget = place.budget
    labels = dict(budget.match)
    if budget.each:
        labels |= dict(zip(budget.each, place.account.split("\x1f"), strict=True))
    tags = tuple(sorted((name[4:], value) for name, value in labels.items() if name.startswith("tag:") and value))
    return Who(**{name: value for name, value in labels.items() if not name.startswith("tag:")}, tags=tags)
