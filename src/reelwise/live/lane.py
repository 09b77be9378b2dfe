"""One model and the calls to it: one at a time, held and settled, looked at, given up in time."""

from __future__ import annotations

import asyncio
import inspect
import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reelwise.errors import ReelwiseError
from reelwise.live.caught import Caught
from reelwise.live.masks import Checked, checked_mask
from reelwise.live.tasks import TaskWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.live.books import Books, Entry
    from reelwise.live.carry import Ticket
    from reelwise.live.health import Health
    from reelwise.live.worker import Clock, Worker

__all__ = ["Flight", "Lane", "Outcome"]

_PATIENCE_SECONDS = 0.5


class Outcome(NamedTuple):
    """What became of a call.

    Attributes:
        kind: ok; raised, timeout, shape, dtype, nan or range (the model failed); ended (under way when the stream ended: nobody knows);
            denied (a budget said no); revoked (never made).
        said: what went wrong, in words.
        mask: float32 (h, w) of the model's own size; None where there is none.
        seconds: how long it took.
        share: what it cost, as a share of the price of a call.
        error: what was raised, or what the ledger said.
    """

    kind: str
    said: str = ""
    mask: NDArray[np.float32] | None = None
    seconds: float = 0.0
    share: Fraction = Fraction(0)
    error: BaseException | None = None


class Flight:
    """One call under way.

    Attributes:
        ticket: the frame, for the carrier.
        at: that frame's time in the stream, in seconds.
        reason: why it was asked about.
        carried: the mask that the frame had before; None for none.
        gap: frames since the one that this mask was computed on.
        begun: when the call was begun, by the clock.
        number: counts up.
        again: whether it is a retry of a frame that was sent before.
    """

    def __init__(
        self,
        ticket: Ticket,
        *,
        at: float,
        reason: str,
        carried: NDArray[np.float32] | None,
        gap: int,
        begun: float,
        number: int,
    ) -> None:
        self.ticket, self.at, self.reason, self.carried, self.gap = ticket, at, reason, carried, gap
        self.begun, self.number, self.again = begun, number, False
        self.future: Future[Outcome] | None = None
        self._lock = threading.Lock()
        self._entry: Entry | None = None
        self._over = False

    def board(self, entry: Entry) -> bool:
        """Take what is held for it; False where the call was given up before it was made."""
        with self._lock:
            if not self._over:
                self._entry = entry
            return not self._over

    def settle(self, books: Books, error: BaseException | None, outcome: str = "") -> Fraction | None:
        """Settle it once, whoever comes first: the call or who gave it up. None where it was settled before."""
        with self._lock:
            if self._over:
                return None
            self._over = True
            entry = self._entry
        return books.end(entry, error, outcome) if entry is not None else Fraction(0)


class _NeverMadeError(ReelwiseError):
    """A call that was given up before it was made; see `not_billed`."""


