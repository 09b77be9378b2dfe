"""Graduated prices at the account's month-to-date position: what a quantity adds to the month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from reelwise.charge.exact import ZERO, exact
from reelwise.errors import UnpricedError

if TYPE_CHECKING:
    from fractions import Fraction

    from reelwise.rates import Rate

__all__ = ["Position", "marginal", "marginal_most"]

Position: TypeAlias = Mapping[tuple[str, str], "float | Fraction"]
"""Units that the account has used this month before the call, by sku and unit as a `Rate` names them."""


def marginal(rate: Rate, quantity: Fraction, before: Fraction, *, free_tiers: bool = True) -> Fraction:
    """Price what a quantity adds to a month that stands at `before`, in USD, exactly.

    Raises:
        UnpricedError: it goes beyond the last tier that has a sourced price.
    """
    if not (rate.tiers or rate.round_to or (rate.free_month and free_tiers)):
        return exact(rate.usd, "rate") * quantity
    free = exact(rate.free_month) if free_tiers else ZERO
    return _month(rate, before + quantity, free) - _month(rate, before, free)


def marginal_most(rate: Rate, quantity: Fraction, before: Fraction | None) -> Fraction:
    """Bound what a quantity can add to a month that stands at `before` or, by the time it is posted, anywhere above.

    Free units are not counted on: others may use them up first. Unknown (None) is any position of the month.

    Raises:
        UnpricedError: it goes beyond the last tier that has a sourced price.
    """
    start = ZERO if before is None else before
    if rate.round_to:  # ceil(a + b) - ceil(a) is at most ceil(b)
        quantity, start = _rounded(rate, quantity), _rounded(rate, start)
    if not rate.tiers:
        return exact(rate.usd, "rate") * quantity
    _check_end(rate, start + quantity)
    ends = [exact(tier.up_to) for tier in rate.tiers if tier.up_to != float("inf")]
    last = ends[-1] if rate.tiers[-1].up_to != float("inf") else None
    # the sum is linear between these positions, so its maximum stands at one of them
    places = {start, *(place for end in ends for place in (end, end - quantity) if place >= start)}
    return max(
        _tiers(rate, place + quantity, ZERO) - _tiers(rate, place, ZERO)
        for place in places
        if last is None or place + quantity <= last
    )


def _month(rate: Rate, quantity: Fraction, free: Fraction) -> Fraction:
    rounded = _rounded(rate, quantity)
    if not rate.tiers:
        return exact(rate.usd, "rate") * max(rounded - free, ZERO)
    _check_end(rate, rounded)
    return _tiers(rate, rounded, free)


def _rounded(rate: Rate, quantity: Fraction) -> Fraction:
    if not rate.round_to:
        return quantity
    step = exact(rate.round_to)
    return -(-quantity // step) * step


def _tiers(rate: Rate, quantity: Fraction, free: Fraction) -> Fraction:
    if not quantity:
        return ZERO
    usd, low = ZERO, ZERO
    for tier in rate.tiers:
        start = max(low, free)
        if quantity <= start:
            break
        top = quantity if tier.up_to == float("inf") else min(quantity, exact(tier.up_to))
        usd += exact(tier.usd, "rate") * max(top - start, ZERO)
        low = top
    return usd


def _check_end(rate: Rate, quantity: Fraction) -> None:
    last = rate.tiers[-1].up_to
    if last != float("inf") and quantity > exact(last):
        raise UnpricedError(
            f"{float(quantity):,.0f} {rate.unit} this month: no sourced price above {last:,.0f}",
            where=rate.sku,
            hint="give your price for it in a file and pass it with --rates",
        )
