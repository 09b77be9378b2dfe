"""Frames of a stream, metered in batches."""

from __future__ import annotations

import secrets
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reelwise.errors import BudgetError, InputError
from reelwise.ledger.events import NO_UNITS, Event, Units, What, check_amount, check_what, who_of

if TYPE_CHECKING:
    from types import TracebackType

    from reelwise.ledger.holds import Hold
    from reelwise.ledger.ledger import Ledger

__all__ = ["Frames"]

_BATCH_MAX = 1_000_000
_SHORT = ("over_limit", "over_window", "others_hold")
"""Denials after which fewer frames may still fit."""


class Frames:
    """Frames of a stream, metered in batches: one hold and one row for many, and not a nano-dollar lost to rounding.

    A frame that costs a third of a nano-dollar is rounded once a row; what a row rounds off is carried to the next. Where a whole batch is
    no longer in the budget, as many are held for as still are, down to one.

    Args:
        ledger: the ledger.
        feature: the feature; `labels` are user, session, tenant, user_class and tags as in `meter`.
        usd_per_frame: what one frame costs, exact: text, Decimal or Fraction.
        batch: frames held for, and posted, at once.
        what: what they are for.
        labels: who they are for.

    Raises:
        InputError: a price, a batch or a label that cannot be.
    """

    def __init__(
        self,
        ledger: Ledger,
        feature: str,
        usd_per_frame: Any,
        *,
        batch: int = 300,
        what: What | None = None,
        **labels: Any,
    ) -> None:
        price = _price_of(usd_per_frame)
        if type(batch) is not int or not 1 <= batch <= _BATCH_MAX:
            raise InputError(
                f"a batch has 1 to {_BATCH_MAX:,} frames, not {batch!r:.40}", where="batch", hint="300: ten seconds"
            )
        check_amount(_up(price * batch), "usd_per_frame")
        self._ledger = ledger
        self._who = who_of(feature, **labels)
        self._price: Fraction = price
        self._batch = batch
        self._what = check_what(msgspec.structs.replace(what or What(), kind="frames"))
        self._hold: Hold | None = None
        self._held = 0
        self._next = batch
        self._generation = -1
        self._carry: Fraction = Fraction(0)
        self._spared: Fraction = Fraction(0)  # what rounding left of the costs avoided
        self._count = 0
        self._skipped = 0
        self._stream = secrets.token_hex(8)
        self._rows = 0

    def frame(self, *, skipped: bool = False) -> None:
        """Count one frame that is about to be sent; or one that a gate or a mask carried over has spared.

        Raises:
            BudgetError: not one frame more is in the budget, or the feature was switched off: send no more.
        """
        if skipped:
            self._skipped += 1
            if self._skipped >= self._batch:
                self._avoid()
            return
        generation = self._ledger.store.generation()
        if generation != self._generation:  # something was set: perhaps the switch
            self._check_switch()
            self._generation = generation
        if self._hold is None:
            self._take()
        self._count += 1
        if self._count >= self._held:
            self.post()

    def _check_switch(self) -> None:
        try:
            self._ledger.check_switch(self._who)
        except BudgetError:
            self.post()  # what was sent before stays counted
            raise

    def _take(self) -> None:
        """Hold for a batch, or for as many frames as there is money for."""
        frames = self._next
        hinted = False
        while True:
            nano = _up(self._price * frames + self._carry)
            try:
                self._hold = self._ledger.hold(self._who, nano, calls=0, frames=frames, timeout_seconds=86_400.0)
            except BudgetError as error:
                self._next = max(1, frames // 2)
                if frames == 1 or error.reason not in _SHORT:
                    raise
                fit = self._next if hinted else self._fit()
                hinted = True
                frames = fit if 0 < fit < frames else self._next
                continue
            self._held = frames
            self._next = min(self._batch, frames * 2)
            return

    def _fit(self) -> int:
        """Return how many frames the budgets have left, as far as this process sees."""
        measures = {one.name: one.measure for one in self._ledger.budgets() if not one.shadow}
        fit = self._batch
        for name, left in self._ledger.remaining(self._who).items():
            if measures.get(name) == "frames":
                fit = min(fit, left)
            elif measures.get(name) == "usd" and self._price:
                fit = min(fit, int((left - self._carry) / self._price))
        return fit

    def post(self) -> None:
        """Post what was counted so far."""
        hold, self._hold = self._hold, None
        if hold is None:
            self._avoid()
            return
        exact = self._price * self._count + self._carry
        cost = exact.numerator // exact.denominator
        self._carry = exact - cost
        self._rows += 1
        count, self._count = self._count, 0
        self._ledger.post(
            hold,
            f"frames/{self._stream}/{self._rows}",
            cost,
            what=self._what,
            units=Units(frames=count),
            avoided_nano=self._spare(),
            wait=False,
        )

    def _avoid(self) -> None:
        """Record what skipped frames would have cost, where no row of sent ones is there to say it."""
        if not self._skipped:
            return
        nano = self._spare()
        if not nano:
            return
        self._rows += 1
        event = Event(
            id=f"frames/{self._stream}/{self._rows}",
            at_ms=self._ledger.clock.now_ms(),
            who=self._who,
            what=msgspec.structs.replace(self._what, kind="avoided", status="skipped"),
            units=NO_UNITS,
            cost_nano=0,
            avoided_nano=nano,
        )
        self._ledger.record(event, wait=False)

    def _spare(self) -> int:
        exact = self._price * self._skipped + self._spared
        nano = exact.numerator // exact.denominator
        self._spared = exact - nano
        self._skipped = 0
        return nano

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.post()


def _up(nano: Fraction) -> int:
    return -(-nano.numerator // nano.denominator)


def _price_of(usd: Any) -> Fraction:
    try:
        price = Fraction(usd) * 1_000_000_000
    except (ArithmeticError, TypeError, ValueError):
        raise InputError(f"{usd!r:.40} is no price of a frame", where="usd_per_frame", hint='"0.000009"') from None
    if price < 0:
        raise InputError("a frame costs 0 or more", where="usd_per_frame", hint='"0.000009"')
    return price
