"""Exact money: floats are read as the decimals that they print as, sums are fractions, a row is rounded once."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from reelwise.errors import InputError
from reelwise.units import NANO, is_array

__all__ = ["ZERO", "checked", "exact", "nano_down_to_even", "nano_of", "nano_up"]

ZERO = Fraction(0)


def exact(value: Any, what: str = "quantity") -> Fraction:
    """Read a number as the decimal it prints as: 0.1 is one tenth.

    Raises:
        InputError: negative, infinite, not a number, or many numbers at once.
    """
    if isinstance(value, Fraction) and value >= 0:
        return value
    plain = checked(value, what)
    return Fraction(int(plain)) if plain.is_integer() else _decimal(plain)


def checked(value: Any, what: str = "quantity") -> float:
    """Refuse what no quantity can be; see `exact`."""
    if is_array(value) and value.ndim:
        raise InputError(f"{what} is an array", where=what, hint="charge one call at a time")
    plain = float(value)
    if not math.isfinite(plain):
        raise InputError(f"{what} is {plain}", where=what, hint="give a finite number")
    if plain < 0:
        raise InputError(f"{what} is {plain:g}", where=what, hint="give 0 or more; a refund is a row of its own")
    return plain


@lru_cache(maxsize=4096)
def _decimal(value: float) -> Fraction:
    """Prices and lengths come again and again."""
    return Fraction(Decimal(repr(value)))


def nano_of(usd: Fraction) -> Fraction:
    """Convert USD to nano-USD, not rounded."""
    return usd * NANO


def nano_up(nano: Fraction) -> int:
    """Round up to a whole nano-dollar."""
    return math.ceil(nano)


def nano_down_to_even(nano: Fraction) -> int:
    """Round to the nearest nano-dollar, half to even."""
    return round(nano)
