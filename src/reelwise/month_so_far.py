"""The account's month as one process knows it: what a call adds to it is priced without reading the month's rows again."""

from __future__ import annotations

import datetime as dt
import threading
import time
import weakref
from collections import defaultdict, deque
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from reelwise.charge import charge
from reelwise.errors import InputError, ReelwiseError
from reelwise.month import Tiers, is_graduated, label_of, request_of, rows_of_month, units_of

if TYPE_CHECKING:
    from reelwise.charge import Charge
    from reelwise.ledger.events import Units, What
    from reelwise.ledger.holds import Posted
    from reelwise.ledger.ledger import Ledger
    from reelwise.rates import Book
    from reelwise.requests import Request

__all__ = ["Charged", "book_of", "charge_call", "month_used"]

_FRESH_SECONDS = 10.0
_MONTHS_MAX = 4
Moved = dict[tuple[str, str], Fraction]


@lru_cache(maxsize=8)
def book_of(day: str) -> Book:
    """Return the prices of a day (2026-10-05)."""
    from reelwise.rates import Book

    return Book.load(dt.date.fromisoformat(day))


class MonthSoFar:
    """Where one account's month stands, for one book: rows that are written, and this process's own that are not yet.

    Args:
        ledger: the ledger.
        book: prices.
        span: the month's first millisecond, and the next month's.
    """

    def __init__(self, ledger: Ledger, book: Book, span: tuple[int, int]) -> None:
        self._ledger = weakref.ref(ledger)
        self._lock = threading.Lock()
        self._tiers = Tiers(book)
        self._number = 0
        self._posted: deque[tuple[Posted, Moved]] = deque()
        self._open: dict[int, Moved] = {}
        self._tickets = 0
        self._read_at = -_FRESH_SECONDS
        self.book = book
        self.span = span

    def price(self, model: str, units: Units) -> tuple[Charge, int]:
        """Price a call at the present position, and move it on; returns the ticket to settle or take it back with."""
        with self._lock:
            if time.monotonic() - self._read_at >= _FRESH_SECONDS:
                self._read()
            spent = charge(request_of(model, units), self.book, position=self._tiers.position)
            moved: Moved = defaultdict(Fraction)
            for part in spent.parts:
                moved[part.sku, part.unit] += part.quantity
            self._move(moved, 1)
            self._tickets += 1
            self._open[self._tickets] = moved
            return spent, self._tickets

    def settled(self, ticket: int, posted: Posted | None) -> None:
        """A call was posted, or its charge taken back."""
        with self._lock:
            moved = self._open.pop(ticket, None)
            if moved is None:
                return
            if posted is None:
                self._move(moved, -1)
            else:
                self._posted.append((posted, moved))

    def _move(self, moved: Moved, sign: int) -> None:
        for key, quantity in moved.items():
            self._tiers.position[key] += sign * quantity

    def _read(self) -> None:
        """Take in rows that were written since; where the store is away, what is known goes on: closing the month sets it right."""
        ledger = self._ledger()
        self._read_at = time.monotonic()
        if ledger is None:
            return
        durable = 0
        for posted, _ in self._posted:
            if not ledger.is_durable(posted):
                break
            durable += 1
        try:
            for row in rows_of_month(ledger.store, *self.span, after=self._number):
                self._tiers.count(row)
                self._number = row.number
        except ReelwiseError:
            return
        for _ in range(durable):  # these were among the rows
            self._move(self._posted.popleft()[1], -1)


def month_used(ledger: Ledger, book: Book, at_ms: int) -> dict[tuple[str, str], Fraction]:
    """Return what the ledger's rows of a moment's month used of graduated prices, by rate card and unit.

    Raises:
        LedgerError, OutputError: the store is away.
    """
    tiers = Tiers(book)
    for row in rows_of_month(ledger.store, *month_of(at_ms)):
        tiers.count(row)
    return dict(tiers.position)


class Charged:
    """What `Call.charge` came to: the amounts to record, and what must not change about them until they are."""

    def __init__(
        self, nano: int, model: str, units: Units, month: MonthSoFar | None = None, ticket: int | None = None
    ) -> None:
        self.nano = nano
        self.model = model
        self._units = units
        self._month = month
        self.ticket = ticket

    def added_to(self, told: Units) -> Units:
        """Return what was told, with what was charged in its place where both say something."""
        charged = {name: value for name in told.__struct_fields__ if (value := getattr(self._units, name))}
        return msgspec.structs.replace(told, **charged)

    def kept(self, what: What, units: Units) -> tuple[What, Units]:
        """Return labels and units to record: those of a graduated price are what was priced, for closing the month reads them again."""
        if self._month is None:
            return what, units
        book = self._month.book
        if book.price_request(request_of(self.model, units)) != book.price_request(request_of(self.model, self._units)):
            units = msgspec.structs.replace(self._units, frames=units.frames, gpu_ms=units.gpu_ms)
        return msgspec.structs.replace(what, model=self.model), units

    def settled(self, posted: Posted | None) -> None:
        """The call was posted, or let go of."""
        if self._month is not None and self.ticket is not None:
            self._month.settled(self.ticket, posted)


class _Months:
    """The months that are under way, of the ledgers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: weakref.WeakKeyDictionary[Ledger, list[MonthSoFar]] = weakref.WeakKeyDictionary()

    def of(self, ledger: Ledger, book: Book, at_ms: int) -> MonthSoFar:
        span = month_of(at_ms)
        with self._lock:
            months = self._known.setdefault(ledger, [])
            for one in months:
                if one.book is book and one.span == span:
                    return one
            months.append(MonthSoFar(ledger, book, span))
            del months[:-_MONTHS_MAX]
            return months[-1]


@lru_cache(maxsize=1)
def _months() -> _Months:
    return _Months()


def month_of(at_ms: int) -> tuple[int, int]:
    """Return the first millisecond of a moment's month (UTC), and of the next."""
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    first = dt.datetime(moment.year, moment.month, 1, tzinfo=dt.UTC)
    after = (first + dt.timedelta(days=32)).replace(day=1)
    return round(first.timestamp() * 1000), round(after.timestamp() * 1000)


def charge_call(ledger: Ledger, request: Request, book: Book, at_ms: int, *, before: Charged | None = None) -> Charged:
    """Price one call at the month's position.

    Args:
        ledger: where its row will be.
        request: what it used.
        book: prices.
        at_ms: when it began.
        before: what was charged for the same call earlier: this takes its place.

    Raises:
        UnknownModelError, UnpricedError: it has no price.
        InputError: several calls at once, or nothing that it is billed by.
    """
    try:
        once = float(request.count) == 1.0
    except (TypeError, ValueError):
        once = False
    if not once:
        raise InputError(
            f"one call is one row, and this says count={request.count!r:.40}",
            where="charge",
            hint="meter each call; or price them with reelwise.charge.charge and tell call.cost(nano=...)",
        )
    units = units_of(request)
    if before is not None:
        before.settled(None)
    if not is_graduated(request, book):
        return Charged(charge(request, book).nano, request.model, units)
    month = _months().of(ledger, book, at_ms)
    model = label_of(request)
    spent, ticket = month.price(model, units)
    return Charged(spent.nano, model, units, month, ticket)
