"""Jobs that outlive their process: held, posted, voided and expired in the store itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import AlreadySettledError, InputError
from reelwise.ledger.entries import rows_of
from reelwise.ledger.events import Event, Units, What, Who, check_label, check_who
from reelwise.ledger.holds import Amounts, Posted
from reelwise.ledger.jobs import Job, Part
from reelwise.ledger.leasing import denied, give_back
from reelwise.ledger.store import Move, Want

if TYPE_CHECKING:
    from collections.abc import Collection

    from reelwise.ledger.clock import Clock
    from reelwise.ledger.kernel import Kernel
    from reelwise.ledger.purses import Line, Purse
    from reelwise.ledger.sql import SqlStore

__all__ = ["Desk"]

_ROUNDS_MAX = 100
_POLL_SECONDS = 0.005
_SETTLE_SECONDS = 0.02
_TIMEOUT_MAX_MS = 366 * 86_400_000
_INDEX = {"usd": 0, "calls": 1, "frames": 2}


class Desk:
    """Places and settles jobs."""

    def __init__(self, kernel: Kernel, store: SqlStore, clock: Clock, owner: str) -> None:
        self._owner = owner
        self._kernel = kernel
        self._store = store
        self._clock = clock

    def hold(self, name: str, who: Who, amounts: Amounts, timeout_ms: int) -> Job:
        """See `Ledger.hold_job`."""
        if not check_label(name, "job") or not 0 < timeout_ms <= _TIMEOUT_MAX_MS:
            raise InputError("a job has a name, and lasts up to a year", where=name, hint="timeout_seconds=86400")
        check_who(who)
        settled = False
        for round_ in range(_ROUNDS_MAX):
            now = self._clock.now_ms()
            with self._kernel.lock:
                self._kernel.check_switch(who)
                line = self._kernel.lines.at(self._kernel.lines.fold(who), now)
            held = {id(one) for one in (*line.usd, *line.other)}
            parts = tuple(
                Part(
                    one.purse.budget_id,
                    one.purse.account,
                    one.purse.bucket,
                    one.bucket,
                    amounts[one.purse.index] if id(one) in held else 0,
                )
                for one in line.accounts()
            )
            job = Job(
                name=name,
                who=line.who,
                amount=amounts[0],
                calls=amounts[1],
                frames=amounts[2],
                at_ms=now,
                expires_ms=now + timeout_ms,
                parts=parts,
            )
            wants = self._wants(line, amounts)
            answer = self._store.place(job, [want for want, _ in wants])
            if answer is None:
                return job
            want, purse = wants[answer.place_index]
            if self._give_back(purse, now):
                continue
            if answer.shared and not answer.others and not settled:
                settled = True
                self._clock.sleep(_SETTLE_SECONDS)  # what others are just settling is on its way back
                continue
            if not answer.others or round_ == _ROUNDS_MAX - 1:
                raise denied(self._store, want, answer, amounts, purse, now_ms=now)
            self._clock.sleep(_POLL_SECONDS)  # others have leases that they do not use: they give them back now
        raise AssertionError("unreachable: the last round raises")

    def _give_back(self, purse: Purse, now_ms: int) -> bool:
        """Give back what this process has leased and does not use: jobs are held in the store itself."""
        with self._kernel.lock:
            purse.release()
            owed = purse.owed
        if owed:
            give_back(self._kernel, self._store, self._owner, purse, now_ms)
        return bool(owed)

    def _wants(self, line: Line, amounts: Amounts) -> list[tuple[Want, Purse]]:
        found = []
        for one in (*line.usd, *line.other):
            purse = one.purse
            need = amounts[purse.index]
            found.append((Want(purse.budget_id, purse.budget, purse.account, purse.bucket, need, need), purse))
        return found

    def _find(self, name: str) -> Job:
        job = self._store.job(name)
        if job is None:
            raise InputError("no job was held under this name", where=name[:64], hint="hold it first: ledger.hold_job")
        if job.state in ("posted", "void"):
            raise AlreadySettledError(f"this job was {job.state} before", where=name, hint="settle each job once")
        return job

    def post(  # one row, with what a row has
        self, name: str, cost: int, what: What, units: Units, *, avoided_nano: int, latency_ms: int
    ) -> Posted:
        """See `Ledger.post_job`."""
        for _ in range(_ROUNDS_MAX):
            job = self._find(name)
            late = job.state == "expired"
            held: Amounts = (0, 0, 0) if late else (job.amount, job.calls, job.frames)
            used: Amounts = (cost, units.calls, units.frames)
            over = 0 if late else max(0, cost - job.amount)
            event = Event(
                id=f"job/{name}",
                at_ms=job.at_ms,
                who=job.who,
                what=what,
                units=units,
                cost_nano=cost,
                avoided_nano=avoided_nano,
                latency_ms=latency_ms,
            )
            events = rows_of(event, job.amount, late=late)
            moves, known = self._moves(job, used, held)
            if self._store.settle(job, "posted", events, moves, known):
                return Posted(cost, cost if late else over, late, 0)
        raise AlreadySettledError("others settle this job", where=name, hint="look at `reelwise ledger show`")

    def _moves(self, job: Job, used: Amounts, held: Amounts) -> tuple[list[Move], Collection[int]]:
        """Return what a job's cost moves in all budgets there are now, those that were set after it was placed among them."""
        definitions = self._store.definitions()
        moves = []
        parts = {part.budget_id: part for part in job.parts}
        with self._kernel.lock:
            self._kernel.change(definitions)
            line = self._kernel.lines.at(job.who, job.at_ms)
        places = [
            (one.purse.budget_id, one.purse.account, one.bucket, one.purse.bucket)
            for one in line.accounts()
            if one.purse.budget_id not in parts
        ]
        places += [(one.budget_id, one.account, one.bucket, one.lease_bucket) for one in job.parts]
        for number, account, bucket, lease_bucket in places:
            budget = definitions.budgets.get(number)
            if budget is None:
                continue  # dropped meanwhile: it has no balance that anybody asks for
            index = _INDEX[budget.measure]
            part = parts.get(number)
            free = held[index] if part is not None and part.amount else 0
            over = max(0, used[index] - free) if budget.holds else 0
            moves.append(Move(number, account, bucket, lease_bucket, used[index], over, 0))
        return moves, definitions.budgets.keys()

    def void(self, name: str) -> bool:
        """See `Ledger.void_job`."""
        for _ in range(_ROUNDS_MAX):
            job = self._find(name)
            if job.state == "expired":
                return False
            if self._store.settle(job, "void", [], []):
                return True
        raise AlreadySettledError("others settle this job", where=name, hint="look at `reelwise ledger show`")
