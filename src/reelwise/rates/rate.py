"""The price of one unit, and what a month's quantity of it comes to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import UnpricedError
from reelwise.units import Num, ceil, is_array, maximum, minimum

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Rate", "Tier", "amount"]


class Tier(Struct, frozen=True):
    """One step of a price graduated over the account's month.

    Attributes:
        up_to: where the step ends, in units a month; infinite for the last.
        usd: USD for one unit within the step.
    """

    up_to: float
    usd: float


class Rate(Struct, frozen=True, kw_only=True):
    """What one unit costs.

    Attributes:
        sku: what is billed: a model, or the id of a rate card.
        unit: tokens_text, image, minute, hour, gb_month, ...
        usd: USD for ONE unit; an array where a long-context cliff differs by class of items.
        tiers: graduated over the account's month, lowest first; empty means flat at `usd`.
        free_month: units a month that are free; they are the first of the first tier.
        round_to: the month's sum is rounded up to a multiple of this; 0 leaves it.
        source: who says so.
        checked: ISO date on which somebody read the source.
        quality: primary, harvest, secondary, derived, package or given.
        note: what a reader must know.
        variant: mode and price band, such as "batch, above 200,000 tokens"; empty is the plain price.
    """

    sku: str
    unit: str
    usd: Num
    tiers: tuple[Tier, ...] = ()
    free_month: float = 0.0
    round_to: float = 0.0
    source: str = ""
    checked: str = ""
    quality: str = ""
    note: str = ""
    variant: str = ""


def amount(rate: Rate, quantity: Num, *, free_tiers: bool = True, used_before: float = 0.0) -> Num:
    """Price a quantity of one unit, in USD.

    Args:
        rate: the price.
        quantity: units of this sku that the account uses in the month, already summed over classes, features and calls.
        free_tiers: whether the account gets the monthly free units.
        used_before: units of it the account had used earlier in the month; they fill the low tiers.

    Raises:
        UnpricedError: the quantity goes beyond the last tier that has a sourced price.
    """
    if not (rate.tiers or rate.round_to or (rate.free_month and free_tiers)):
        return rate.usd * quantity
    free = rate.free_month if free_tiers else 0.0
    after = _month(rate, used_before + quantity, free)
    return after - _month(rate, used_before, free) if used_before else after


def _month(rate: Rate, quantity: Num, free: float) -> Num:
    """Price a month from its first unit: round the sum, then take the free units off the first tier."""
    rounded = ceil(quantity / rate.round_to) * rate.round_to if rate.round_to else quantity
    if not rate.tiers:
        return rate.usd * maximum(rounded - free, 0.0)
    _check_end(rate, rounded)
    low = 0.0
    usd: Num = 0.0
    for tier in rate.tiers:
        start = max(low, free)
        if tier.up_to > start:
            usd = usd + tier.usd * maximum(minimum(rounded, tier.up_to) - start, 0.0)
        low = tier.up_to
    return usd


def _check_end(rate: Rate, quantity: Num) -> None:
    last = rate.tiers[-1].up_to
    if math.isinf(last):
        return
    most = float(quantity.max(initial=0.0)) if is_array(quantity) else float(quantity)
    if most > last:
        raise UnpricedError(
            f"{most:,.0f} {rate.unit} a month: no sourced price above {last:,.0f}",
            where=rate.sku,
            hint="give your price for it in a file and pass it with --rates",
        )


def scaled(rate: Rate, factor: float, source: str) -> Rate:
    """Multiply every price in a rate, and say who asked for it."""
    return replaced(
        rate,
        usd=rate.usd * factor,
        tiers=tuple(Tier(tier.up_to, tier.usd * factor) for tier in rate.tiers),
        source=f"{source}; list price: {rate.source}",
        quality="given",
    )


def replaced(rate: Rate, **changes: Any) -> Rate:
    """Copy a rate with some fields changed."""
    fields: Mapping[str, Any] = {name: getattr(rate, name) for name in rate.__struct_fields__}
    return Rate(**{**fields, **changes})
