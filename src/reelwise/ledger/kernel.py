"""The hot path: hold and settle in memory, under one lock, in a few microseconds; the store is asked only when a lease runs short.

Nothing here can spend what the store did not lease: a purse's `free` never goes below 0, and everything posted up to its hold comes
off a lease in the same transaction that makes its row durable.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from reelwise.errors import AlreadySettledError, BudgetError
from reelwise.ledger.holds import EXPIRED, PENDING, POSTED, STATES, VOID, Amounts, Hold, Posted, Posting
from reelwise.ledger.modes import OFF
from reelwise.ledger.purses import Account, Line, Lines, Purse
from reelwise.ledger.store import Move

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.ledger.events import Event, Who
    from reelwise.ledger.store import Definitions

__all__ = ["Batch", "Kernel"]

_OPEN_MAX = 1_000_000
_IDLE_MS = 2_000


class Taken(NamedTuple):
    """What a batch posts to one account."""

    account: Account
    posted: int
    overrun: int
    released: int


class Batch:
    """Rows to write, and what they move: `moves` begins with one for each of `taken`, and ends with what is given back besides."""

    def __init__(self, postings: list[Posting], taken: list[Taken], moves: list[Move], number: int) -> None:
        self.postings = postings
        self.taken = taken
        self.moves = moves
        self.number = number


class Kernel:
    """The state of one process, all of it under `lock`."""

    def __init__(self, queue_max: int) -> None:
        self.lock = threading.Lock()
        self.lines = Lines()
        self.queue: list[Posting] = []
        self.queued = 0  # rows ever queued
        self.broken: Exception | None = None
        self._queue_max = queue_max
        self._dirty: list[Account] = []
        self._open: dict[int, dict[int, Hold]] = {}  # by timeout: each in the order in which they expire
        self._count = 0

    # holds

    def try_hold(self, who: Who, amounts: Amounts, now_ms: int, timeout_ms: int) -> Hold | Line:
        """Hold if every purse has enough; else return the line whose purses are short. The caller has the lock.

        Raises:
            BudgetError: the feature is switched off, or the ledger cannot write.
        """
        line = self.lines.lines.get(who)
        if line is None or now_ms >= line.until_ms or line.off:
            line = self.lines.resolve(who, now_ms)
            self.check_switch(who)
        nano = amounts[0]
        for one in line.usd:
            if one.purse.free < nano:
                return line
        for one in line.other:
            if one.purse.free < amounts[one.purse.index]:
                return line
        if self._count >= _OPEN_MAX or len(self.queue) >= self._queue_max:
            raise self._full()
        for one in line.usd:
            purse = one.purse
            purse.free -= nano
            purse.pending += nano
            purse.used_ms = now_ms
        for one in line.other:
            purse = one.purse
            purse.free -= amounts[purse.index]
            purse.pending += amounts[purse.index]
            purse.used_ms = now_ms
        hold = Hold(line, amounts, now_ms, timeout_ms)
        group = self._open.get(timeout_ms)
        if group is None:
            group = self._open[timeout_ms] = {}
        group[id(hold)] = hold
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

    def post(self, hold: Hold, events: Sequence[Event], used: Amounts) -> Posted:
        """Post what a call cost. The caller has the lock.

        Args:
            hold: the call's.
            events: its row, and that of its overrun where it has one.
            used: nano-USD, calls and frames that it used.

        Raises:
            AlreadySettledError: it was posted or voided before.
        """
        if hold.state in (POSTED, VOID):
            raise AlreadySettledError(
                f"this hold was {STATES[hold.state]} before", where=events[0].id, hint="settle each hold once"
            )
        late = hold.state == EXPIRED
        held = (0, 0, 0) if late else hold.amounts
        over = (max(0, used[0] - held[0]), max(0, used[1] - held[1]), max(0, used[2] - held[2]))
        line = hold.line
        if not late:
            self._close(hold, POSTED)
            for one in (*line.usd, *line.other):
                index = one.purse.index
                one.purse.pending -= held[index]
                one.purse.free += held[index] - used[index] + over[index]
        hold.state = POSTED
        for one in (*line.usd, *line.other):
            index = one.purse.index
            one.posted += used[index]
            one.overrun += over[index]
            one.released += used[index] - over[index]
            if not one.dirty:
                one.dirty = True
                self._dirty.append(one)
        for one in line.watched:
            one.posted += used[one.purse.index]
            if not one.dirty:
                one.dirty = True
                self._dirty.append(one)
        self.queue.append(Posting(events[0], line, used, over))
        for event in events[1:]:
            self.queue.append(Posting(event, line, (0, 0, 0), (0, 0, 0)))
        self.queued += len(events)
        return Posted(used[0], over[0], late, self.queued)

    def record(self, event: Event, line: Line, used: Amounts) -> Posted:
        """Post a cost that nothing was held for: it counts, all of it as overrun where a hard limit should have been asked."""
        over = (max(0, used[0]), max(0, used[1]), max(0, used[2]))
        if over != used:
            line = line.unheld()
        held = {id(one) for one in (*line.usd, *line.other)}
        for one in line.accounts():
            index = one.purse.index
            one.posted += used[index]
            if id(one) in held:
                one.overrun += over[index]
                one.released += used[index] - over[index]
            if not one.dirty:
                one.dirty = True
                self._dirty.append(one)
        self.queue.append(Posting(event, line, used, over))
        self.queued += 1
        return Posted(used[0], over[0], late=False, number=self.queued)

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
        for one in (*hold.line.usd, *hold.line.other):
            amount = hold.amounts[one.purse.index]
            one.purse.pending -= amount
            one.purse.free += amount
        return True

    def _close(self, hold: Hold, state: int) -> None:
        hold.state = state
        group = self._open[hold.timeout_ms]
        del group[id(hold)]
        if not group:
            del self._open[hold.timeout_ms]
        self._count -= 1

    def expire(self, now_ms: int) -> int:
        """Let go of holds whose time is over; return how many."""
        gone = 0
        for group in list(self._open.values()):
            while group:
                hold = next(iter(group.values()))
                if hold.expires_ms > now_ms:
                    break
                self.void(hold, EXPIRED)
                gone += 1
        return gone

    @property
    def open_holds(self) -> int:
        """How many holds are pending."""
        return self._count

    # flushing

    def take(self, most: int, now_ms: int, *, sweep: bool = False, all_free: bool = False) -> Batch:
        """Take what waits to be written, and what may be given back: of purses that are tight, idle, or whose window has ended.

        Args:
            most: rows to take.
            now_ms: now.
            sweep: look at every purse, and not only at those that were posted to.
            all_free: give back everything that is free.
        """
        postings, self.queue = self.queue[:most], self.queue[most:]
        taken = self._partial(postings) if self.queue else self._all()  # moves must be those of the rows taken
        seen: set[int] = set()
        moves = []
        for one in taken:
            purse = one.account.purse
            back = 0 if id(purse) in seen else self._give_back(purse, now_ms, all_free=all_free)
            seen.add(id(purse))
            moves.append(self._move(purse, one.account.bucket, one.posted, one.overrun, one.released + back))
        for purse in self.lines.purses.values() if sweep or all_free else ():
            if id(purse) not in seen:
                back = self._give_back(purse, now_ms, all_free=all_free)
                if back or (purse.tight and not purse.told):
                    moves.append(self._move(purse, purse.bucket, 0, 0, back))
        return Batch(postings, taken, moves, self.queued - len(self.queue))

    def _all(self) -> list[Taken]:
        taken = []
        for one in self._dirty:
            taken.append(Taken(one, one.posted, one.overrun, one.released))
            one.posted = one.overrun = one.released = 0
            one.dirty = False
        self._dirty = []
        return taken

    def _partial(self, postings: list[Posting]) -> list[Taken]:
        sums: dict[int, Taken] = {}
        for posting in postings:
            for one, posted, overrun, released in _parts(posting):
                one.posted -= posted
                one.overrun -= overrun
                one.released -= released
                before = sums.get(id(one), Taken(one, 0, 0, 0))
                sums[id(one)] = Taken(one, before.posted + posted, before.overrun + overrun, before.released + released)
        return list(sums.values())

    def _give_back(self, purse: Purse, now_ms: int, *, all_free: bool) -> int:
        if purse.free and (all_free or purse.tight or now_ms - purse.used_ms > _IDLE_MS):
            back, purse.free = purse.free, 0
            return back
        return 0

    def _move(self, purse: Purse, bucket: int, posted: int, overrun: int, release: int) -> Move:
        if purse.tight:
            purse.told = True
        return Move(purse.budget_id, purse.account, bucket, purse.bucket, posted, overrun, release, purse.tight)

    def put_back(self, batch: Batch) -> None:
        """Undo `take`: nothing of it was written."""
        self.queue = batch.postings + self.queue
        for (one, posted, overrun, released), move in zip(batch.taken, batch.moves, strict=False):
            one.posted += posted
            one.overrun += overrun
            one.released += released
            one.purse.free += move.release - released
            one.purse.told = False
            if not one.dirty:
                one.dirty = True
                self._dirty.append(one)
        for move in batch.moves[len(batch.taken) :]:
            purse = self.lines.purses[move.budget_id, move.account, move.lease_bucket]
            purse.free += move.release
            purse.told = False

    def leave_out(self, batch: Batch, numbers: Sequence[int]) -> list[Posting]:
        """Take rows out of a batch that were written before; what they would have posted is free again."""
        wrong = set(numbers)
        left = []
        places = {id(one.account): at for at, one in enumerate(batch.taken)}
        for number in sorted(wrong):
            posting = batch.postings[number]
            left.append(posting)
            for one, posted, overrun, released in _parts(posting):
                at = places[id(one)]
                now, move = batch.taken[at], batch.moves[at]
                one.purse.free += released
                batch.taken[at] = Taken(one, now.posted - posted, now.overrun - overrun, now.released - released)
                batch.moves[at] = move._replace(
                    posted=move.posted - posted, overrun=move.overrun - overrun, release=move.release - released
                )
        batch.postings = [one for number, one in enumerate(batch.postings) if number not in wrong]
        return left

    def change(self, definitions: Definitions) -> None:
        """Take over other definitions."""
        self.lines.change(definitions)


def _parts(posting: Posting) -> Iterator[tuple[Account, int, int, int]]:
    """Yield what one row moved: the account, what was posted, of it above the hold, and what came off the lease."""
    line = posting.line
    for one in (*line.usd, *line.other):
        used, over = posting.used[one.purse.index], posting.over[one.purse.index]
        yield one, used, over, used - over
    for one in line.watched:
        yield one, posting.used[one.purse.index], 0, 0
