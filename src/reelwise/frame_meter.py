"""Frames of a stream, metered in batches."""

from __future__ import annotations

import secrets
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reelwise.errors import InputError
from reelwise.ledger.events import Units, What, who_of

if TYPE_CHECKING:
    from types import TracebackType

    from reelwise.ledger.holds import Hold
    from reelwise.ledger.ledger import Ledger

__all__ = ["Frames"]


class Frames:
    """Frames of a stream, metered in batches: one hold and one row for many, and not a nano-dollar lost to rounding.

    A frame that costs a third of a nano-dollar is rounded once a row; what a row rounds off is carried to the next.

    Args:
        ledger: the ledger.
        feature: the feature; `labels` are user, session, tenant, user_class and tags as in `meter`.
        usd_per_frame: what one frame costs, exact: text, Decimal or Fraction.
        batch: frames held for, and posted, at once.
        what: what they are for.
        labels: who they are for.
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
        price = Fraction(usd_per_frame) * 1_000_000_000
        if price < 0 or not 1 <= batch <= 1_000_000:
            raise InputError(
                "a frame costs 0 or more, and a batch has 1 to 1,000,000", where="frames", hint='"0.000009"'
            )
        self._ledger = ledger
        self._who = who_of(feature, **labels)
        self._price: Fraction = price
        self._batch = batch
        self._what = msgspec.structs.replace(what or What(), kind="frames")
        self._hold: Hold | None = None
        self._carry: Fraction = Fraction(0)
        self._count = 0
        self._skipped = 0
        self._stream = secrets.token_hex(8)
        self._rows = 0

    def frame(self, *, skipped: bool = False) -> None:
        """Count one frame that is about to be sent; or one that a gate or a mask carried over has spared.

        Raises:
            BudgetError: the next batch is not in the budget: send no more.
        """
        if skipped:
            self._skipped += 1
            return
        if self._hold is None:
            most = -(
                -(self._price * self._batch + self._carry).numerator
                // (self._price * self._batch + self._carry).denominator
            )
            self._hold = self._ledger.hold(self._who, int(most), calls=0, frames=self._batch, timeout_seconds=86_400.0)
        self._count += 1
        if self._count >= self._batch:
            self.post()

    def post(self) -> None:
        """Post what was counted so far."""
        hold, self._hold = self._hold, None
        if hold is None:
            return
        exact = self._price * self._count + self._carry
        cost = exact.numerator // exact.denominator
        self._carry = exact - cost
        self._rows += 1
        self._ledger.post(
            hold,
            f"frames/{self._stream}/{self._rows}",
            cost,
            what=self._what,
            units=Units(frames=self._count),
            avoided_nano=int(self._price * self._skipped),
            wait=False,
        )
        self._count = self._skipped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.post()
