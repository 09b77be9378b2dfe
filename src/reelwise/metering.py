"""Put a budget around your own calls: hold before, settle after, as a decorator or a context manager, sync or async.

    @reelwise.meter(feature="describe", user=lambda clip, user: user, hold_usd="0.02")
    def describe(clip, user):
        answer = ask_a_model(clip)
        reelwise.current_call().cost(usd=answer.cost)
        return answer

Leaving the block settles the hold: with the cost that was told, or, where none was, with all that was held. An exception lets go of the
hold, unless it may have been billed (a time-out, a lost connection, a cancelled task): then all of it is posted, as `ambiguous`.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import secrets
import time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from reelwise.errors import InputError
from reelwise.ledger.events import Units, What, who_of
from reelwise.ledger.ledger import Ledger
from reelwise.units import nano_from_usd

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from reelwise.ledger.events import Who
    from reelwise.ledger.holds import Hold, Posted
    from reelwise.ledger.modes import Mode
    from reelwise.rates import Book
    from reelwise.requests import Request

__all__ = ["Call", "Meter", "current_call", "default_ledger", "meter"]

F = TypeVar("F", bound="Callable[..., Any]")
AMBIGUOUS: tuple[type[BaseException], ...] = (TimeoutError, ConnectionError, asyncio.CancelledError)
"""What may have been billed although no answer came."""

_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("reelwise_call", default=None)


@lru_cache(maxsize=1)
def default_ledger() -> Ledger:
    """Open the process's ledger, once: the file or address in REELWISE_LEDGER, or reelwise.db in the working folder."""
    import atexit
    import os

    ledger = Ledger(os.environ.get("REELWISE_LEDGER") or "reelwise.db")
    atexit.register(ledger.close)
    return ledger


@lru_cache(maxsize=8)
def _book(day: str) -> Book:
    import datetime as dt

    from reelwise.rates import Book

    return Book.load(dt.date.fromisoformat(day))


def current_call() -> Call:
    """Return the call that this code runs in.

    Raises:
        InputError: it runs in none.
    """
    call = _call.get()
    if call is None:
        raise InputError(
            "no metered call is under way here", hint="use it inside `with reelwise.meter(...)` or a metered function"
        )
    return call


class Call:
    """One call under way: tell it what was used.

    Attributes:
        mode: what the feature should do now; its `settings` are the levers of that mode.
        held_nano: what is held for it, in nano-USD.
        posted: what became of it, once it is settled.
    """

    def __init__(self, ledger: Ledger, hold: Hold, what: What, mode: Mode, identity: str) -> None:
        self._ledger = ledger
        self._hold = hold
        self._what = what
        self._units = Units(calls=1)
        self._cost: int | None = None
        self._avoided = 0
        self._began = time.perf_counter_ns()
        self._identity = identity
        self.mode = mode
        self.held_nano = hold.nano
        self.posted: Posted | None = None

    def cost(self, *, usd: Any = None, nano: int | None = None) -> None:
        """Say what the call cost: in dollars (text or Decimal are exact) or in nano-USD.

        Raises:
            InputError: neither or both, negative, or not a number.
        """
        self._cost = nano_of("cost", usd, nano)

    def charge(self, request: Request, book: Book | None = None) -> int:
        """Say what the call used: its cost is the marginal price at the account's month-to-date position; returns it in nano-USD.

        Args:
            request: the model and what it used; see `reelwise.requests.Request`.
            book: prices; today's where it is left out.

        Raises:
            UnknownModelError, UnpricedError: it has no price; the call is then posted at all that was held.
        """
        from reelwise.charge import charge
        from reelwise.month import is_graduated, position_of, units_of

        book = book or _book(time.strftime("%Y-%m-%d", time.gmtime(self._hold.at_ms / 1000)))
        position = None
        if is_graduated(request.model, book):
            self._ledger.flush()
            position = position_of(self._ledger.store, book, self._hold.at_ms)
        spent = charge(request, book, position=position)
        self._cost = spent.nano
        self._units = msgspec.structs.replace(units_of(request), frames=self._units.frames)
        self._what = msgspec.structs.replace(self._what, model=request.model)
        return spent.nano

    def avoided(self, *, usd: Any = None, nano: int | None = None) -> None:
        """Say what it would have cost besides, had no lever applied."""
        self._avoided = nano_of("avoided", usd, nano)

    def used(self, **units: int) -> None:
        """Say how much of each unit it used: frames=30, tokens_output=120, video_ms=60_000; see `Units`.

        Raises:
            InputError: no such unit.
        """
        try:
            self._units = msgspec.structs.replace(self._units, **units)
        except TypeError:
            wrong = next(iter(units.keys() - set(Units.__struct_fields__)), "")
            raise InputError(
                f"no such unit: {wrong[:40]}", where="used", hint=", ".join(Units.__struct_fields__)
            ) from None

    def was(self, **labels: str) -> None:
        """Say what it was: model=..., provider=..., status="cut", outcome="match"; see `What`.

        Raises:
            InputError: no such label.
        """
        try:
            self._what = msgspec.structs.replace(self._what, **labels)
        except TypeError:
            raise InputError("no such label", where="was", hint=", ".join(What.__struct_fields__)) from None

    def outcome(self, name: str) -> None:
        """Say what came of it, in the product's words: what a cost per outcome is counted by."""
        self.was(outcome=name)

    def settle(self, error: BaseException | None, ambiguous: tuple[type[BaseException], ...], *, wait: bool) -> None:
        """Settle the hold; the meter calls this when the call ends."""
        if error is not None and self._cost is None and not isinstance(error, ambiguous):
            self._ledger.void(self._hold)
            return
        what = self._what
        if error is not None and what.status == "ok":
            what = msgspec.structs.replace(what, status="ambiguous" if self._cost is None else "error")
        cost = self._hold.nano if self._cost is None else self._cost
        self.posted = self._ledger.post(
            self._hold,
            self._identity,
            cost,
            what=what,
            units=self._units,
            avoided_nano=self._avoided,
            latency_ms=(time.perf_counter_ns() - self._began) // 1_000_000,
            wait=wait,
        )


