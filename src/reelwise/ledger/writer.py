"""Group commit: what was posted in the last milliseconds becomes durable in one transaction."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from reelwise.errors import AlreadySettledError, LedgerError, LedgerLockedError, ReelwiseError
from reelwise.ledger.rolls import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.ledger.batches import Batch
    from reelwise.ledger.clock import Clock
    from reelwise.ledger.kernel import Kernel
    from reelwise.ledger.sql import SqlStore

__all__ = ["Writer"]


class Follow(Protocol):
    """Takes over what others have set."""

    def __call__(self, *, moved: bool) -> None:
        """Do so; `moved` where there may be something new."""


_BATCH_MAX = 4096
_HEARTBEAT_MS = 1000
_REFUSED_MAX = 10_000
_PAUSE, _PAUSE_MAX = 0.05, 5.0  # seconds, after what should not happen
_FOLD_ROWS = 10_000  # rows that a question adds up itself


class Writer:
    """Writes what the kernel has queued, and keeps this process's leases alive.

    Args:
        kernel, store, clock: of the ledger.
        owner: this process's name.
        ttl_ms: how long a lease is believed without a sign of life.
        after: called with each batch that was written and what is spent now in the accounts it moved.
        follow: called before each batch, and told whether definitions may have changed.
    """

    def __init__(
        self,
        kernel: Kernel,
        store: SqlStore,
        clock: Clock,
        *,
        owner: str,
        ttl_ms: int,
        after: Callable[[Batch], None],
        follow: Follow,
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._clock = clock
        self._owner = owner
        self._ttl_ms = ttl_ms
        self._after = after
        self._follow = follow
        self._lock = threading.Lock()
        self._done = threading.Condition()
        self._wake = threading.Event()
        self._stop = False
        self._beat_ms = -_HEARTBEAT_MS
        self._seen = -1
        self._failures = 0
        self._unfolded = 0
        self._thread: threading.Thread | None = None
        self._pause = _PAUSE
        self._asleep = threading.Event()
        self._refused: dict[int, None] = {}
        self.written = 0
        self.duplicates = 0

    def start(self, group_seconds: float) -> None:
        """Write from a thread of its own, rows of `group_seconds` at once."""
        self._thread = threading.Thread(target=self._run, args=(group_seconds,), name="reelwise-ledger", daemon=True)
        self._thread.start()

    def _run(self, group_seconds: float) -> None:
        """Write until told to stop. What is a bug is shown as for any thread, told to whoever waits, and another thread goes on."""
        try:
            self._loop(group_seconds)
        except BaseException as error:
            self._failed(
                LedgerError(
                    f"the thread that writes failed: {type(error).__name__}: {error}",
                    where=self._store.name,
                    hint="the row stays queued and is tried again; please report this: it is a bug",
                )
            )
            self._pause = min(_PAUSE_MAX, 2 * self._pause)
            if not self._stop and not self._asleep.wait(self._pause):
                self.start(group_seconds)
            raise

    def _failed(self, error: ReelwiseError) -> None:
        self._kernel.broken = error
        with self._done:
            self._failures += 1
            self._done.notify_all()

    @property
    def thread(self) -> threading.Thread | None:
        """The thread that writes; None where there is none."""
        return self._thread

    def wake(self) -> None:
        """Something waits to be written."""
        if not self._wake.is_set():
            self._wake.set()

    def _loop(self, group_seconds: float) -> None:
        while not self._stop:
            self._wake.wait(0.05)
            self._wake.clear()
            if (self._kernel.queue or self._kernel.loose) and group_seconds:
                self._clock.sleep(group_seconds)
            try:
                self.step()
            except ReelwiseError:
                self._clock.sleep(0.1)  # kept in kernel.broken, raised to whoever waits; rows stay queued
            if self._kernel.queue:
                self._wake.set()

    def step(self, *, all_free: bool = False) -> int:
        """Write one batch, and what is due besides; return how many rows were written.

        Raises:
            LedgerError, OutputError: nothing was written; the rows stay queued.
        """
        with self._lock:
            now = self._clock.now_ms()
            beat = not 0 <= now - self._beat_ms < _HEARTBEAT_MS  # or the clock was set back
            try:
                generation = self._store.generation()
                called = generation != self._seen
                if beat:
                    self._heartbeat(now)
                if called or beat:
                    self._call_back()
                    self._seen = generation
                self._follow(moved=called)
                rows = self._write(now, sweep=beat or called, all_free=all_free)
                self._unfolded += rows
                if self._unfolded >= _FOLD_ROWS:
                    self._unfolded -= fold(self._store)
            except ReelwiseError as error:
                self._failed(error)
                raise
            return rows

    def _call_back(self) -> None:
        for place in self._store.called_back(self._owner):
            with self._kernel.lock:
                purse = self._kernel.lines.purses.get(place)
                if purse is not None:
                    purse.tight = True
                    purse.told = False

    def _heartbeat(self, now: int) -> None:
        if (
            0 <= self._beat_ms < now - self._ttl_ms
        ):  # it slept: its leases may be booked as lost, and no call may rest on them
            with self._kernel.lock:
                for purse in self._kernel.lines.purses.values():
                    purse.release()
        self._store.renew(self._owner, now, self._ttl_ms)
        self._store.reap(now)
        with self._kernel.lock:
            self._kernel.expire(now)
            self._kernel.lines.drop_idle(now)
        self._beat_ms = now

    def _write(self, now: int, *, sweep: bool, all_free: bool) -> int:
        kernel = self._kernel
        with kernel.lock:
            batch = kernel.take(_BATCH_MAX, now, sweep=sweep, all_free=all_free)
            known = kernel.known()
            whole = batch.postings
        if not batch.postings and not batch.moves:
            with self._done:
                self.written = batch.number  # what was left out of a batch that then failed is not waited for
                self._done.notify_all()
            return 0
        try:
            while True:
                done = self._store.commit(self._owner, batch.rows(), batch.moves, now, known)
                if done.stale:  # a budget was set meanwhile, and these rows count in it
                    definitions = self._store.definitions()
                    with kernel.lock:
                        kernel.change(definitions)
                        known = kernel.known()
                        batch.again()
                    continue
                if not done.duplicates:
                    break
                with kernel.lock:
                    left = kernel.leave_out(batch, done.duplicates)
                first = batch.number - len(whole) + 1
                numbers = {id(posting): first + at for at, posting in enumerate(whole)}
                self._refuse([numbers[id(posting)] for posting in left])
        except BaseException:
            with kernel.lock:
                kernel.put_back(batch)
            raise
        kernel.broken = None
        self._pause = _PAUSE
        with kernel.lock:
            kernel.done(batch, done.spent, now)
        with self._done:
            self.written = batch.number
            self._done.notify_all()
        self._after(batch)
        return len(batch.postings)

    def _refuse(self, numbers: list[int]) -> None:
        for number in numbers:
            self.duplicates += 1
            self._refused[number] = None
            if len(self._refused) > _REFUSED_MAX:
                del self._refused[next(iter(self._refused))]

    def wait(self, number: int, identity: str, seconds: float) -> None:
        """Wait until rows up to a number are durable.

        Raises:
            AlreadySettledError: the row with this id was there before.
            LedgerError, OutputError: the ledger cannot be written now; the row stays queued.
        """
        if self._thread is None:
            while self.written < number:
                self.step()
        else:
            self.wake()
            with self._done:
                before = self._failures  # what failed before this row came does not matter to it
                done = self._done.wait_for(lambda: self.written >= number or self._failures > before, seconds)
            broken = self._kernel.broken
            if self.written < number and not self._thread.is_alive():
                broken, done = broken or self._died(), True
            if self.written < number and done and broken is not None:
                raise broken
            if self.written < number:
                raise LedgerLockedError(
                    f"not written within {seconds:g} s", hint="the row stays queued and is written later"
                )
        if identity and number in self._refused:
            raise AlreadySettledError(
                "an event with this id was recorded before", where=identity, hint="nothing was counted twice"
            )

    def _died(self) -> LedgerError:
        return LedgerError(
            "the thread that writes has ended", where=self._store.name, hint="close the ledger: that writes what waits"
        )

    def stop(self) -> None:
        """Stop the thread, and write what is left.

        Raises:
            LedgerError, OutputError: what is left cannot be written.
        """
        self._stop = True
        self._asleep.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None
        while self._kernel.queue:
            self.step()
        self.step(all_free=True)
