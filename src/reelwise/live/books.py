"""What calls cost: held and settled one by one in a ledger where there is one, counted exactly in any case."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from reelwise.billed import may_be_billed
from reelwise.errors import InputError

if TYPE_CHECKING:
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.modes import Mode
    from reelwise.metering import Call, Meter

__all__ = ["Books", "Entry"]


class Entry(NamedTuple):
    """One call that was begun.

    Attributes:
        nano: what it costs, in whole nano-dollars: fractions are carried from call to call.
        call: the ledger's; None without a ledger.
    """

    nano: int
    call: Call | None


class Books:
    """The costs of one model's calls. May be used from several threads.

    Args:
        price: nano-dollars a call, exact.
        ledger: where each call is held before and settled after; None for none.
        feature: what budgets call the feature.
        model: the model's name in the rows.
        timeout_seconds: how long a call may take, at most.
        labels: user, session, tenant, user_class, tags: see `reelwise.meter`.
        not_billed: errors after which a call was surely not billed; see `reelwise.billed.may_be_billed`.
    """

    def __init__(
        self,
        price: Fraction,
        *,
        ledger: Ledger | None = None,
        feature: str = "live",
        model: str = "",
        timeout_seconds: float = 10.0,
        labels: dict[str, Any] | None = None,
        not_billed: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.price = price
        self.nano = 0
        self._amount = 0
        self._lock = threading.Lock()
        self._carry = Fraction(0)
        self._spared, self._spare_lock = Fraction(0), threading.Lock()
        self._not_billed = not_billed
        self._ledger = ledger
        self._meter: Meter | None = None
        if ledger is None:
            if labels:
                raise InputError("labels without a ledger", where="live", hint="pass ledger=reelwise.Ledger(...)")
            return
        from reelwise.ledger.events import who_of
        from reelwise.metering import meter

        self._feature, self._labels, self._model = feature, labels or {}, model[:128]
        self._who = who_of(feature, **self._labels)
        self._meter = meter(
            feature, hold_nano=lambda: self._amount, frames=1, ledger=ledger, model=self._model, wait=False,
            timeout_seconds=min(2 * timeout_seconds + 60, 86_400), not_billed=not_billed, **self._labels,
        )  # fmt: skip

    @property
    def asks_ledger(self) -> bool:
        """Whether `begin` may have to wait for a store."""
        return self._meter is not None

    def mode(self) -> Mode | None:
        """Return the mode that the ledger's budgets and switches ask for; None without a ledger."""
        return None if self._ledger is None else self._ledger.mode(self._who)

    def skipped(self) -> None:
        """Count a frame that was not sent: its price is recorded as avoided."""
        if self._meter is not None:
            with self._spare_lock:
                self._spared += self.price

    def begin(self) -> Entry:
        """Begin a call: from here on what it costs is held.

        Raises:
            BudgetError: a budget has not that much left: the call must not be made.
            LedgerError, OutputError: the ledger cannot be asked: the call must not be made either.
        """
        with self._lock:
            exact = self.price + self._carry
            nano = max(0, exact.numerator // exact.denominator)
            call: Call | None = None
            if self._meter is not None:
                self._amount = nano
                call = self._meter.begin((), {})
            self._carry = exact - nano
        if call is not None:
            call.used(frames=1, images=1)
        return Entry(nano, call)

    def end(self, entry: Entry, error: BaseException | None, outcome: str = "") -> Fraction:
        """End a call; return what it cost as a share of its price: 0 where it was surely not billed.

        Args:
            entry: what `begin` returned.
            error: what it ended in; None for an answer.
            outcome: what came of it, in a word.
        """
        call = entry.call
        if call is None or self._meter is None:
            billed = error is None or may_be_billed(error, (), self._not_billed)
            cost = entry.nano if billed else 0
        else:
            if outcome:
                call.outcome(outcome)
            spared = self._take_spared()
            if spared:
                call.avoided(nano=spared)
            self._meter.end(call, error)
            cost = call.posted.cost_nano if call.posted is not None else 0
            billed = call.posted is not None
        with self._lock:
            self.nano += cost
            if not billed:
                self._carry += entry.nano - self.price
        return Fraction(cost, entry.nano) if entry.nano else Fraction(int(billed))

    def _take_spared(self) -> int:
        with self._spare_lock:
            nano = self._spared.numerator // self._spared.denominator
            self._spared -= nano
        return nano

    def close(self) -> None:
        """Record what frames that were not sent since the last call would have cost."""
        ledger, self._ledger = self._ledger, None
        if ledger is None:
            return
        nano = self._take_spared()
        if not nano or ledger.closed:
            return
        import secrets

        from reelwise.ledger.events import NO_UNITS, Event, What

        ledger.record(
            Event(
                id=f"live/{secrets.token_hex(12)}",
                at_ms=ledger.clock.now_ms(),
                who=self._who,
                what=What(model=self._model, kind="avoided", status="skipped"),
                units=NO_UNITS,
                cost_nano=0,
                avoided_nano=nano,
            ),
            wait=False,
        )