class Meter:
    """What `meter` returns: a decorator, and a context manager that may be entered many times and from many threads."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._stack: contextvars.ContextVar[tuple[tuple[Call, Any], ...]] = contextvars.ContextVar(
            "reelwise_stack", default=()
        )

    def _prepare(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Ledger, Who, Callable[[], Hold]]:
        options = self._options
        ledger: Ledger = options["ledger"] or default_ledger()
        labels = {
            name: value(*arguments, **named) if callable(value := options[name]) else value
            for name in ("user", "session", "tenant", "user_class", "tags")
        }
        who = who_of(options["feature"], **labels)
        nano = options["hold"](*arguments, **named) if callable(options["hold"]) else options["hold"]
        return (
            ledger,
            who,
            functools.partial(
                ledger.hold, who, nano, frames=options["frames"], timeout_seconds=options["timeout_seconds"]
            ),
        )

    def _begin(self, ledger: Ledger, hold: Hold, mode: Mode) -> Call:
        named = {name: self._options[name] for name in ("model", "provider", "stage", "version")}
        call = Call(ledger, hold, What(mode=mode.name, **named), mode, f"call/{secrets.token_hex(12)}")
        self._stack.set((*self._stack.get(), (call, _call.set(call))))
        return call

    def _end(self) -> Call:
        *rest, (call, token) = self._stack.get()
        self._stack.set(tuple(rest))
        _call.reset(token)
        return call

    def _enter(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call:
        ledger, who, hold = self._prepare(arguments, named)
        mode = ledger.mode(who)  # before its own hold counts
        return self._begin(ledger, hold(), mode)

    async def _enter_async(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call:
        ledger, who, hold = self._prepare(arguments, named)
        mode = await asyncio.to_thread(ledger.mode, who)  # the store may be asked: the loop goes on meanwhile
        return self._begin(ledger, await asyncio.to_thread(hold), mode)

    def _leave(self, error: BaseException | None) -> None:
        self._end().settle(error, self._options["ambiguous"], wait=self._options["wait"])

    async def _leave_async(self, error: BaseException | None) -> None:
        call = self._end()
        settle = functools.partial(call.settle, error, self._options["ambiguous"], wait=self._options["wait"])
        # a task that is cancelled while its row is written still gets it written
        await asyncio.shield(asyncio.to_thread(settle))

    def __enter__(self) -> Call:
        return self._enter((), {})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    async def __aenter__(self) -> Call:
        return await self._enter_async((), {})

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave_async(error)

    def __call__(self, function: F) -> F:
        """Meter each call of a function, sync or async; labels may be functions of its arguments."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def metered_async(*arguments: Any, **named: Any) -> Any:
                await self._enter_async(arguments, named)
                try:
                    result = await function(*arguments, **named)
                except BaseException as error:
                    await self._leave_async(error)
                    raise
                await self._leave_async(None)
                return result

            return metered_async  # type: ignore[return-value]

        @functools.wraps(function)
        def metered(*arguments: Any, **named: Any) -> Any:
            self._enter(arguments, named)
            try:
                result = function(*arguments, **named)
            except BaseException as error:
                self._leave(error)
                raise
            self._leave(None)
            return result

        return metered  # type: ignore[return-value]


