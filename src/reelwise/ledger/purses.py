"""What one process knows of the budgets: purses (leases it may spend), accounts (windows it posts to), lines (all that one caller counts in)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import key_for
from reelwise.ledger.events import check_who
from reelwise.ledger.modes import OFF
from reelwise.ledger.periods import FOREVER, bucket_of

if TYPE_CHECKING:
    from reelwise.ledger.accounts import Place
    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.events import Who
    from reelwise.ledger.store import Definitions

__all__ = ["OTHER", "Account", "Line", "Lines", "Purse"]

_INDEX = {"usd": 0, "calls": 1, "frames": 2}
_LINES_MAX = 100_000
_ACCOUNTS_MAX = 200_000
_REST_MS = 60_000  # a purse that was asked for in this time may be about to be filled
TAG_NAMES_MAX = 64
TAG_VALUES_MAX = 10_000
"""What one process keeps apart: names of tags, and values of each. Values that a budget names are always kept."""
OTHER = "(other)"


class Purse:
    """A lease: `free` may be handed out without asking the store.

    Attributes:
        free: leased, and neither held by calls under way nor posted. Below 0 for a moment where a budget was set that calls under way
            count in, until the store knows of them.
        leased: what the store has down as leased to this process: `leased - free` is held, or posted and not yet written.
        owed: taken out of `free` to be given back.
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
        "leased",
        "owed",
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
        self.free = self.leased = self.owed = self.spent = 0
        self.seen_ms = self.used_ms = -1
        self.tight = self.told = False

    def release(self) -> None:
        """Hand out nothing more of it: what is free is given back with the next rows."""
        if self.free > 0:
            self.owed += self.free
            self.free = 0

    @property
    def place(self) -> Place:
        """Where its lease is kept."""
        return self.budget_id, self.account, self.bucket


class Account:
    """Where costs are posted: a window of a budget, and the purse that it is held from."""

    __slots__ = ("bucket", "purse", "until_ms")

    def __init__(self, purse: Purse, bucket: int, until_ms: int) -> None:
        self.purse = purse
        self.bucket = bucket
        self.until_ms = until_ms


class Line:
    """All accounts that one caller's costs count in, until the first of their windows ends.

    Attributes:
        usd: accounts of budgets in dollars that calls are held against; `other` those in calls or frames.
        watched: accounts that nothing is held against: soft limits, targets, shadow.
        purses, others: of `usd` and of `other`.
        version: of the definitions that it was made from.
    """

    __slots__ = ("from_ms", "other", "others", "purses", "until_ms", "usd", "version", "watched", "who")

    def __init__(self, who: Who, accounts: list[Account], version: int) -> None:
        self.who = who
        self.version = version
        self.from_ms = max((one.bucket for one in accounts), default=-FOREVER)
        self.until_ms = min((one.until_ms for one in accounts), default=FOREVER)
        held = [one for one in accounts if one.purse.budget.holds]
        self.usd = tuple(one for one in held if one.purse.index == 0)
        self.other = tuple(one for one in held if one.purse.index != 0)
        self.watched = tuple(one for one in accounts if not one.purse.budget.holds)
        self.purses = tuple(one.purse for one in self.usd)
        self.others = tuple(one.purse for one in self.other)

    def held(self) -> tuple[Purse, ...]:
        """Return the purses that its calls are held from."""
        return (*self.purses, *self.others)

    def accounts(self) -> tuple[Account, ...]:
        """Return all of them."""
        return (*self.usd, *self.other, *self.watched)


class Lines:
    """The purses, accounts and lines of a process. Bounded: what is not in use is let go of."""

    def __init__(self) -> None:
        self.definitions: Definitions | None = None
        self.version = 0
        self.purses: dict[Place, Purse] = {}
        self.accounts: dict[Place, Account] = {}
        self.lines: dict[Who, Line] = {}
        self._tags: dict[str, set[str]] = {}

    def resolve(self, who: Who, now_ms: int) -> Line:
        """Find the accounts that a caller counts in now, and remember them.

        Raises:
            InputError: a label that cannot be.
        """
        line = self.at(self.fold(check_who(who)), now_ms)
        feature = self.definitions.features.get(who.feature) if self.definitions else None
        if feature is not None and (feature.killed or feature.forced == OFF):
            return line  # never kept: a line that is kept is one that may be used
        if len(self.lines) >= _LINES_MAX:
            self.lines.clear()
        self.lines[who] = line
        return line

    def fold(self, who: Who) -> Who:
        """Put the values of a tag that has too many of them, and tags beyond the number of names kept, under one value.

        A tag that differs with each call would make the ledger's labels grow like its rows, and its sums by label useless. It is
        done before anything is held, so that balances and rows have the same labels.
        """
        if not who.tags:
            return who
        kept = []
        for name, value in who.tags:
            values = self._tags.get(name)
            if values is None:
                if len(self._tags) >= TAG_NAMES_MAX:
                    continue
                values = self._tags[name] = set()
            if value not in values and not self._matched(name, value):
                if len(values) >= TAG_VALUES_MAX:
                    kept.append((name, OTHER))
                    continue
                values.add(value)
            kept.append((name, value))
        tags = tuple(kept)
        return who if tags == who.tags else msgspec.structs.replace(who, tags=tags)

    def _matched(self, name: str, value: str) -> bool:
        wanted = (f"tag:{name}", value)
        return any(wanted in one.match for one in (self.definitions.budgets.values() if self.definitions else ()))

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
                    purse.used_ms = now_ms
                account = self.accounts[number, key, bucket] = Account(purse, bucket, until)
            found.append(account)
        return Line(who, found, self.version)

    def change(self, definitions: Definitions) -> None:
        """Take over other definitions: budgets that were changed keep their purses, under their new limits.

        Where a limit was lowered, what was leased under the old one and is free is not handed out any more.
        """
        before, self.definitions = self.definitions, definitions
        if before is not None and (before.budgets, before.features) == (definitions.budgets, definitions.features):
            return  # only a lease was called back
        self.version += 1
        self.lines.clear()
        for purse in self.purses.values():
            budget = definitions.budgets.get(purse.budget_id)
            if budget is None or budget == purse.budget:
                continue
            if (budget.hard or 0) < (purse.budget.hard or 0) or not budget.holds:
                purse.release()
            purse.budget = budget
            purse.tight = purse.told = False

    def drop_idle(self, now_ms: int) -> None:
        """Let go of accounts whose windows have ended, of some more where there are too many, and of purses that hold nothing."""
        many = len(self.accounts) > _ACCOUNTS_MAX
        ended = [
            place
            for place, one in self.accounts.items()
            if (many or one.until_ms <= now_ms) and self._at_rest(one.purse, now_ms)
        ]
        for place in ended:
            del self.accounts[place]
        used = {one.purse for one in self.accounts.values()}
        empty = [place for place, one in self.purses.items() if one not in used and self._at_rest(one, now_ms)]
        for place in empty:
            del self.purses[place]
        if ended:
            self.lines.clear()

    def _at_rest(self, purse: Purse, now_ms: int) -> bool:
        return not purse.leased and not purse.free and not 0 <= now_ms - purse.used_ms <= _REST_MS
