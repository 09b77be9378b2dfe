"""What one process knows of the budgets: purses (leases it may spend), accounts (windows it posts to), lines (all that one caller counts in)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import key_for
from reelwise.ledger.modes import OFF
from reelwise.ledger.periods import FOREVER, bucket_of

if TYPE_CHECKING:
    from reelwise.ledger.accounts import Place
    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.events import Who
    from reelwise.ledger.store import Definitions

__all__ = ["Account", "Line", "Lines", "Purse"]

_INDEX = {"usd": 0, "calls": 1, "frames": 2}
_LINES_MAX = 100_000


class Purse:
    """A lease: `free` may be handed out without asking the store.

    Attributes:
        free: leased, and neither pending nor posted.
        pending: held by calls under way.
        spent: what all processes had posted and lost when the store was last asked, at `seen_ms`.
        tight: others are short: nothing is kept that is not needed.
        used_ms: when it was last drawn from.
    """

    __slots__ = (
        "account",
        "bucket",
        "budget",
        "budget_id",
        "free",
        "index",
        "pending",
        "seen_ms",
        "spent",
        "tight",
        "told",
        "used_ms",
    )

    def __init__(self, budget_id: int, budget: Budget, account: str, bucket: int) -> None:
        self.budget_id = budget_id
        self.budget = budget
        self.account = account
        self.bucket = bucket
        self.index = _INDEX[budget.measure]
        self.free = self.pending = self.spent = 0
        self.seen_ms = self.used_ms = -1
        self.tight = self.told = False

    @property
    def place(self) -> Place:
        """Where its lease is kept."""
        return self.budget_id, self.account, self.bucket


class Account:
    """Where costs are posted: what was posted since the last flush, how much of it was above its hold, and what came off the lease."""

    __slots__ = ("bucket", "dirty", "overrun", "posted", "purse", "released", "until_ms")

    def __init__(self, purse: Purse, bucket: int, until_ms: int) -> None:
        self.purse = purse
        self.bucket = bucket
        self.until_ms = until_ms
        self.posted = self.overrun = self.released = 0
        self.dirty = False


class Line:
    """All accounts that one caller's costs count in, until the first of their windows ends.

    Attributes:
        usd: accounts of budgets in dollars that calls are held against; `other` those in calls or frames.
        watched: accounts that nothing is held against: soft limits, targets, shadow.
        off: the caller's feature is switched off.
    """

    __slots__ = ("off", "other", "until_ms", "usd", "watched", "who")

    def __init__(self, who: Who, accounts: list[Account], *, off: bool = False) -> None:
        self.who = who
        self.off = off
        self.until_ms = min((one.until_ms for one in accounts), default=FOREVER)
        held = [one for one in accounts if one.purse.budget.holds]
        self.usd = tuple(one for one in held if one.purse.index == 0)
        self.other = tuple(one for one in held if one.purse.index != 0)
        self.watched = tuple(one for one in accounts if not one.purse.budget.holds)

    def unheld(self) -> Line:
        """Return the same accounts as ones that nothing is held against: for a correction, which frees no hold."""
        line = Line(self.who, [])
        line.watched = self.accounts()
        return line

    def accounts(self) -> tuple[Account, ...]:
        """Return all of them."""
        return (*self.usd, *self.other, *self.watched)


class Lines:
    """The purses, accounts and lines of a process. Bounded: what is not in use is let go of."""

    def __init__(self) -> None:
        self.definitions: Definitions | None = None
        self.purses: dict[Place, Purse] = {}
        self.accounts: dict[Place, Account] = {}
        self.lines: dict[Who, Line] = {}

    def resolve(self, who: Who, now_ms: int) -> Line:
        """Find the accounts that a caller counts in now, and remember them."""
        if len(self.lines) >= _LINES_MAX:
            self.lines.clear()
        line = self.lines[who] = self.at(who, now_ms)
        return line

    def at(self, who: Who, now_ms: int) -> Line:
        """Find the accounts that a caller's cost of some moment counts in."""
        found = []
        for number, budget in self.definitions.budgets.items() if self.definitions else ():
            key = key_for(budget, who)
            if key is None:
                continue
            bucket, until = bucket_of(budget.period, budget.zone, now_ms, rolling=budget.rolling)
            account = self.accounts.get((number, key, bucket))
            if account is None:
                place = (number, key, ROLLING if budget.rolling else bucket)
                purse = self.purses.get(place)
                if purse is None:
                    purse = self.purses[place] = Purse(number, budget, key, place[2])
                account = self.accounts[number, key, bucket] = Account(purse, bucket, until)
            found.append(account)
        feature = self.definitions.features.get(who.feature) if self.definitions else None
        return Line(who, found, off=feature is not None and (feature.killed or feature.forced == OFF))

    def change(self, definitions: Definitions) -> None:
        """Take over other definitions: budgets that were changed keep their purses, under their new limits."""
        self.definitions = definitions
        self.lines.clear()
        for purse in self.purses.values():
            budget = definitions.budgets.get(purse.budget_id)
            if budget is not None:
                purse.budget = budget
            purse.tight = purse.told = False

    def drop_idle(self, now_ms: int) -> None:
        """Let go of accounts whose windows have ended, and of purses that hold nothing."""
        ended = [
            place
            for place, one in self.accounts.items()
            if one.until_ms <= now_ms and not one.dirty and not one.purse.pending
        ]
        for place in ended:
            del self.accounts[place]
        used = {id(one.purse) for one in self.accounts.values()}
        empty = [
            place for place, one in self.purses.items() if not one.free and not one.pending and id(one) not in used
        ]
        for place in empty:
            del self.purses[place]
        if ended:
            self.lines.clear()
