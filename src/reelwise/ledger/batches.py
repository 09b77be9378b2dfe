"""Rows on their way to the store, and what they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reelwise.ledger.holds import NOTHING
from reelwise.ledger.store import Move

if TYPE_CHECKING:
    from collections.abc import Collection

    from reelwise.ledger.events import Event
    from reelwise.ledger.holds import Posting
    from reelwise.ledger.purses import Account, Line, Lines, Purse

__all__ = ["Batch", "Taken"]


class Taken(NamedTuple):
    """What a batch posts to one account: in all, of it above what was held, and what of it comes off the lease."""

    account: Account
    posted: int
    overrun: int
    released: int


class Batch:
    """Settled calls to write, and what is given back besides.

    Attributes:
        postings: the calls.
        number: how many had been settled by this process, these included.
        backs: what each purse gives back besides.
        taken: sums by account; `moves` what they do in the store, `purses` whose leases those concern.
    """

    def __init__(self, postings: list[Posting], number: int, lines: Lines) -> None:
        self.postings = postings
        self.number = number
        self.backs: dict[Purse, int] = {}
        self.taken: list[Taken] = []
        self.moves: list[Move] = []
        self.purses: list[Purse] = []
        self._lines = lines
        self._sum()

    def rows(self) -> list[Event]:
        """Return the rows of all calls, in order."""
        return [event for posting in self.postings for event in posting[0]]

    def owners(self, numbers: Collection[int]) -> set[int]:
        """Return which calls some rows belong to."""
        wanted = set(numbers)
        found = set()
        at = 0
        for number, posting in enumerate(self.postings):
            if any(at + offset in wanted for offset in range(len(posting[0]))):
                found.add(number)
            at += len(posting[0])
        return found

    def _sum(self) -> None:
        by_line: dict[Line, list[int]] = {}
        for _, line, used, over, free in self.postings:
            row = by_line.get(line)
            if row is None:
                row = by_line[line] = [0, 0, 0, 0, 0, 0, 0, 0, 0]
            row[0] += used[0]
            row[1] += used[1]
            row[2] += used[2]
            if over is not NOTHING:
                row[3] += over[0]
                row[4] += over[1]
                row[5] += over[2]
                row[6] += used[0] - free[0]
                row[7] += used[1] - free[1]
                row[8] += used[2] - free[2]
        sums: dict[Account, list[int]] = {}
        for line, row in by_line.items():
            for account in (*line.usd, *line.other):
                index = account.purse.index
                _add(sums, account, row[index], row[3 + index], row[index] - row[6 + index])
            for account in line.watched:
                amount = row[account.purse.index]
                held = account.purse.budget.holds  # since this call began: nothing was held for it
                _add(sums, account, amount, max(0, amount) if held else 0, 0)
        if any(line.version != self._lines.version for line in by_line):
            self._add_new(sums)
        self.taken = [Taken(account, *amounts) for account, amounts in sums.items()]

    def again(self) -> None:
        """Add up again, after calls were left out or budgets have changed."""
        self._sum()
        self.fill()

    def _add_new(self, sums: dict[Account, list[int]]) -> None:
        """Count calls in budgets that were set while they were under way: nothing was held there."""
        for events, line, amounts, _, _ in self.postings:
            if line.version == self._lines.version:
                continue
            before = {one.purse.budget_id for one in line.accounts()}
            for account in self._lines.at(line.who, events[0].at_ms).accounts():
                if account.purse.budget_id not in before:
                    used = amounts[account.purse.index]
                    _add(sums, account, used, max(0, used) if account.purse.budget.holds else 0, 0)

    def fill(self) -> None:
        """Work out what moves, after what is given back has changed."""
        self.moves, self.purses = [], []
        backs = dict(self.backs)
        for account, posted, overrun, released in self.taken:
            purse = account.purse
            release = released + backs.pop(purse, 0)
            self._move(purse, account.bucket, posted, overrun, release)
        for purse, back in backs.items():
            self._move(purse, purse.bucket, 0, 0, back)

    def _move(self, purse: Purse, bucket: int, posted: int, overrun: int, release: int) -> None:
        self.moves.append(
            Move(purse.budget_id, purse.account, bucket, purse.bucket, posted, overrun, release, purse.told)
        )
        self.purses.append(purse)


def _add(sums: dict[Account, list[int]], account: Account, posted: int, overrun: int, released: int) -> None:
    row = sums.get(account)
    if row is None:
        sums[account] = [posted, overrun, released]
        return
    row[0] += posted
    row[1] += overrun
    row[2] += released
