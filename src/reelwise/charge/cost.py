"""What a call did cost, once its usage is known: exact, rounded once."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.charge.exact import ZERO, checked, exact, nano_down_to_even, nano_of, nano_up
from reelwise.charge.position import marginal
from reelwise.errors import InputError
from reelwise.requests import Request, Usage
from reelwise.units import NANO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.charge.position import Position
    from reelwise.rates import Book, Rate

__all__ = ["Charge", "Part", "charge", "rate_for"]


class Part(Struct, frozen=True, kw_only=True):
    """What one billable unit adds.

    Attributes:
        sku: what is billed: a model, or the id of a rate card.
        unit: tokens_video, image, minute, second, gb, ...
        quantity: units billed; in a hold, at most.
        nano: nano-USD, exact and not rounded.
        why: how the quantity and the price came about, in words.
        source: who says what the unit costs.
    """

    sku: str
    unit: str
    quantity: Fraction
    nano: Fraction
    why: str = ""
    source: str = ""

    @property
    def usd_each(self) -> float:
        """USD for one unit, on average."""
        return float(self.nano / self.quantity / NANO) if self.quantity else 0.0

    def explain(self) -> str:
        """Say in words what it adds and why."""
        why = f"; {self.why}" if self.why else ""
        return (
            f"{float(self.quantity):,.10g} {self.unit} x {self.usd_each:.6g} USD = {float(self.nano) / NANO:.9g} USD{why}"
            f" (price of {self.sku}: {self.source})"
        )


class Charge(Struct, frozen=True, kw_only=True):
    """What a call did cost.

    Attributes:
        nano: nano-USD, rounded once.
        parts: by billable unit.
        carry: nano-USD that the rounding left over, for the next row of a batch; see `charge`.
    """

    nano: int
    parts: tuple[Part, ...]
    carry: Fraction = ZERO


def charge(
    what: Request | Usage,
    book: Book,
    *,
    position: Position | None = None,
    free_tiers: bool = True,
    carry: Fraction = ZERO,
) -> Charge:
    """Price usage that is known: the marginal price at the account's month-to-date position.

    Args:
        what: a class of calls with what it used, or a quantity of one unit as it is billed.
        book: prices of the day.
        position: what the account had used this month before; None is nothing.
        free_tiers: whether the account gets the monthly free units.
        carry: what rounding the row before left over. Rows of a batch that hand it on add up to the batch's exact
            amount, within a nano-dollar; no row is rounded above its own amount rounded up, which is what a hold covers.

    Raises:
        UnknownModelError, UnpricedError: nothing has that name, or no sourced price.
        InputError: negative, infinite or no usage at all.
    """
    parts = []
    for usage, rate in _priced(what, book):
        quantity = exact(usage.quantity, usage.unit)
        before = exact((position or {}).get((rate.sku, rate.unit), 0))
        usd = marginal(rate, quantity, before, free_tiers=free_tiers)
        parts.append(
            Part(
                sku=rate.sku, unit=rate.unit, quantity=quantity, nano=nano_of(usd), why=rate.variant, source=rate.source
            )
        )
    if not parts:
        name = what.model if isinstance(what, Request) else what.sku
        raise InputError(
            "no unit that it is billed by was used", where=name, hint=f"it is billed by the {book.unit_of(name)}"
        )
    own = sum((part.nano for part in parts), ZERO)
    nano = min(nano_down_to_even(own + carry), nano_up(own))
    return Charge(nano=nano, parts=tuple(parts), carry=own + carry - nano)


def _priced(what: Request | Usage, book: Book) -> Iterable[tuple[Usage, Rate]]:
    if isinstance(what, Request):
        _check(what)
        return book.price_request(what)
    return ((what, rate_for(what, book)),) if what.quantity else ()


def rate_for(usage: Usage, book: Book) -> Rate:
    """Look up the rate of a quantity of one unit.

    Raises:
        InputError: tokens of a language model, whose price depends on the whole call.
    """
    if book.is_language_model(usage.sku):
        raise InputError(
            "the price of its tokens depends on the whole call",
            where=usage.sku,
            hint="give a Request with all its tokens",
        )
    return book.rate(usage.sku, usage.unit)


_AMOUNTS = tuple(
    name
    for name in Request.__struct_fields__
    if name == "count" or name.startswith(("tokens_", "seconds", "images", "megabytes"))
)


def _check(request: Request) -> None:
    for name in _AMOUNTS:
        checked(getattr(request, name), name)
