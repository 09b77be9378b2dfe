"""The ledger as the rest of the house uses it: hold before a call, settle after it, read what was spent."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from typing import TYPE_CHECKING, Self

import msgspec

from reelwise.errors import BudgetError, InputError, LedgerError
from reelwise.ledger.accounts import LEASE_MS
from reelwise.ledger.clock import Clock, SystemClock
from reelwise.ledger.control import Control
from reelwise.ledger.desk import Desk
from reelwise.ledger.entries import rows_of
from reelwise.ledger.events import (
    ONE_CALL,
    Event,
    Units,
    What,
    Who,
    check_amount,
    check_identity,
    check_units,
    check_what,
    check_who,
)
from reelwise.ledger.exits import close_at_exit
from reelwise.ledger.holds import EXPIRED, Hold, Posted
from reelwise.ledger.job_calls import JobCalls
from reelwise.ledger.kernel import Kernel
from reelwise.ledger.leasing import Leasing
from reelwise.ledger.looking import Looking
from reelwise.ledger.notices import Notices
from reelwise.ledger.opening import open_store
from reelwise.ledger.standing import Standing
from reelwise.ledger.telling import Teller
from reelwise.ledger.writer import Writer
from reelwise.units import NANO

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from reelwise.ledger.notices import Notice
    from reelwise.ledger.sql import SqlStore

__all__ = ["Ledger", "open_store"]

_QUEUE_MAX = 200_000
_PLAIN = 1 << 50  # amounts and ids that need no closer look
_PLAIN_ID = 100
_NOTHING_SAID = What()
_TIMEOUT_MAX_SECONDS = 7 * 86_400
_WHATS_MAX = 10_000
_CLOSE_SECONDS = 5.0
_POLL_SECONDS = 0.01


class Ledger(Control, JobCalls, Looking):
    """Budgets that cannot be overspent, and the rows they rest on.

    Use it as a context manager, or call `close`: what is leased and not used is given back then.

    Args:
        where: a file, ":memory:", a PostgreSQL address, or an open store.
        lease_usd: what a process may lease of a budget at once, in dollars: the most that its death leaves uncertain for each account.
            0 asks the store for every call.
        group_seconds: rows of this time become durable in one transaction.
        clock: the time; a simulated one for tests.
        thread: write from a thread of its own; without one, `step` and `flush` write.
        on_notice: called with each notice, from a thread of its own: what it raises is printed, and stops nothing.
        queue_max: rows that may wait to be written; calls are denied beyond it.

    Raises:
        InputError, LedgerError, OutputError: see `open_store`.
    """

    def __init__(
        self,
        where: str | os.PathLike[str] | SqlStore = "reelwise.db",
        *,
        lease_usd: float = 0.5,
        group_seconds: float = 0.002,
        clock: Clock | None = None,
        thread: bool = True,
        on_notice: Callable[[Notice], None] | None = None,
        queue_max: int = _QUEUE_MAX,
        create: bool = True,
    ) -> None:
        if not 0 <= lease_usd <= 1_000_000:
            raise InputError("a lease lies between 0 and 1,000,000 dollars", where="lease_usd", hint="0.5")
        self.store: SqlStore = open_store(where, create=create) if isinstance(where, (str, os.PathLike)) else where
        self.clock: Clock = clock or SystemClock()
        self.owner = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._kernel = Kernel(queue_max)
        nano = round(lease_usd * NANO)
        sizes = (nano, 1000, 100_000) if nano else (0, 0, 0)
        self._leasing = Leasing(self._kernel, self.store, self.clock, owner=self.owner, sizes=sizes, ttl_ms=LEASE_MS)
        self._teller = Teller(on_notice, at_once=not thread) if on_notice is not None else None
        self._notices = Notices(self.store, self.clock, self._teller)
        self._writer = Writer(
            self._kernel,
            self.store,
            self.clock,
            owner=self.owner,
            ttl_ms=LEASE_MS,
            after=self._notices.look,
            follow=self._follow,
        )
        self._standing = Standing(self._kernel, self.store, self.clock)
        self._desk = Desk(self._kernel, self.store, self.clock, self.owner)
        self._whats: dict[What, None] = {}  # labels that were checked before
        self._seen = -1
        self._closed = False
        self._shut = False  # no more holds: closing, or closed
        self._load()
        if thread:
            self._writer.start(group_seconds)
        close_at_exit(self)
        weak = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(weak))

    def _load(self) -> None:
        definitions = self.store.definitions()
        with self._kernel.lock:
            self._kernel.change(definitions)
            self._seen = definitions.generation
        if self._kernel.moving:
            self._leasing.take_over()

    def _follow(self, *, moved: bool) -> None:
        """Take over what others have set, from the writing thread: it must not wait for whoever waits for it."""
        if moved:
            definitions = self.store.definitions()
            with self._kernel.lock:
                self._kernel.change(definitions)
        if self._kernel.moving:
            self._leasing.take_over(wait=False)

    # holds

    def hold(self, who: Who, nano: int, *, calls: int = 1, frames: int = 0, timeout_seconds: float = 600.0) -> Hold:
        """Keep an amount free for one call, in all budgets that the caller counts in, or in none.

        Args:
            who: the caller; see `who_of`.
            nano: the most that the call can cost, in nano-USD.
            calls: what it counts as in budgets of calls.
            frames: and in budgets of frames.
            timeout_seconds: after this the hold is let go of; a cost posted later is recorded as overrun.

        Raises:
            BudgetError: a budget has not that much left, or the feature is switched off: the call must not be made.
            InputError: an amount that cannot be.
        """
        if (
            type(nano) is not int
            or type(calls) is not int
            or type(frames) is not int
            or nano < 0
            or calls < 0
            or frames < 0
        ):
            for amount, name in ((nano, "hold"), (calls, "calls"), (frames, "frames")):
                check_amount(amount, name)
        if not 0.001 <= timeout_seconds <= _TIMEOUT_MAX_SECONDS:
            raise InputError(
                "a hold lasts up to seven days", where="timeout_seconds", hint="600; see `hold_job` for longer"
            )
        timeout_ms = int(timeout_seconds * 1000)
        if self._shut or self.store.generation() != self._seen:
            self._ready()
        amounts = (nano, calls, frames)
        kernel = self._kernel
        with kernel.lock:
            found = kernel.try_hold(who, amounts, self.clock.now_ms(), timeout_ms)
        if isinstance(found, Hold):
            return found
        try:
            return self._leasing.hold(who, amounts, timeout_ms)
        except BudgetError as error:
            self._notices.denied(error, who)
            raise

    def _ready(self) -> None:
        """Take over what was set meanwhile."""
        if self._shut:
            self._refuse()
        if self.store.generation() != self._seen:
            self._reload()

    def _reload(self) -> None:
        self._load()
        self._writer.wake()

    def post(
        self,
        hold: Hold,
        identity: str,
        cost_nano: int,
        *,
        what: What | None = None,
        units: Units = ONE_CALL,
        avoided_nano: int = 0,
        latency_ms: int = 0,
        wait: bool = True,
        wait_seconds: float = 30.0,
    ) -> Posted:
        """Settle a hold with what the call cost.

        A cost above the hold is posted too, its excess as an `overrun` row of its own; a hold that had expired is posted as `late`.

        Args:
            hold: the call's hold.
            identity: the row's id: the same call must give the same.
            cost_nano: what it cost.
            what: what it was for.
            units: what it used of each unit.
            avoided_nano: what it would have cost besides, had no lever applied.
            latency_ms: from request to answer.
            wait: return when the row is durable; else as soon as it is counted.
            wait_seconds: the longest wait.

        Raises:
            AlreadySettledError: the hold was settled, or the id recorded, before.
            LedgerError, OutputError: the row cannot be written now; it is counted, stays queued, and is written later.
        """
        if self._closed:
            self._refuse()
        for amount, name in ((cost_nano, "cost"), (avoided_nano, "avoided"), (latency_ms, "latency_ms")):
            if type(amount) is not int or not 0 <= amount < _PLAIN:
                check_amount(amount, name)
        if type(identity) is not str or not 0 < len(identity) <= _PLAIN_ID or not identity.isprintable():
            check_identity(identity)
        if what is None:
            what = _NOTHING_SAID
        elif what not in self._whats:
            self._know(what)
        if units is not ONE_CALL:
            check_units(units)
        event = Event(
            id=identity,
            at_ms=hold.at_ms,
            who=hold.line.who,
            what=what,
            units=units,
            cost_nano=cost_nano,
            avoided_nano=avoided_nano,
            latency_ms=latency_ms,
        )
        used = (cost_nano, units.calls, units.frames)
        with self._kernel.lock:
            late = hold.state == EXPIRED
            events = rows_of(event, hold.amounts[0], late=late) if late or cost_nano > hold.amounts[0] else (event,)
            posted = self._kernel.post(hold, events, used)
        if wait:
            self._writer.wait(posted.number, identity, wait_seconds)
        else:
            self._writer.wake()
        return posted

    def _know(self, what: What) -> None:
        check_what(what)
        if len(self._whats) >= _WHATS_MAX:
            self._whats.clear()
        self._whats[what] = None

    def _refuse(self) -> None:
        raise LedgerError(
            "the ledger is closed, or belongs to the parent process", where=self.store.name, hint="open it again"
        )

    def void(self, hold: Hold) -> bool:
        """Let go of a hold: nothing was spent. False where it had expired.

        Raises:
            AlreadySettledError: it was posted or voided before.
        """
        if self._closed:
            self._refuse()
        with self._kernel.lock:
            done = self._kernel.void(hold)
        if self._kernel.loose:
            self._writer.wake()
        return done

    def record(self, event: Event, *, wait: bool = True, wait_seconds: float = 30.0) -> Posted:
        """Record a cost that nothing was held for: an invoice's true-up, a correction, a call made elsewhere, or a cost avoided.

        It counts in every budget of its caller, as overrun.

        Raises:
            InputError: an amount or a label that cannot be.
            AlreadySettledError: its id was recorded before.
        """
        if self._closed:
            self._refuse()
        check_identity(event.id)
        check_who(event.who)
        check_amount(event.latency_ms, "latency_ms")
        negative = event.what.kind in ("true_up", "correction")
        check_amount(event.cost_nano, "cost", negative=negative)
        check_amount(event.avoided_nano, "avoided")
        check_amount(event.at_ms, "at_ms")
        check_what(event.what)
        check_units(event.units)
        used = (event.cost_nano, event.units.calls, event.units.frames)
        if event.what.kind == "estimate":
            used = (0, 0, 0)
        with self._kernel.lock:
            line = self._kernel.lines.at(self._kernel.lines.fold(event.who), event.at_ms)
            if line.who != event.who:
                event = msgspec.structs.replace(event, who=line.who)
            posted = self._kernel.record(event, line, used)
        if wait:
            self._writer.wait(posted.number, event.id, wait_seconds)
        else:
            self._writer.wake()
        return posted

    @property
    def open_holds(self) -> int:
        """How many holds of this process are pending."""
        return self._kernel.open_holds

    @property
    def duplicates(self) -> int:
        """How many rows were refused because their id was there."""
        return self._writer.duplicates

    def step(self) -> int:
        """Write one batch, for ledgers without a thread; return how many rows were written."""
        return self._writer.step()

    def flush(self) -> None:
        """Make everything that was posted so far durable.

        Raises:
            LedgerError, OutputError: it cannot be written now; it stays queued.
        """
        with self._kernel.lock:
            number = self._kernel.queued
        if self._writer.written < number:
            self._writer.wait(number, "", 60.0)

    def close(self, *, wait_seconds: float = _CLOSE_SECONDS, void_open: bool = False) -> None:
        """Let no more calls through, wait for those under way, write what is left, give leases back, close the store.

        What calls that are not settled by then hold stays leased, and is booked as lost half a minute later: they may have been made.

        Args:
            wait_seconds: the longest wait for calls under way in other threads.
            void_open: let go of what is held: no call that is still open was made.

        Raises:
            LedgerError, OutputError: what is left cannot be written.
        """
        if self._closed:
            return
        self._shut = True
        if void_open:
            with self._kernel.lock:
                self._kernel.expire(1 << 62)
        for _ in range(round(wait_seconds / _POLL_SECONDS)):
            if not self._kernel.open_holds or not self._others_run():
                break
            self.clock.sleep(_POLL_SECONDS)
        self._closed = True
        try:
            self._writer.stop()
        except BaseException:
            self._closed = self._shut = False  # what waits is still here: close again when it can be written
            raise
        self.store.close()
        if self._teller is not None:
            self._teller.finish()

    def _others_run(self) -> bool:
        """Say whether there is a thread that could settle a call."""
        ours = (threading.current_thread(), self._writer.thread)
        return any(one not in ours for one in threading.enumerate())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _forked(weak: weakref.ref[Ledger]) -> None:
    ledger = weak()
    if ledger is not None:
        ledger._closed = ledger._shut = True  # noqa: SLF001 - a child must not write through its parent's connection
