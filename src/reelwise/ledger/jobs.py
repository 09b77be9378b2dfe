"""Durable holds: for jobs that outlive the process that started them (a video being generated, a batch)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.errors import AlreadySettledError
from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import Budget, key_for
from reelwise.ledger.events import Who, key_of
from reelwise.ledger.periods import bucket_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.ledger.accounts import Accounts
    from reelwise.ledger.sql import Link
    from reelwise.ledger.store import Denied, Want

__all__ = ["STATES", "Job", "Jobs"]

STATES: tuple[str, ...] = ("pending", "posted", "void", "expired")


class Part(Struct, frozen=True, array_like=True):
    """One account that a job counts in, and how much of it is held (0 where nothing needs to be)."""

    budget_id: int
    account: str
    lease_bucket: int
    bucket: int
    amount: int


class Job(Struct, frozen=True, kw_only=True):
    """A durable hold.

    Attributes:
        name: the job's id.
        who: who it is for.
        amount: what is held, in nano-USD; calls and frames besides.
        at_ms: when it was placed: the window it counts in.
        expires_ms: when it is let go if nobody settles it.
        state: pending, posted, void or expired.
    """

    name: str
    who: Who
    amount: int
    calls: int
    frames: int
    at_ms: int
    expires_ms: int
    parts: tuple[Part, ...] = ()
    state: str = "pending"


class Jobs:
    """Places, finds and closes durable holds, inside a store's transaction."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def place(self, link: Link, job: Job, wants: Sequence[Want]) -> Denied | None:
        """Hold on all accounts, or on none.

        Raises:
            AlreadySettledError: a job of this name was placed before.
        """
        key = key_of(job.name)
        if link.rows("SELECT 1 FROM hold WHERE id = ?", (key,)):
            raise AlreadySettledError(
                "a job with this id was held before", where=job.name, hint="give each job its own id"
            )
        for index, want in enumerate(wants):
            granted, state = self._accounts.grant(link, "", want, job.at_ms)
            if granted is None:
                return self._accounts.denied(link, "", index, want, state, heard_ms=job.at_ms)
        for want in wants:
            slot = self._accounts.slot(link, want.place)
            link.run("UPDATE slot SET pending = pending + ? WHERE id = ?", (want.need, slot))
        link.run(
            "INSERT INTO hold (id, name, at_ms, expires_ms, amount, body) VALUES (?, ?, ?, ?, ?, ?)",
            (key, job.name, job.at_ms, job.expires_ms, job.amount, msgspec.json.encode(job).decode()),
        )
        return None

    def find(self, link: Link, name: str) -> Job | None:
        """Return a job as it stands."""
        found = link.rows("SELECT body, state FROM hold WHERE id = ?", (key_of(name),))
        if not found:
            return None
        return msgspec.structs.replace(msgspec.json.decode(found[0][0], type=Job), state=STATES[int(found[0][1])])

    def open(self, link: Link, most: int) -> list[Job]:
        """List jobs that wait to be settled, the next to expire first."""
        found = link.rows("SELECT body FROM hold WHERE state = 0 ORDER BY expires_ms LIMIT ?", (most,))
        return [msgspec.json.decode(body, type=Job) for (body,) in found]

    def close(self, link: Link, job: Job, state: str) -> bool:
        """Move a job from the state it was read in to another; False where it, or the accounts it is held in, moved meanwhile."""
        found = self.find(link, job.name)
        if found is None or found.parts != job.parts:
            return False
        done = link.run(
            "UPDATE hold SET state = ? WHERE id = ? AND state = ?",
            (STATES.index(state), key_of(job.name), STATES.index(job.state)),
        )
        if done and job.state == "pending":
            self._free(link, job)
        return bool(done)

    def count_in(self, link: Link, number: int, budget: Budget) -> None:
        """Hold what open jobs hold in a budget that was set, or changed, after they were placed: whatever is left there."""
        for (body,) in link.rows("SELECT body FROM hold WHERE state = 0"):
            job = msgspec.json.decode(body, type=Job)
            account = key_for(budget, job.who)
            if account is None:
                continue
            bucket, _ = bucket_of(budget.period, budget.zone, job.at_ms, rolling=budget.rolling)
            lease_bucket = ROLLING if budget.rolling else bucket
            amount = (
                {"usd": job.amount, "calls": job.calls, "frames": job.frames}[budget.measure] if budget.holds else 0
            )
            before = sum(one.amount for one in job.parts if one.budget_id == number)
            if any(one.budget_id == number for one in job.parts) and before == amount:
                continue
            others = tuple(one for one in job.parts if one.budget_id != number)
            job = msgspec.structs.replace(job, parts=(*others, Part(number, account, lease_bucket, bucket, amount)))
            slot = self._accounts.slot(link, (number, account, lease_bucket))
            link.run("UPDATE slot SET pending = pending + ? WHERE id = ?", (amount - before, slot))
            link.run("UPDATE hold SET body = ? WHERE id = ?", (msgspec.json.encode(job).decode(), key_of(job.name)))

    def expire(self, link: Link, now_ms: int) -> int:
        """Let go of what nobody settled in time."""
        gone = link.rows("SELECT body FROM hold WHERE state = 0 AND expires_ms < ?", (now_ms,))
        for (body,) in gone:
            self.close(link, msgspec.json.decode(body, type=Job), "expired")
        return len(gone)

    def _free(self, link: Link, job: Job) -> None:
        for part in job.parts:
            if part.amount:
                slot = self._accounts.slot(link, (part.budget_id, part.account, part.lease_bucket))
                link.run("UPDATE slot SET pending = pending - ? WHERE id = ?", (part.amount, slot))
