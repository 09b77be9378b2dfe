"""The ledger's tables behind one small connection protocol: SQLite and PostgreSQL share every statement."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from reelwise.errors import AlreadySettledError, LedgerError
from reelwise.ledger.accounts import SILENT_MS, Accounts
from reelwise.ledger.budgets import Budget
from reelwise.ledger.events import key_of
from reelwise.ledger.jobs import Job, Jobs
from reelwise.ledger.modes import Feature
from reelwise.ledger.recompute import counts_alike
from reelwise.ledger.schema import VERSION, migrations
from reelwise.ledger.store import Committed, Definitions, Denied, Granted, Move, Want
from reelwise.ledger.totals import spent_so_far
from reelwise.ledger.words import INSERT_EVENT, Words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from reelwise.ledger.accounts import Place
    from reelwise.ledger.events import Event
    from reelwise.ledger.notices import Notice

__all__ = ["Link", "SqlStore"]


class Link(Protocol):
    """One connection. Foreign errors are mapped inside it; statements have `?` for parameters."""

    serial: str
    blob: str
    real_table: str
    marks: tuple[str, ...]
    """Statements that mark the database as a ledger; none where it is marked."""

    def begin(self, *, write: bool) -> None:
        """Begin a transaction; one that writes waits, bounded, until no other does."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo it."""

    def run(self, text: str, values: Sequence[Any] = ()) -> int:
        """Run a statement; return how many rows it changed."""

    def many(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row; return how many rows it changed in all."""

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query."""

    def has_table(self, name: str) -> bool:
        """Say whether there is such a table."""

    def moved(self) -> None:
        """Tell every process that definitions or leases have changed, once the transaction is durable, or now where there is none."""

    def generation(self) -> int:
        """Return how often that was; costs next to nothing."""

    def backup(self, path: Path, *, overwrite: bool = False) -> None:
        """Copy the ledger to a file while it is in use, or say how that is done; a file that is there only where told so."""

    def close(self) -> None:
        """Close the connection."""


class _DuplicateRowsError(Exception):
    """Some rows of a batch are there already; the transaction is undone."""


class SqlStore:
    """A store over a connection; see `reelwise.ledger.store.Store`."""

    def __init__(self, link: Link, name: str, *, create: bool = True, read_only: bool = False) -> None:
        self.name = name
        self.read_only = read_only
        self.link = link
        self._lock = threading.RLock()
        self._words = Words(link)
        self._accounts = Accounts(name)
        self._jobs = Jobs(self._accounts)
        self._budgets: dict[int, Budget] = {}
        self._migrate(create=create and not read_only)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Link]:
        """Run statements as one transaction: all of them or none."""
        with self._lock:
            self.link.begin(write=write)
            try:
                yield self.link
                self.link.commit()
            except BaseException:
                self.link.rollback()
                self._words.forget()
                self._accounts.forget()
                raise
            self._words.keep()

    def _version(self) -> int:
        version = 0
        if self.link.has_table("meta"):
            found = self.link.rows("SELECT value FROM meta WHERE name = ?", ("schema",))
            version = int(found[0][0]) if found else 0
        if version > VERSION:
            raise LedgerError(
                f"the ledger has schema {version}, this version of reelwise knows {VERSION}",
                where=self.name,
                hint="use the newer reelwise that wrote it",
            )
        return version

    def _migrate(self, *, create: bool) -> None:
        """Bring the tables up to this version; a ledger that is only looked at is left as it is."""
        link = self.link
        with self.transaction(write=False):
            version = self._version()
        if not create and version < VERSION:
            raise LedgerError(
                f"the ledger has schema {version}, and {VERSION} is needed: nothing was changed",
                where=self.name,
                hint="opening it to write brings it up to date: `reelwise budget set`",
            )
        if not create or (version == VERSION and not link.marks):
            return
        with self.transaction():
            version = self._version()
            for one in link.marks:
                link.run(one)
            words = {"serial": link.serial, "blob": link.blob, "real_table": link.real_table}
            for number, statements in migrations(version, **words):
                for one in statements:
                    link.run(one)
                link.run(
                    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    ("schema", str(number)),
                )

    # definitions

    def generation(self) -> int:
        """See `Store`."""
        return self.link.generation()

    def definitions(self) -> Definitions:
        """See `Store`."""
        generation = self.link.generation()
        with self.transaction(write=False) as link:
            found = link.rows("SELECT id, body FROM budget WHERE dropped_ms IS NULL ORDER BY id")
            features = link.rows("SELECT name, body FROM feature ORDER BY name")
        self._budgets = {int(number): msgspec.json.decode(body, type=Budget) for number, body in found}
        known = {str(name): msgspec.json.decode(body, type=Feature) for name, body in features}
        return Definitions(generation, self._budgets, known)

    def put_budget(self, budget: Budget, now_ms: int) -> int:
        """See `Store`."""
        body = msgspec.json.encode(budget).decode()
        with self.transaction() as link:
            old = link.rows("SELECT id, body, dropped_ms FROM budget WHERE name = ?", (budget.name,))
            if old and old[0][2] is None and counts_alike(msgspec.json.decode(old[0][1], type=Budget), budget):
                number = int(old[0][0])
                link.run(
                    "UPDATE budget SET body = ? WHERE id = ?", (body, number)
                )  # its balances go on from when it was set
                link.run("UPDATE slot SET tight = 0 WHERE budget = ?", (number,))
                link.run("UPDATE lease SET tight = 0 WHERE slot IN (SELECT id FROM slot WHERE budget = ?)", (number,))
            else:
                if old:  # another scope or period has other accounts: it gets a number of its own
                    link.run(
                        "UPDATE budget SET name = ?, dropped_ms = ? WHERE id = ?",
                        (f"{budget.name}#{old[0][0]}", old[0][2] or now_ms, old[0][0]),
                    )
                new = "INSERT INTO budget (name, body, set_ms) VALUES (?, ?, ?) RETURNING id"
                number = int(link.rows(new, (budget.name, body, now_ms))[0][0])
                for (account, bucket), amount in spent_so_far(link, budget, now_ms).items():
                    slot = self._accounts.slot(link, (number, account, bucket))
                    link.run("UPDATE slot SET posted = ? WHERE id = ?", (amount, slot))
            self._jobs.count_in(link, number, budget)
            link.moved()
        return number

    def drop_budget(self, name: str, now_ms: int) -> bool:
        """See `Store`."""
        with self.transaction() as link:
            done = link.run("UPDATE budget SET dropped_ms = ? WHERE name = ? AND dropped_ms IS NULL", (now_ms, name))
            link.moved()
        return bool(done)

    def put_feature(self, feature: Feature) -> None:
        """See `Store`."""
        with self.transaction() as link:
            link.run(
                "INSERT INTO feature (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                (feature.name, msgspec.json.encode(feature).decode()),
            )
            link.moved()

    # leases

    def lease(self, owner: str, wants: Sequence[Want], now_ms: int, ttl_ms: int) -> list[Granted] | Denied:
        """See `Store`."""
        granted: list[Granted] = []
        denied: Denied | None = None
        with self.transaction() as link:
            for index, want in enumerate(wants):
                one, state = self._accounts.grant(link, owner, want, now_ms)
                if one is None:
                    denied = self._accounts.denied(
                        link, owner, index, want, state, heard_ms=now_ms + ttl_ms - SILENT_MS
                    )
                    break
                granted.append(one)
            else:
                for want, one in zip(wants, granted, strict=True):
                    self._accounts.lease(link, owner, want.place, one, now_ms + ttl_ms)
            if denied is not None and denied.others:
                link.moved()
        return granted if denied is None else denied

    def force(self, owner: str, leases: Sequence[tuple[Place, int]], now_ms: int, ttl_ms: int) -> None:
        """See `Store`."""
        with self.transaction() as link:
            for place, amount in leases:
                self._accounts.lease(link, owner, place, Granted(amount, 0, tight=True), now_ms + ttl_ms)

    def called_back(self, owner: str) -> list[tuple[int, str, int]]:
        """See `Store`."""
        with self.transaction(write=False) as link:
            found = link.rows(
                "SELECT s.budget, s.account, s.bucket FROM lease l JOIN slot s ON s.id = l.slot "
                "WHERE l.owner = ? AND l.tight = 0 AND s.tight > 0",
                (owner,),
            )
        return [(int(budget), str(account), int(bucket)) for budget, account, bucket in found]

    def frees_ms(self, want: Want, amount: int, now_ms: int) -> int | None:
        """See `Store`."""
        with self.transaction(write=False) as link:
            return self._accounts.frees_ms(link, want.budget, want.place, amount, now_ms)

    def renew(self, owner: str, now_ms: int, ttl_ms: int) -> None:
        """See `Store`."""
        with self.transaction() as link:
            self._accounts.renew(link, owner, now_ms + ttl_ms)

    def reap(self, now_ms: int) -> int:
        """See `Store`."""
        with self.transaction() as link:
            return self._accounts.reap(link, now_ms) + self._jobs.expire(link, now_ms)

    # rows

    def commit(
        self,
        owner: str,
        events: Sequence[Event],
        moves: Sequence[Move],
        now_ms: int,
        known: Collection[int] | None = None,
    ) -> Committed:
        """See `Store`."""
        try:
            with self.transaction() as link:
                if _stale(link, events, known):
                    return Committed([], {}, stale=True)
                rows = self._words.rows(events)
                _insert(link, rows)
                self._accounts.move(link, owner, moves)
                places = [(one.budget_id, one.account, one.lease_bucket) for one in moves]
                return Committed([], self._accounts.spent(link, self._budgets, places, now_ms))
        except _DuplicateRowsError:
            return Committed(self._duplicates(events), {})

    def _duplicates(self, events: Sequence[Event]) -> list[int]:
        seen: set[bytes] = set()
        found = []
        with self.transaction(write=False) as link:
            for number, one in enumerate(events):
                key = key_of(one.id)
                if key in seen or link.rows("SELECT 1 FROM event WHERE id = ?", (key,)):
                    found.append(number)
                seen.add(key)
        return found

    def spent(self, places: Sequence[tuple[Budget, tuple[int, str, int]]], now_ms: int) -> list[int]:
        """Return what is spent in accounts: posted and lost, in the budget's present window."""
        with self.transaction() as link:
            return [self._accounts.state(link, budget, place, now_ms).spent for budget, place in places]

    def note(self, notice: Notice) -> bool:
        """Write a notice down; False where it was there."""
        with self.transaction() as link:
            values = (
                notice.at_ms,
                notice.kind,
                notice.budget,
                notice.account,
                notice.bucket,
                notice.level,
                notice.text,
            )
            return bool(
                link.run(
                    "INSERT INTO notice (at_ms, kind, budget, account, bucket, level, text) VALUES (?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (kind, budget, account, bucket, level) DO NOTHING",
                    values,
                )
            )

    # durable holds

    def place(self, job: Job, wants: Sequence[Want]) -> Denied | None:
        """See `Store`."""
        with self.transaction() as link:
            denied = self._jobs.place(link, job, wants)
            if denied is not None and denied.others:
                link.moved()
        return denied

    def job(self, name: str) -> Job | None:
        """See `Store`."""
        with self.transaction(write=False) as link:
            return self._jobs.find(link, name)

    def jobs(self, most: int = 1000) -> list[Job]:
        """See `Store`."""
        with self.transaction(write=False) as link:
            return self._jobs.open(link, most)

    def settle(
        self,
        job: Job,
        state: str,
        events: Sequence[Event],
        moves: Sequence[Move],
        known: Collection[int] | None = None,
    ) -> bool:
        """See `Store`."""
        try:
            with self.transaction() as link:
                if _stale(link, events, known) or not self._jobs.close(link, job, state):
                    return False
                rows = self._words.rows(events)
                _insert(link, rows)
                self._accounts.move(link, "", moves)
        except _DuplicateRowsError:
            raise AlreadySettledError(
                "an event with this id was recorded before", where=job.name, hint="nothing was counted twice"
            ) from None
        return True

    def close(self) -> None:
        """See `Store`."""
        with self._lock:
            self.link.close()


def _stale(link: Link, events: Sequence[Event], known: Collection[int] | None) -> bool:
    """Say whether there are budgets that whoever worked out what rows move did not know of."""
    if known is None or not events:
        return False
    return any(int(number) not in known for (number,) in link.rows("SELECT id FROM budget WHERE dropped_ms IS NULL"))


def _insert(link: Link, rows: Sequence[Sequence[Any]]) -> None:
    if rows and link.many(INSERT_EVENT, rows) != len(rows):
        raise _DuplicateRowsError
