"""What a store of the ledger must do: hand out leases that never exceed a limit, and keep rows exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.events import Event
    from reelwise.ledger.jobs import Job
    from reelwise.ledger.modes import Feature

__all__ = ["Committed", "Definitions", "Denied", "Granted", "Move", "Store", "Want"]


class Definitions(NamedTuple):
    """What is to be kept: read again whenever `generation` moved on."""

    generation: int
    budgets: dict[int, Budget]
    features: dict[str, Feature]


class Want(NamedTuple):
    """A lease asked for: at least `need`, at best `want`, on one account in one window."""

    budget_id: int
    budget: Budget
    account: str
    bucket: int  # of the lease: the calendar window's, or -1 for a rolling budget
    need: int
    want: int

    @property
    def place(self) -> tuple[int, str, int]:
        """Where the lease is kept."""
        return self.budget_id, self.account, self.bucket


class Granted(NamedTuple):
    """A lease given: the amount, what had been spent by then, and whether no more than was needed may be kept."""

    amount: int
    spent: int
    tight: bool


class Denied(NamedTuple):
    """Why there is none.

    Attributes:
        place_index: the first want that does not fit.
        remaining: what is left of its budget: limit - posted - leased - pending - lost.
        others: another owner may still give back what it has not used.
        shared: another owner has a lease on it at all.
        lost: what a process that died had not settled, counted as spent.
        held: what other processes and jobs hold; of it
        silent: what belongs to processes that were not heard of for some seconds.
    """

    place_index: int
    remaining: int
    others: bool
    shared: bool
    lost: int
    held: int = 0
    silent: int = 0


class Move(NamedTuple):
    """What a batch of rows does to one account.

    Attributes:
        bucket: where costs are counted; lease_bucket: where the lease is kept.
        posted: spent in this batch, `overrun` of it above what was held.
        release: freed of the lease: what was posted from it, and what is given back.
        told: the owner knows that others are short, and keeps no more than it needs.
    """

    budget_id: int
    account: str
    bucket: int
    lease_bucket: int
    posted: int
    overrun: int
    release: int
    told: bool = False


class Committed(NamedTuple):
    """What came of a batch.

    Where rows were there already, `duplicates` has their numbers in the batch and NOTHING was written: leave them out and come again.
    Where `stale`, there is a budget that the batch does not know of, and NOTHING was written: count it there too and come again.
    Else `spent` says what is spent now in each account moved, by (budget, account, lease bucket).
    """

    duplicates: list[int]
    spent: dict[tuple[int, str, int], int]
    stale: bool = False


class Store(Protocol):
    """Durable rows and exact balances. Every method is one transaction: all of it or nothing, and safe from several threads.

    Raises (any method):
        LedgerError: damaged, of another version, or locked for longer than the bounded wait.
        OutputError: the disk is full or read-only; nothing was written.
    """

    name: str

    def generation(self) -> int:
        """Return a number that moves when definitions change or a lease is called back, at the cost of no query where possible."""

    def definitions(self) -> Definitions:
        """Return budgets and features as they are now."""

    def put_budget(self, budget: Budget, now_ms: int) -> int:
        """Add or change a budget by name; what was spent already in its present window counts."""

    def drop_budget(self, name: str, now_ms: int) -> bool:
        """Drop a budget; say whether there was one."""

    def put_feature(self, feature: Feature) -> None:
        """Set a feature's ladders, switch and forced mode."""

    def lease(self, owner: str, wants: Sequence[Want], now_ms: int, ttl_ms: int) -> list[Granted] | Denied:
        """Grant all wants or none."""

    def commit(
        self,
        owner: str,
        events: Sequence[Event],
        moves: Sequence[Move],
        now_ms: int,
        known: Collection[int] | None = None,
    ) -> Committed:
        """Write rows and what they move; see `Committed`. `known`: the numbers of the budgets that `moves` were made from."""

    def force(self, owner: str, leases: Sequence[tuple[tuple[int, str, int], int]], now_ms: int, ttl_ms: int) -> None:
        """Lease, whatever is left: for calls that were under way when a budget was set."""

    def called_back(self, owner: str) -> list[tuple[int, str, int]]:
        """Return the accounts (budget, account, lease bucket) on which others are short and this owner was not told yet."""

    def frees_ms(self, want: Want, amount: int, now_ms: int) -> int | None:
        """Return when as much as `amount` will have left a rolling window; None where there is not so much in it."""

    def renew(self, owner: str, now_ms: int, ttl_ms: int) -> None:
        """Say that the owner of leases lives."""

    def reap(self, now_ms: int) -> int:
        """Book leases not renewed in time as lost, and expire durable holds; return how many there were of both."""

    def place(self, job: Job, wants: Sequence[Want]) -> Denied | None:
        """Place a durable hold on all accounts or none."""

    def job(self, name: str) -> Job | None:
        """Return a durable hold as it stands."""

    def jobs(self, most: int = 1000) -> list[Job]:
        """List durable holds that wait to be settled, the next to expire first."""

    def settle(
        self,
        job: Job,
        state: str,
        events: Sequence[Event],
        moves: Sequence[Move],
        known: Collection[int] | None = None,
    ) -> bool:
        """Move a job from the state it was read in to another, with its rows; False where it, or the budgets known, have moved.

        Raises:
            AlreadySettledError: a row with one of the ids is there already; nothing was written.
        """

    def close(self) -> None:
        """Give back what is open."""
