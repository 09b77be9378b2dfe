"""One metered call under way: what it is told while it runs, and how it is settled when it ends."""

from __future__ import annotations

import contextvars
import logging
import time
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.billed import may_be_billed
from reelwise.errors import AlreadySettledError, InputError, ReelwiseError
from reelwise.ledger.events import Units, What, check_amount, check_label, check_units, check_what
from reelwise.units import nano_from_usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.ledger.holds import Hold, Posted
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.modes import Mode
    from reelwise.month_so_far import Charged
    from reelwise.rates import Book
    from reelwise.requests import Request

__all__ = ["Call", "current_call"]

_log = logging.getLogger("reelwise")
_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("reelwise_call", default=None)
_LATENCY_MAX_MS = 1 << 40


def current_call() -> Call:
    """Return the call that this code runs in.

    Raises:
        InputError: it runs in none.
    """
    call = innermost()
    if call is None:
        raise InputError(
            "no metered call is under way here", hint="use it inside `with reelwise.meter(...)` or a metered function"
        )
    return call


def innermost() -> Call | None:
    """Return the innermost call of this context that is not over; one that ended in another context may still be noted in this one."""
    call = _call.get()
    while call is not None and call.over:
        call = call.outer
    return call


@contextmanager
def within(call: Call) -> Iterator[None]:
    """Let code run in a call, and leave the context as it was: between two steps of a generator others run in it."""
    before = _call.get()
    _call.set(call)
    try:
        yield
    finally:
        _call.set(before)


