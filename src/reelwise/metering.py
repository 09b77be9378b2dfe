"""Put a budget around your own calls: hold before, settle after, as a decorator or a context manager, sync or async.

    @reelwise.meter(feature="describe", user=lambda clip, user: user, hold_usd="0.02")
    def describe(clip, user):
        answer = ask_a_model(clip)
        reelwise.current_call().cost(usd=answer.cost)
        return answer

Leaving the block settles the hold: with the cost that was told, or, where none was, with all that was held. An error that leaves it lets go
of the hold only where the call was surely not billed: see `reelwise.billed.may_be_billed`.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
import secrets
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from reelwise.default_ledger import default_ledger
from reelwise.errors import InputError
from reelwise.ledger.events import What, check_amount, check_identity, check_label, who_of
from reelwise.metered_call import Call, current_call, innermost, nano_of
from reelwise.metered_steps import finished, stepped, steps_of_async

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType, TracebackType

    from reelwise.ledger.events import Who
    from reelwise.ledger.holds import Hold
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.modes import Mode

__all__ = ["Call", "Meter", "current_call", "default_ledger", "meter"]

F = TypeVar("F", bound="Callable[..., Any]")
_TIMEOUT_MAX_SECONDS = 7 * 86_400
_ID_MAX = 120


class _Taking:
    """A hold that is taken in another thread, for a task that may be cancelled meanwhile: then it is let go of when it comes."""

    def __init__(self, ledger: Ledger, take: Callable[[], Hold]) -> None:
        self._ledger = ledger
        self._take = take
        self._lock = threading.Lock()
        self._given_up = False
        self._hold: Hold | None = None

    def take(self) -> Hold:
        hold = self._take()
        with self._lock:
            self._hold = hold
            given_up = self._given_up
        if given_up:
            self._ledger.void(hold)
        return hold

    def give_up(self) -> None:
        with self._lock:
            self._given_up = True
            hold = self._hold
        if hold is not None:
            self._ledger.void(hold)


class Meter:
    """What `meter` returns: a decorator, and a context manager that may be entered many times and from many threads and tasks."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._open: dict[
            int, list[Call]
        ] = {}  # by the frame that the block stands in: it is left from where it was entered

    # one call

    def _prepare(
        self, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[Ledger, Who, Callable[[], Hold], str]:
        options = self._options
        ledger: Ledger = options["ledger"] or default_ledger()
        labels = {
            name: value(*arguments, **named) if callable(value := options[name]) else value
            for name in ("user", "session", "tenant", "user_class", "tags")
        }
        who = who_of(options["feature"], **labels)
        nano = options["hold"](*arguments, **named) if callable(options["hold"]) else options["hold"]
        given = options["id"](*arguments, **named) if callable(options["id"]) else options["id"]
        take = functools.partial(
            ledger.hold, who, nano, frames=options["frames"], timeout_seconds=options["timeout_seconds"]
        )
        return ledger, who, take, _identity(options["feature"], given)

    def _begin(self, ledger: Ledger, hold: Hold, mode: Mode, identity: str) -> Call:
        named = {name: self._options[name] for name in ("model", "provider", "stage", "version")}
        return Call(ledger, hold, What(mode=mode.name, **named), mode, identity)

    def begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call:
        """Hold for one call."""
        ledger, who, take, identity = self._prepare(arguments, named)
        mode = ledger.mode(who)  # before its own hold counts
        return self._begin(ledger, take(), mode, identity)

    async def begin_async(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call:
        """Hold for one call; the store may be asked: the loop goes on meanwhile."""
        ledger, who, take, identity = self._prepare(arguments, named)
        mode = await asyncio.to_thread(ledger.mode, who)
        taking = _Taking(ledger, take)
        try:
            hold = await asyncio.to_thread(taking.take)
        except BaseException:
            taking.give_up()  # cancelled: the block never ran
            raise
        return self._begin(ledger, hold, mode, identity)

    def end(self, call: Call, error: BaseException | None) -> None:
        """Settle a call, and wait until its row is written."""
        options = self._options
        call.leave()
        call.settle(error, options["ambiguous"], options["not_billed"], strict=options["strict"])
        if self._waits(error):
            call.wait(strict=options["strict"])

    async def end_async(self, call: Call, error: BaseException | None) -> None:
        """Settle a call at once, and wait besides: a task that is cancelled while its row is written still gets it written."""
        options = self._options
        call.leave()
        call.settle(error, options["ambiguous"], options["not_billed"], strict=options["strict"])
        if self._waits(error) and call.posted is not None:
            await asyncio.to_thread(call.wait, strict=options["strict"])

    def _waits(self, error: BaseException | None) -> bool:
        return self._options["wait"] and not isinstance(error, GeneratorExit)  # that one may come in any thread

    # as a block

    def _noted(self, call: Call, frame: FrameType | None) -> Call:
        call.enter()
        self._open.setdefault(id(frame), []).append(call)
        return call

    def _found(self, frame: FrameType | None) -> Call:
        """Find the call of the block that ends: that of its frame; else this context's innermost of this meter; else the last one."""
        place = id(frame)
        if not self._open.get(place):
            places = {one: key for key, calls in list(self._open.items()) for one in calls}
            call = innermost()
            while call is not None and call not in places:
                call = call.outer
            if call is None:
                if not places:
                    raise InputError("this meter was not entered", hint="use it as `with reelwise.meter(...)`")
                call = list(places)[-1]
            place = places[call]
            self._open[place].remove(call)
        else:
            call = self._open[place].pop()
        if not self._open[place]:
            del self._open[place]
        return call

    def __enter__(self) -> Call:
        return self._noted(self.begin((), {}), _caller())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(self._found(_caller()), error)

    def __aenter__(self) -> Coroutine[Any, Any, Call]:
        frame = _caller()

        async def enter() -> Call:
            return self._noted(await self.begin_async((), {}), frame)

        return enter()

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]:
        return self.end_async(self._found(_caller()), error)

    # as a decorator

    def __call__(self, function: F) -> F:
        """Meter each call of a function, sync or async; labels may be functions of its arguments.

        A generator is held for when its first item is asked for, and settled when it ends, is closed, or raises.
        """
        if inspect.isasyncgenfunction(function):
            metered: Any = steps_of_async(self, self.begin_async, function)
        elif inspect.isgeneratorfunction(function):
            metered = self._streaming(function)
        elif inspect.iscoroutinefunction(function):
            metered = self._async(function)
        else:
            metered = self._plain(function)
        return functools.wraps(function)(metered)  # type: ignore[return-value]

    def _plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def metered(*arguments: Any, **named: Any) -> Any:
            call = self.begin(arguments, named)
            call.enter()
            try:
                result = function(*arguments, **named)
            except BaseException as error:
                self.end(call, error)
                raise
            if inspect.isgenerator(result) or inspect.isasyncgen(result) or inspect.iscoroutine(result):
                call.leave()  # it has not run yet
                return self._taken_over(call, result)
            self.end(call, None)
            return result

        return metered

    def _taken_over(self, call: Call, result: Any) -> Any:
        async def begun(*_: Any) -> Call:
            return call

        if inspect.isgenerator(result):
            return stepped(self, call, result)
        if inspect.isasyncgen(result):
            return steps_of_async(self, begun, lambda: result)()
        return finished(self, call, result)

    def _async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def metered(*arguments: Any, **named: Any) -> Any:
            inner = function(*arguments, **named)
            try:
                call = await self.begin_async(arguments, named)
            except BaseException:
                inner.close()
                raise
            return await finished(self, call, inner)

        return metered

    def _streaming(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def metered(*arguments: Any, **named: Any) -> Any:
            inner = function(*arguments, **named)
            return (yield from stepped(self, self.begin(arguments, named), inner))

        return metered


def _caller() -> FrameType | None:
    here = inspect.currentframe()
    return here.f_back.f_back if here is not None and here.f_back is not None else None


def _identity(feature: str, given: Any) -> str:
    """Return the id of a call's row: its own, or the one that is given, which counts once for each feature."""
    if given is None:
        return f"call/{secrets.token_hex(12)}"
    name = f"meter/{feature}/{check_identity(given)}"
    return name if len(name) <= _ID_MAX else f"meter/{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


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
    id: Any = None,  # noqa: A002 - the field's word
    model: str = "",
    provider: str = "",
    stage: str = "",
    version: str = "",
    frames: int = 0,
    ledger: Ledger | None = None,
    timeout_seconds: float = 600.0,
    ambiguous: tuple[type[BaseException], ...] = (),
    not_billed: tuple[type[BaseException], ...] = (),
    wait: bool = True,
    strict: bool = False,
) -> Meter:
    """Put a hold and a row around each call: as a decorator of a function, or as a context manager.

    Args:
        feature: the feature, as budgets name it.
        hold_usd: the most that one call can cost, in dollars; or a function of the decorated function's arguments.
        hold_nano: the same in nano-USD, as `reelwise.charge.hold` computes it. One of both is needed.
        user: who the call is for: text, or a function of the arguments; so too the next five.
        session: of the product.
        tenant: the customer.
        user_class: what ladders differ by.
        tags: a dict of further labels.
        id: of a job that may be delivered twice: within a feature its cost is recorded once. The second call is held for and made, its row
            is refused with a warning (with `strict`: AlreadySettledError), and nothing more is counted.
        model: what is called; `Call.was` may say this and the next three later.
        provider: where it is bought.
        stage: the plan's.
        version: what is deployed.
        frames: what one call counts as in budgets of frames.
        ledger: the ledger; else the process's own: see `default_ledger`.
        timeout_seconds: after this the hold is let go of.
        ambiguous: errors after which the call may have been billed, besides those that `reelwise.billed.may_be_billed` knows.
        not_billed: errors after which it surely was not.
        wait: return when the row is durable; False returns as soon as it is counted.
        strict: raise where a row cannot be written now. Without it the caller gets the answer, the logger `reelwise` a warning, and the row
            is counted and written later.

    Raises:
        InputError: a label or an amount that cannot be; functions of the arguments are asked when the call begins.
        BudgetError: (when the call begins) a budget has not that much left, or the feature is switched off: the call is not made.
    """
    if (hold_usd is None) == (hold_nano is None):
        raise InputError("say what one call can cost at most", where="meter", hint='hold_usd="0.02", or hold_nano=...')
    named = {"feature": feature, "model": model, "provider": provider, "stage": stage, "version": version}
    for name, value in named.items():
        check_label(value, name)
    labels = {"user": user, "session": session, "tenant": tenant, "user_class": user_class, "tags": tags, "id": id}
    _check_options(frames, timeout_seconds, ambiguous, not_billed)
    rest = {
        "hold": _holding(hold_usd, hold_nano),
        "frames": frames,
        "ledger": ledger,
        "timeout_seconds": timeout_seconds,
        "ambiguous": ambiguous,
        "not_billed": not_billed,
        "wait": wait,
        "strict": strict,
    }
    return Meter({**named, **labels, **rest})


def _holding(usd: Any, nano: Any) -> Any:
    if usd is not None:
        return (lambda *a, **k: nano_of("hold", usd(*a, **k), None)) if callable(usd) else nano_of("hold", usd, None)
    return (lambda *a, **k: nano_of("hold", None, nano(*a, **k))) if callable(nano) else nano_of("hold", None, nano)


def _check_options(frames: Any, timeout_seconds: Any, *errors: Any) -> None:
    check_amount(frames, "frames")
    number = isinstance(timeout_seconds, (int, float)) and not isinstance(timeout_seconds, bool)
    if not number or not 0.001 <= timeout_seconds <= _TIMEOUT_MAX_SECONDS:
        raise InputError(
            f"{timeout_seconds!r:.40} is no time that a hold can last",
            where="timeout_seconds",
            hint="seconds, up to seven days: 600",
        )
    for one in errors:
        if not isinstance(one, tuple) or not all(isinstance(each, type) for each in one):
            raise InputError(f"{one!r:.60} is no tuple of errors", where="meter", hint="not_billed=(MyError,)")
