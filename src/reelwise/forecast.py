"""The same month's work at the prices of other days: what a price change does, and what the coming months cost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import ReelwiseError
from reelwise.price import check_day, price_one
from reelwise.rates import Book
from reelwise.units import total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.bill import Bill
    from reelwise.case import Case

__all__ = ["MONTHS_MAX", "Month", "Repriced", "Step", "forecast", "repriced", "steps_ahead"]

MONTHS_MAX = 120
_STEPS_MAX = 60
_SAME = 1e-9


class Repriced(Struct, frozen=True, kw_only=True):
    """One line of a bill at the prices of two days.

    Attributes:
        sku, unit: what is billed.
        stage, lane: where in the plan.
        quantity_before, quantity_after: units a month; they differ where the rule that counts tokens has a date too.
        rate_before, rate_after: USD for one unit, after tiers; None where the line is only in the other bill.
        usd_before, usd_after, change_usd: USD a month.
    """

    sku: str
    unit: str
    stage: str
    lane: str
    quantity_before: float
    quantity_after: float
    rate_before: float | None
    rate_after: float | None
    usd_before: float
    usd_after: float
    change_usd: float


class Month(Struct, frozen=True, kw_only=True):
    """One month of a forecast, at the prices of its first day.

    Attributes:
        month: "2027-01".
        day: its first day, ISO.
        total_usd: USD of the month, None where something has no price on that day.
        why: the reason for that.
        changes: the lines whose price (or count of tokens) is not that of the month before.
    """

    month: str
    day: str
    total_usd: float | None
    why: str = ""
    changes: tuple[Repriced, ...] = ()


class Step(Struct, frozen=True, kw_only=True):
    """A day on which the bill changes, known in advance.

    Attributes:
        day: the first day of the new prices, ISO.
        total_usd: the month's bill from then on.
        change_usd: against the bill of the day before.
        changes: the lines that change.
    """

    day: str
    total_usd: float
    change_usd: float
    changes: tuple[Repriced, ...]


def _bill(case: Case, day: dt.date) -> Bill:
    book = case.book if day == case.book.day else Book(check_day(day), case.book.overrides)
    return price_one(case.workload, case.plan, case.facts, book, case.account)


def repriced(case: Case, before: dt.date, after: dt.date) -> tuple[float, float, tuple[Repriced, ...]]:
    """Price a workload at two days.

    Returns:
        USD a month at each, and the lines that change, the largest change first.

    Raises:
        UnknownModelError, UnpricedError: something has no price on one of the days.
        DocumentError: a day that no price can be known for.
    """
    old, new = _bill(case, before), _bill(case, after)
    return float(old.total_usd), float(new.total_usd), _changed(old, new)


def _changed(old: Bill, new: Bill) -> tuple[Repriced, ...]:
    was, now = _lines(old), _lines(new)
    rows = []
    for key in dict.fromkeys([*was, *now]):
        count, usd = was.get(key, (0.0, 0.0))
        count_now, usd_now = now.get(key, (0.0, 0.0))
        each, each_now = _each(usd, count), _each(usd_now, count_now)
        if _close(count, count_now) and _close(each or 0.0, each_now or 0.0):
            continue
        sku, unit, stage, lane = key
        rows.append(
            Repriced(
                sku=sku, unit=unit, stage=stage, lane=lane, quantity_before=count, quantity_after=count_now,
                rate_before=each, rate_after=each_now, usd_before=usd, usd_after=usd_now, change_usd=usd_now - usd,
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -abs(row.change_usd)))


def _each(usd: float, count: float) -> float | None:
    """Divide without the last digits, which are noise of the division: 7.5e-07, not 7.499999999999999e-07."""
    return float(f"{usd / count:.12g}") if count else None


def _lines(bill: Bill) -> dict[tuple[str, str, str, str], tuple[float, float]]:
    sums: dict[tuple[str, str, str, str], tuple[float, float]] = {}
    for line in bill.lines:
        key = (line.sku, line.unit, line.stage, line.lane)
        count, usd = sums.get(key, (0.0, 0.0))
        sums[key] = (count + float(total(line.quantity)), usd + float(line.usd_month))
    return sums


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME * max(abs(a), abs(b))


def steps_ahead(case: Case, after: dt.date) -> tuple[Step, ...]:
    """List the days after `after` on which this workload's bill changes, as far as prices with a date say so.

    At most 60 days are looked at; a day on which something has no price any more is left out.
    """
    bill = _bill(case, after)
    skus = {line.sku for line in bill.lines}
    days = {*(day for sku in skus for day in case.book.starts(sku)), *_private_days(case.book)}
    steps = []
    for day in sorted(day for day in days if day > after.isoformat())[:_STEPS_MAX]:
        try:
            later = _bill(case, dt.date.fromisoformat(day))
        except ReelwiseError:
            continue
        changes = _changed(bill, later)
        if changes:
            usd = float(later.total_usd)
            steps.append(Step(day=day, total_usd=usd, change_usd=usd - float(bill.total_usd), changes=changes))
        bill = later
    return tuple(steps)


def _private_days(book: Book) -> Iterator[str]:
    """Name the days on which a private price begins, and those after its last."""
    for one in book.overrides.entries:
        if one.starts:
            yield one.starts
        if one.ends:
            yield (dt.date.fromisoformat(one.ends) + dt.timedelta(days=1)).isoformat()


def forecast(case: Case, months: int) -> tuple[Month, ...]:
    """Price the workload at the first of each of the next months, each at that day's prices.

    The demand stays as it is: only prices (and dated rules for counting tokens) move. A price that changes within a month
    shows in the month after it.

    Args:
        case: the workload; its day is today, and the first month begins after it.
        months: how many, at most 120.

    Raises:
        UnknownModelError, UnpricedError: the workload cannot be priced today.
        DocumentError: the forecast leads beyond the last day that prices can be known for.
    """
    last = _bill(case, case.day)
    found = []
    for ahead in range(1, min(months, MONTHS_MAX) + 1):
        years, month = divmod(case.day.month - 1 + ahead, 12)
        day = check_day(dt.date(case.day.year + years, month + 1, 1))
        try:
            bill = _bill(case, day)
        except ReelwiseError as error:
            found.append(Month(month=f"{day:%Y-%m}", day=day.isoformat(), total_usd=None, why=str(error)))
            continue
        found.append(
            Month(
                month=f"{day:%Y-%m}", day=day.isoformat(), total_usd=float(bill.total_usd), changes=_changed(last, bill)
            )
        )
        last = bill
    return tuple(found)