class Call:
    """One call under way: tell it what was used.

    What it is told is checked when it is told; told again, the last counts. What is refused leaves the cost unknown where none was told:
    the model has answered, so all that is held is posted.

    Attributes:
        mode: what the feature should do now; its `settings` are the levers of that mode.
        held_nano: what is held for it, in nano-USD.
        posted: what became of it, once it is settled; None where nothing was posted.
        outer: the call that it runs in.
        over: whether it was settled.
    """

    def __init__(self, ledger: Ledger, hold: Hold, what: What, mode: Mode, identity: str) -> None:
        self._ledger = ledger
        self._hold = hold
        self._what = what
        self._units = Units(calls=1)
        self._cost: int | None = None
        self._doubt = False  # something it was told was refused: it was made, then
        self._unknown = False  # what it was told last about its cost was refused
        self._charged: Charged | None = None
        self._avoided = 0
        self._began = time.perf_counter_ns()
        self._identity = identity
        self.mode = mode
        self.held_nano = hold.nano
        self.posted: Posted | None = None
        self.outer: Call | None = None
        self.over = False

    def enter(self) -> None:
        """Become this context's current call."""
        self.outer = innermost()
        _call.set(self)

    def leave(self) -> None:
        """Stop being this context's current call; in another context this does nothing."""
        if _call.get() is self:
            _call.set(self.outer)

    def cost(self, *, usd: Any = None, nano: int | None = None) -> None:
        """Say what the call cost: in dollars (text or Decimal are exact) or in nano-USD.

        Raises:
            InputError: neither or both, negative, too large, or not a number. All that is held is posted, unless a later `cost` says better.
        """
        before = self._doubted(cost=True)
        self._cost = nano_of("cost", usd, nano)
        self._believed(before, cost=True)

    def charge(self, request: Request, book: Book | None = None) -> int:
        """Say what the call used: its cost is the marginal price at the account's month-to-date position; returns it in nano-USD.

        Units that the request has are recorded beside those that `used` told. A position is what this process knows of the month: read
        when first needed, moved on by its own calls, and caught up with other processes' rows every ten seconds.

        Args:
            request: the model and what it used, of one call; see `reelwise.requests.Request`.
            book: prices; today's where it is left out.

        Raises:
            UnknownModelError, UnpricedError: it has no price; all that is held is posted, unless a later `cost` says better.
            InputError: a `count` other than 1.
        """
        from reelwise.month_so_far import book_of, charge_call

        before = self._doubted(cost=True)
        book = book or book_of(time.strftime("%Y-%m-%d", time.gmtime(self._hold.at_ms / 1000)))
        charged = charge_call(self._ledger, request, book, self._hold.at_ms, before=self._charged)
        what = msgspec.structs.replace(self._what, model=check_label(charged.model, "model"))
        units = check_units(charged.added_to(self._units))
        cost = check_amount(charged.nano, "cost")
        self._believed(before, cost=True)
        self._cost, self._what, self._units, self._charged = cost, what, units, charged
        return cost

    def avoided(self, *, usd: Any = None, nano: int | None = None) -> None:
        """Say what it would have cost besides, had no lever applied.

        Raises:
            InputError: see `cost`.
        """
        before = self._doubted()
        self._avoided = nano_of("avoided", usd, nano)
        self._believed(before)

    def used(self, **units: int) -> None:
        """Say how much of each unit it used: frames=30, tokens_output=120, video_ms=60_000; see `Units`.

        Raises:
            InputError: no such unit, or not a whole number of 0 or more; nothing of it is taken over.
        """
        before = self._doubted()
        try:
            self._units = check_units(msgspec.structs.replace(self._units, **units))
        except TypeError:
            wrong = next(iter(units.keys() - set(Units.__struct_fields__)), "")
            raise InputError(
                f"no such unit: {wrong[:40]}", where="used", hint=", ".join(Units.__struct_fields__)
            ) from None
        self._believed(before)

    def was(self, **labels: str) -> None:
        """Say what it was: model=..., provider=..., status="cut", outcome="match"; see `What`.

        Raises:
            InputError: no such label, not text, or too long; nothing of it is taken over.
        """
        before = self._doubted()
        try:
            self._what = check_what(msgspec.structs.replace(self._what, **labels))
        except TypeError:
            raise InputError("no such label", where="was", hint=", ".join(What.__struct_fields__)) from None
        self._believed(before)

    def outcome(self, name: str) -> None:
        """Say what came of it, in the product's words: what a cost per outcome is counted by.

        Raises:
            InputError: see `was`.
        """
        self.was(outcome=name)

    def _doubted(self, *, cost: bool = False) -> bool:
        """What is refused from here on was told because the call was made: its hold is not let go of for that. Return what was so before."""
        before, self._doubt = self._doubt, True
        self._unknown = self._unknown or cost
        return before

    def _believed(self, before: bool, *, cost: bool = False) -> None:
        """It was taken over."""
        self._doubt = before
        if cost:
            self._unknown = False

    def settle(
        self,
        error: BaseException | None,
        ambiguous: tuple[type[BaseException], ...],
        not_billed: tuple[type[BaseException], ...],
        *,
        strict: bool,
    ) -> None:
        """Post or void the hold, in memory: it is counted when this returns, and `wait` waits until it is written."""
        self.over = True
        known = self._cost is not None and not self._unknown
        cost = self._cost or 0
        try:
            if (
                self._cost is None
                and not self._doubt
                and error is not None
                and not may_be_billed(error, ambiguous, not_billed)
            ):
                self._ledger.void(self._hold)
                return
            if not known:
                cost = max(cost, self.held_nano)
            what, units = self._what, self._units
            if self._charged is not None:
                what, units = self._charged.kept(what, units)
            if error is not None and what.status == "ok":
                stopped = "cut" if isinstance(error, GeneratorExit) else "error"
                what = msgspec.structs.replace(what, status=stopped if known else "ambiguous")
            self.posted = self._ledger.post(
                self._hold,
                self._identity,
                cost,
                what=_sound(what),
                units=units,
                avoided_nano=self._avoided,
                latency_ms=min(_LATENCY_MAX_MS, max(0, (time.perf_counter_ns() - self._began) // 1_000_000)),
                wait=False,
            )
        except ReelwiseError as wrong:
            if strict:
                raise
            _log.warning("a call of %s nano-USD (%s) is not recorded: %s", cost, self._identity, wrong)
        finally:
            if self._charged is not None:
                self._charged.settled(self.posted)

    def wait(self, *, strict: bool) -> None:
        """Wait until the row is written. Where it cannot be now, that is said, and the caller keeps the answer.

        Raises:
            LedgerError, OutputError: only if `strict`.
        """
        if self.posted is None:
            return
        try:
            self._ledger.wait_for(self.posted, self._identity)
        except AlreadySettledError as wrong:
            self.posted = None
            if strict:
                raise
            _log.warning("a call was recorded before and is not counted again: %s", wrong)
        except ReelwiseError as wrong:
            if strict:
                raise
            _log.warning("a call's row is counted, and waits to be written: %s", wrong)


def _sound(what: What) -> What:
    """Drop labels that cannot be kept: a cost is worth more than its label."""
    try:
        return check_what(what)
    except InputError:
        plain = What()
        for name in What.__struct_fields__:
            try:
                plain = check_what(msgspec.structs.replace(plain, **{name: getattr(what, name)}))
            except InputError as wrong:
                _log.warning("a label is left out: %s", wrong)
        return plain


def nano_of(name: str, usd: Any, nano: Any) -> int:
    """Read an amount of money, told one way or the other.

    Raises:
        InputError: neither or both, negative, too large, or not a number.
    """
    if (usd is None) == (nano is None):
        raise InputError("give dollars or nano-dollars, one of both", where=name, hint='usd="0.0123"')
    if nano is not None:
        if isinstance(nano, bool) or not isinstance(nano, int) or nano < 0:
            raise InputError(f"{nano!r:.40} is no amount of nano-USD", where=name, hint="a whole number, 0 or more")
        return check_amount(nano, name)
    try:
        value = Decimal(str(usd)) if not isinstance(usd, Decimal) else usd
        amount = nano_from_usd(value)
    except (ArithmeticError, ValueError):
        raise InputError(f"{usd!r:.40} is no amount of dollars", where=name, hint='usd="0.0123"') from None
    if amount < 0:
        raise InputError(f"{usd!r:.40} is less than nothing", where=name, hint="0 or more")
    return check_amount(amount, name)
