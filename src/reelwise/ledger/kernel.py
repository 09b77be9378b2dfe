"""The hot path: hold and settle in memory, under one lock, in a few microseconds; the store is asked only when a lease runs short.

Nothing here can spend what the store did not lease: a purse's `free` never goes below 0, and everything posted up to its hold comes
off a lease in the same transaction that makes its row durable.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reelwise.errors import AlreadySettledError, BudgetError
from reelwise.ledger.batches import Batch
from reelwise.ledger.holds import EXPIRED, NOTHING, PENDING, POSTED, STATES, VOID, Amounts, Hold, Posted, Posting
from reelwise.ledger.modes import OFF
from reelwise.ledger.purses import Line, Lines, Purse
from reelwise.ledger.takeover import moved_holds, new_purses

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reelwise.ledger.accounts import Place
    from reelwise.ledger.events import Event, Who
    from reelwise.ledger.store import Definitions

__all__ = ["Kernel"]

_OPEN_MAX = 1_000_000
_IDLE_MS = (
    15_000  # a session that calls every few seconds keeps its lease: taking one is a write that waits for the disk
)


class Kernel:
    """The state of one process, all of it under `lock`."""

    def __init__(self, queue_max: int) -> None:
        self.lock = threading.Lock()
        self.lines = Lines()
        self.queue: list[Posting] = []
        self.queued = 0  # settled calls ever queued
        self.broken: Exception | None = None
        self.flights = (
            0  # grows whenever something is on its way back to the store, or has arrived: odd while it is under way
        )
        self.debts: dict[
            Purse, int
        ] = {}  # what calls under way hold in budgets that were set meanwhile, not leased there yet
        self.moving: list[tuple[Hold, Line]] = []  # those calls, and where they count now
        self.turn = 0  # how often that was worked out
        self.loose = False  # a purse that others wait for has something to give back
        self._queue_max = queue_max
        self._open: dict[int, dict[Hold, None]] = {}  # by timeout: each in the order in which they expire
        self._count = 0

    # holds

    def try_hold(  # noqa: C901 - the hot path: no calls in it
        self, who: Who, amounts: Amounts, now_ms: int, timeout_ms: int
    ) -> Hold | Line:
        """Hold if every purse has enough; else return the line whose purses are short. The caller has the lock.

        Raises:
            BudgetError: the feature is switched off, or the ledger cannot write.
        """
        line = self.lines.lines.get(who)
        if line is None or not line.from_ms <= now_ms < line.until_ms:
            line = self.lines.resolve(who, now_ms)
            self.check_switch(who)
        nano = amounts[0]
        purses = line.purses
        for purse in purses:
            if purse.free < nano:
                return line
        others = line.others
        if others:
            for purse in others:
                if purse.free < amounts[purse.index]:
                    return line
        if self._count >= _OPEN_MAX or len(self.queue) >= self._queue_max:
            raise self._full()
        for purse in purses:
            purse.free -= nano
        if others:
            for purse in others:
                purse.free -= amounts[purse.index]
        group = self._open.get(timeout_ms)
        if group is None:
            group = self._open[timeout_ms] = {}
        hold = Hold(line, amounts, now_ms, timeout_ms, group)
        group[hold] = None
        self._count += 1
        return hold

    def _full(self) -> BudgetError:
        if self.broken is not None:
            what = f"the ledger cannot write ({self.broken})"
        else:
            what = "too many calls are under way, or rows wait to be written"
        return BudgetError(what, reason="ledger", retryable=True, retry_seconds=1.0, hint="nothing is lost; try again")

    def check_switch(self, who: Who) -> None:
        """Refuse a caller whose feature is switched off. The caller has the lock."""
        feature = self.lines.definitions.features.get(who.feature) if self.lines.definitions else None
        if feature is None:
            return
        if feature.killed or feature.forced == OFF:
            said = f": {feature.reason}" if feature.reason else ""
            raise BudgetError(
                f"{feature.name} is switched off{said}",
                reason="killed" if feature.killed else OFF,
                retryable=False,
                where=feature.name,
                hint=f"`reelwise budget resume {feature.name}` switches it on",
            )

    def post(self, hold: Hold, events: tuple[Event, ...], used: Amounts) -> Posted:
        """Post what a call cost. The caller has the lock.

        Args:
            hold: the call's.
            events: its row, and that of its overrun where it has one: written together or not at all.
            used: nano-USD, calls and frames that it used.

        Raises:
            AlreadySettledError: it was posted or voided before.
        """
        held = hold.amounts
        nano, cost = held[0], used[0]
        if hold.state or cost > nano or used[1] > held[1] or used[2] > held[2]:
            return self._post_more(hold, events, used)
        line = hold.line
        hold.state = POSTED
        del hold.group[hold]
        self._count -= 1
        if cost != nano:
            back = nano - cost
            for purse in line.purses:
                purse.free += back
        for purse in line.others:
            index = purse.index
            purse.free += held[index] - used[index]
        self.queue.append((events, line, used, NOTHING, used))
        self.queued = number = self.queued + 1
        return Posted(cost, 0, False, number)

    def _post_more(self, hold: Hold, events: tuple[Event, ...], used: Amounts) -> Posted:
        """Post above the hold, or after it has expired."""
        if hold.state in (POSTED, VOID):
            raise AlreadySettledError(
                f"this hold was {STATES[hold.state]} before", where=events[0].id, hint="settle each hold once"
            )
        late = hold.state == EXPIRED
        held = NOTHING if late else hold.amounts
        over = (max(0, used[0] - held[0]), max(0, used[1] - held[1]), max(0, used[2] - held[2]))
        free = (used[0] - over[0], used[1] - over[1], used[2] - over[2])
        if not late:
            self._close(hold, POSTED)
            for purse in hold.line.held():
                purse.free += held[purse.index] - free[purse.index]
        hold.state = POSTED
        self.queue.append((events, hold.line, used, over, free))
        self.queued += 1
        return Posted(used[0], over[0], late, self.queued)

    def record(self, event: Event, line: Line, used: Amounts) -> Posted:
        """Post a cost that nothing was held for: it counts, all of it as overrun where a hard limit should have been asked."""
        over = (max(0, used[0]), max(0, used[1]), max(0, used[2]))
        self.queue.append(((event,), line, used, over, NOTHING))
        self.queued += 1
        return Posted(used[0], over[0], False, self.queued)

    def void(self, hold: Hold, state: int = VOID) -> bool:
        """Let go of a hold; False where it had expired. The caller has the lock.

        Raises:
            AlreadySettledError: it was posted or voided before.
        """
        if hold.state == EXPIRED:
            return False
        if hold.state != PENDING:
            raise AlreadySettledError(f"this hold was {STATES[hold.state]} before", hint="settle each hold once")
        self._close(hold, state)
        for purse in hold.line.held():
            purse.free += hold.amounts[purse.index]
            self.loose = self.loose or purse.tight
        return True

    def _close(self, hold: Hold, state: int) -> None:
        hold.state = state
        del hold.group[hold]
        self._count -= 1

    def expire(self, now_ms: int) -> int:
        """Let go of holds whose time is over; return how many."""
        gone = 0
        for timeout_ms, group in list(self._open.items()):
            while group:
                hold = next(iter(group))
                if hold.at_ms + timeout_ms > now_ms:
                    break
                self.void(hold, EXPIRED)
                gone += 1
            if not group:
                del self._open[timeout_ms]
        return gone

    @property
    def open_holds(self) -> int:
        """How many holds are pending."""
        return self._count

    # flushing

    def known(self) -> Collection[int]:
        """Return the numbers of the budgets that lines are made of."""
        return self.lines.definitions.budgets.keys() if self.lines.definitions else ()

    def take(self, most: int, now_ms: int, *, sweep: bool = False, all_free: bool = False) -> Batch:
        """Take what waits to be written, and what may be given back: of purses that are tight, idle, or whose window has ended.

        Args:
            most: settled calls to take.
            now_ms: now.
            sweep: look at every purse, and not only at those that were posted to.
            all_free: give back everything that is free.
        """
        postings, self.queue = self.queue[:most], self.queue[most:]
        batch = Batch(postings, self.queued - len(self.queue), self.lines)
        purses = dict.fromkeys(one.account.purse for one in batch.taken)
        for purse in purses:
            purse.used_ms = now_ms
        if sweep or all_free or self.loose:
            self.loose = False
            purses.update(dict.fromkeys(self.lines.purses.values()))
        for purse in purses:
            back = purse.owed
            if purse.free > 0 and (all_free or purse.tight or self._idle(purse, now_ms)):
                back += purse.free
                purse.free = 0
            purse.owed = 0
            if back or (purse.tight and not purse.told):
                batch.backs[purse] = back
                purse.told = purse.tight
        batch.fill()
        if any(batch.backs.values()):
            self.flights += 1
        return batch

    def _idle(self, purse: Purse, now_ms: int) -> bool:
        return purse.free == purse.leased and not 0 <= now_ms - purse.used_ms <= _IDLE_MS

    def put_back(self, batch: Batch) -> None:
        """Undo `take`: nothing of it was written."""
        self.queue = batch.postings + self.queue
        for purse, back in batch.backs.items():
            purse.free += back
            purse.told = False
        self.loose = True
        self._landed(batch)

    def leave_out(self, batch: Batch, numbers: Collection[int]) -> list[Posting]:
        """Take calls out of a batch of which a row was written before; what they would have posted is free again.

        Args:
            batch: as it was refused.
            numbers: of rows in it.
        """
        wrong = batch.owners(numbers)
        left = [one for number, one in enumerate(batch.postings) if number in wrong]
        for _, line, _, _, free in left:
            for purse in line.held():
                purse.free += free[purse.index]
                self.loose = self.loose or purse.tight
        batch.postings = [one for number, one in enumerate(batch.postings) if number not in wrong]
        batch.again()
        return left

    def done(self, batch: Batch, spent: Mapping[Place, int], now_ms: int) -> None:
        """A batch was written: its part of the leases is gone."""
        for purse, move in zip(batch.purses, batch.moves, strict=True):
            purse.leased -= move.release
            amount = spent.get(purse.place)
            if amount is not None:
                purse.spent, purse.seen_ms = amount, now_ms
        self._landed(batch)

    def _landed(self, batch: Batch) -> None:
        if any(batch.backs.values()):
            self.flights += 1

    def change(self, definitions: Definitions) -> None:
        """Take over other definitions; what calls under way hold in budgets that are new to them is owed until it is leased there."""
        version = self.lines.version
        self.lines.change(definitions)
        if self.lines.version == version:
            return
        for purse, amount in self.debts.items():
            purse.free += amount
        self.debts = {}
        self.moving = moved_holds((hold for group in self._open.values() for hold in group), self.lines)
        self.turn += 1
        for hold, line in self.moving:
            for purse in new_purses(hold, line):
                amount = hold.amounts[purse.index]
                self.debts[purse] = self.debts.get(purse, 0) + amount
                purse.free -= amount

    def settle_debts(self, turn: int, leased: Mapping[Purse, int]) -> None:
        """What was owed is leased: calls under way are held there from now on."""
        for purse, amount in leased.items():
            purse.leased += amount
            purse.free += amount
        if turn != self.turn:
            return  # definitions have changed once more: what is owed now was worked out again, and this is free for it
        for purse, amount in self.debts.items():
            purse.free += amount
        for hold, line in self.moving:
            if hold.state == PENDING:
                for purse in new_purses(hold, line):
                    purse.free -= hold.amounts[purse.index]
                kept = set(line.held())
                for purse in hold.line.held():
                    if purse not in kept:
                        purse.free += hold.amounts[purse.index]
                        purse.release()
                        self.loose = True
                hold.line = line
        self.debts, self.moving = {}, []