def meter(  # the options of one call, each with a default
    feature: str,
    *,
    hold_usd: Any = None,
    hold_nano: Any = None,
    user: Any = "",
    session: Any = "",
    tenant: Any = "",
    user_class: Any = "",
    tags: Any = None,
    model: str = "",
    provider: str = "",
    stage: str = "",
    version: str = "",
    frames: int = 0,
    ledger: Ledger | None = None,
    timeout_seconds: float = 600.0,
    ambiguous: tuple[type[BaseException], ...] = AMBIGUOUS,
    wait: bool = True,
) -> Meter:
    """Put a hold and a row around each call: as a decorator of a function, or as a context manager.

    Args:
        feature: the feature, as budgets name it.
        hold_usd: the most that one call can cost, in dollars; or a function of the decorated function's arguments.
        hold_nano: the same in nano-USD, as `reelwise.charge.hold` computes it. One of both is needed.
        user: who the call is for: text, or a function of the arguments; so too the next four.
        session: of the product.
        tenant: the customer.
        user_class: what ladders differ by.
        tags: a dict of further labels.
        model: what is called; `Call.was` may say this and the next three later.
        provider: where it is bought.
        stage: the plan's.
        version: what is deployed.
        frames: what one call counts as in budgets of frames.
        ledger: the ledger; else the process's own: see `default_ledger`.
        timeout_seconds: after this the hold is let go of.
        ambiguous: exceptions after which the call may have been billed.
        wait: return when the row is durable; False returns as soon as it is counted.

    Raises (when the call begins):
        BudgetError: a budget has not that much left, or the feature is switched off: the call is not made.
    """
    if (hold_usd is None) == (hold_nano is None):
        raise InputError("say what one call can cost at most", where="meter", hint='hold_usd="0.02", or hold_nano=...')
    given = hold_usd if hold_nano is None else hold_nano
    if hold_nano is None:
        hold: Any = (
            (lambda *a, **k: nano_of("hold", given(*a, **k), None)) if callable(given) else nano_of("hold", given, None)
        )
    else:
        hold = given if callable(given) else nano_of("hold", None, given)
    labels = {"user": user, "session": session, "tenant": tenant, "user_class": user_class, "tags": tags}
    named = {"model": model, "provider": provider, "stage": stage, "version": version}
    rest = {
        "frames": frames,
        "ledger": ledger,
        "timeout_seconds": timeout_seconds,
        "ambiguous": ambiguous,
        "wait": wait,
    }
    return Meter({"feature": feature, "hold": hold, **labels, **named, **rest})


def nano_of(name: str, usd: Any, nano: int | None) -> int:
    if (usd is None) == (nano is None):
        raise InputError("give dollars or nano-dollars, one of both", where=name, hint='usd="0.0123"')
    if nano is not None:
        if isinstance(nano, bool) or not isinstance(nano, int) or nano < 0:
            raise InputError(f"{nano!r:.40} is no amount of nano-USD", where=name, hint="a whole number, 0 or more")
        return nano
    try:
        value = Decimal(str(usd)) if not isinstance(usd, Decimal) else usd
        amount = nano_from_usd(value)
    except (ArithmeticError, ValueError):
        raise InputError(f"{usd!r:.40} is no amount of dollars", where=name, hint='usd="0.0123"') from None
    if amount < 0:
        raise InputError(f"{usd!r:.40} is less than nothing", where=name, hint="0 or more")
    return amount
