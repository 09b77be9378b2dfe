"""Quantities of what is billed for standing or lying there: machines by the second or hour, bytes by the month."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from reelwise.charge.exact import exact
from reelwise.errors import UnpricedError
from reelwise.rates.cards import on
from reelwise.requests import Usage
from reelwise.units import HOURS_A_MONTH

if TYPE_CHECKING:
    from reelwise.rates import Book
    from reelwise.rates.cards import Entry

__all__ = ["kept", "machine_seconds"]

_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_STEP_SECONDS = (
    60  # clouds bill machines by the second after a first minute, or by the minute: whole minutes cover both
)
_MONTHS = {"gb_month": Fraction(10**6), "gib_month": Fraction(2**30, 1000)}  # kilobytes in the unit


def machine_seconds(sku: str, seconds: float, book: Book, *, count: int = 1) -> Usage:
    """Bound what a machine bills for work that takes `seconds` at most (a timeout that somebody enforces).

    A serverless machine also bills its cold start and the idle time after the last call, as its card says; a rented one
    is taken by the whole minute.

    Raises:
        UnknownModelError, UnpricedError: nothing has that id, or it is not billed by time.
    """
    entry, unit = _entry(sku, book)
    if unit not in _UNIT_SECONDS:
        raise UnpricedError(f"{sku} is billed by the {unit}, not by time", where=sku, hint="name a machine")
    step = _round_to(entry, unit, book) * _UNIT_SECONDS[unit]
    busy = exact(seconds, "seconds")
    if entry.kind == "serverless":
        busy += exact(max(entry.cold_start_seconds, default=0.0)) + exact(entry.idle_seconds)
        step = step or Fraction(1)
    else:
        step = step or Fraction(_STEP_SECONDS)
    billed = math.ceil(busy / step) * step / _UNIT_SECONDS[unit]
    return Usage(sku=sku, unit=unit, quantity=float(billed * count), stage="host")


def kept(sku: str, megabytes: float, hours: float, book: Book) -> Usage:
    """Turn bytes that lie somewhere for some hours into months of gigabytes, the card's shortest time at least.

    Raises:
        UnknownModelError, UnpricedError: nothing has that id, or it is not billed by bytes and months.
    """
    entry, unit = _entry(sku, book)
    if unit not in _MONTHS:
        raise UnpricedError(f"{sku} is billed by the {unit}, not by what is kept", where=sku, hint="name a storage")
    lying = max(exact(hours, "hours"), exact(entry.minimum_days) * 24)
    size = exact(megabytes, "megabytes") * 1000 / _MONTHS[unit]
    return Usage(sku=sku, unit=unit, quantity=float(size * lying / exact(HOURS_A_MONTH)), stage="keep")


def _entry(sku: str, book: Book) -> tuple[Entry, str]:
    entry = book.entry(sku)
    return entry, book.rate(sku).unit


def _round_to(entry: Entry, unit: str, book: Book) -> Fraction:
    rows = (price for price in on(entry, book.day.isoformat()) if price.unit == unit)
    return next((exact(price.round_call_to) for price in rows), Fraction(0))