class Lane:
    """Calls to one model.

    Args:
        model: from a frame to a mask; sync or async.
        role: main or device.
        books: what its calls cost.
        health: whether it can be relied on.
        worker: where sync calls are made.
        clock: the time.
        timeout_seconds: after this a call is given up.
    """

    NEVER_MADE = _NeverMadeError

    def __init__(
        self,
        model: Callable[[NDArray[np.uint8]], Any],
        *,
        role: str,
        books: Books,
        health: Health,
        worker: Worker,
        clock: Clock,
        timeout_seconds: float,
    ) -> None:
        self.role, self.books, self.health = role, books, health
        self.flight: Flight | None = None
        self.calls = self.revoked = 0
        self._model, self._worker, self._clock, self._timeout = model, worker, clock, timeout_seconds
        call = getattr(model, "__call__", model)  # noqa: B004 - an object whose __call__ is async
        self._async = inspect.iscoroutinefunction(model) or inspect.iscoroutinefunction(call)
        self._tasks: TaskWorker | None = None
        self._by_task = False

    @property
    def jammed(self) -> bool:
        """Whether so many calls never came back that no further one is begun."""
        return self._worker.jammed

    def ready(self, now: float) -> bool:
        """Say whether a call may be begun."""
        return self.flight is None and self.health.may_call(now) and not self.jammed

    def begin(
        self,
        frame: NDArray[np.uint8],
        ticket: Ticket,
        *,
        at: float,
        reason: str,
        carried: NDArray[np.float32] | None,
        gap: int,
        loop: asyncio.AbstractEventLoop | None,
    ) -> Flight:
        """Begin a call; only when it is `ready`."""
        self.calls += 1
        flight = Flight(
            ticket, at=at, reason=reason, carried=carried, gap=gap, begun=self._clock.now(), number=self.calls
        )
        self.flight = flight
        self.health.begun()
        self._by_task = self._async and loop is not None
        if self._by_task and loop is not None:
            if self._tasks is None or self._tasks.loop is not loop:
                self._tasks = TaskWorker(loop)
            flight.future = self._tasks.submit(lambda: self._ask_async(flight, frame))
        else:
            flight.future = self._worker.submit(lambda finish: self._ask(flight, frame, finish))
        return flight

    def _ask(
        self, flight: Flight, frame: NDArray[np.uint8], finish: Callable[[Coroutine[Any, Any, Any]], Any]
    ) -> Outcome:
        """Make a call; what is raised is an outcome."""
        with Caught(all_=True) as held:
            entry = self.books.begin()
        if held.error is not None:
            return _denied(held)
        if not flight.board(entry):
            return self._never_made(entry)
        began = self._clock.now()
        if entry.call is not None:
            entry.call.enter()
        with Caught(all_=True) as caught:
            answer = self._model(frame)
            if inspect.isawaitable(answer):
                answer = finish(_within(answer, self._timeout))
            checked = checked_mask(answer)
        return self._looked_at(flight, caught, None if caught.error is not None else checked, self._clock.now() - began)

    async def _ask_async(self, flight: Flight, frame: NDArray[np.uint8]) -> Outcome:
        with Caught() as held:
            entry = await self._held()
        if held.error is not None:
            return _denied(held)
        if not flight.board(entry):
            return self._never_made(entry)
        began = self._clock.now()
        if entry.call is not None:
            entry.call.enter()
        with Caught(all_=True) as caught:
            checked = checked_mask(await _within(self._model(frame), self._timeout))
        return self._looked_at(flight, caught, None if caught.error is not None else checked, self._clock.now() - began)

    async def _held(self) -> Entry:
        """Hold for a call while the loop goes on; what is held for a task that is cancelled meanwhile is let go of."""
        if not self.books.asks_ledger:
            return self.books.begin()
        taking = asyncio.ensure_future(asyncio.to_thread(self.books.begin))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._let_go)
            raise

    def _let_go(self, taking: asyncio.Future[Entry]) -> None:
        if not taking.cancelled() and taking.exception() is None:
            self._never_made(taking.result())

    def _never_made(self, entry: Entry) -> Outcome:
        self.books.end(entry, _NeverMadeError("given up before it was made"))
        return Outcome("revoked")

    def _looked_at(self, flight: Flight, caught: Caught, checked: Checked | None, seconds: float) -> Outcome:
        """Settle a call that came back, and say what it brought."""
        error = caught.error
        kind, said = ("raised", caught.said) if checked is None else (checked.kind or "ok", checked.said)
        if isinstance(error, TimeoutError):
            kind = "timeout"
        with Caught(all_=True) as wrong:
            share = flight.settle(self.books, error, "" if kind in {"ok", "raised"} else f"nonsense:{kind}")
        if wrong.error is not None:
            share = Fraction(1)  # it was made; what the ledger could not take counts as spent
        if share is None:
            return Outcome("revoked", said, seconds=seconds)  # nobody waits for it any more
        return Outcome(kind, said, checked.mask if checked is not None else None, seconds, share, error)

    def land(self) -> tuple[Flight, Outcome] | None:
        """Return the call under way and what became of it, once it is over or takes too long."""
        flight = self.flight
        if flight is None or flight.future is None:
            return None
        if flight.future.cancelled():
            self.flight = None
            return flight, Outcome("revoked")
        if flight.future.done():
            self.flight = None
            error = flight.future.exception()
            return flight, flight.future.result() if error is None else Outcome("raised", repr(error), error=error)
        if self._clock.now() - flight.begun >= self._timeout:
            return self._given_up(flight, f"no answer in {self._timeout:g} s")
        return None

    def _given_up(
        self, flight: Flight, said: str, kind: Literal["timeout", "ended"] = "timeout"
    ) -> tuple[Flight, Outcome]:
        self.flight = None
        if flight.future is not None and flight.future.cancel():
            return flight, Outcome("revoked")
        error = TimeoutError(said)
        with Caught(all_=True) as wrong:
            share = flight.settle(self.books, error)
        if wrong.error is not None:
            share = Fraction(1)
        (self._tasks if self._by_task and self._tasks is not None else self._worker).give_up()
        if share is None and flight.future is not None and flight.future.done():  # it came back just now
            return flight, flight.future.result()
        share = Fraction(1) if share is None else share
        return flight, Outcome(kind, said, seconds=self._timeout, share=share, error=error)

    def revoke(self) -> bool:
        """Take back a call that has not begun; say whether there was one."""
        return self.flight is not None and self.flight.future is not None and self.flight.future.cancel()

    def wait(self, flight: Flight, seconds: float | None) -> None:
        """Wait until a call is over, takes too long, or the time is up."""
        if flight.future is not None:
            left = max(0.0, self._timeout - (self._clock.now() - flight.begun))
            self._worker.wait(flight.future, left if seconds is None else min(seconds, left))

    def close(self) -> tuple[Flight, Outcome] | None:
        """End: take back what has not begun, wait half a second for what has, then give it up."""
        self.revoke()
        landed = self.land()
        if landed is None and self.flight is not None:
            flight = self.flight
            if not self._by_task:
                self.wait(flight, _PATIENCE_SECONDS)
            landed = self.land() or self._given_up(flight, "it was under way when the stream ended", "ended")
        self._worker.close(_PATIENCE_SECONDS)
        if self._tasks is not None:
            self._tasks.close()
        return landed


async def _within(answer: Any, seconds: float) -> Any:
    async with asyncio.timeout(seconds):
        return await answer


def _denied(held: Caught) -> Outcome:
    error = held.error
    said = error.message if isinstance(error, ReelwiseError) else held.said
    return Outcome("denied", said, error=error)
