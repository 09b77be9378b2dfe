"""What differs between two books: two days, or the same day with and without private prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.rates.book import Book
    from reelwise.rates.listing import Listing
    from reelwise.rates.rate import Rate

__all__ = ["Change", "changed"]


class Change(Struct, frozen=True, kw_only=True):
    """One rate that is not the same in two books.

    Attributes:
        sku, unit, variant: which rate; of graduated tiers or bands, each is a rate or a tier of its own.
        before, after: USD for one unit; None where there is none. For tiers, the first that differs.
        up_to: where the tier ends that differs, in units a month; None for a flat price.
        source: who says so, of the later book where it has one.
    """

    sku: str
    unit: str
    variant: str
    before: float | None
    after: float | None
    up_to: float | None = None
    source: str = ""


def changed(before: Book, after: Book, *, skus: Iterable[str] | None = None) -> tuple[Change, ...]:
    """List the rates that two books do not share.

    Args:
        before: the book to compare from.
        after: the book to compare with.
        skus: only these: card ids as in `Book.skus`, models by any name; None compares everything there is.
    """
    old, new = _table(before, skus), _table(after, skus)
    return tuple(change for key in dict.fromkeys([*old, *new]) for change in _compared(key, old.get(key), new.get(key)))


def _table(book: Book, skus: Iterable[str] | None) -> dict[tuple[str, str, str], Rate]:
    listings: Iterable[Listing] = book.entries(language=True) if skus is None else map(book.listing, skus)
    return {(rate.sku, rate.unit, rate.variant): rate for listing in listings for rate in listing.rates}


def _compared(key: tuple[str, str, str], old: Rate | None, new: Rate | None) -> Iterator[Change]:
    sku, unit, variant = key
    before, after = _steps(old), _steps(new)
    if before == after and (old is None or new is None or _rules(old) == _rules(new)):
        return
    source = new.source if new else old.source if old else ""
    differing = [end for end in dict.fromkeys([*before, *after]) if before.get(end) != after.get(end)]
    end = differing[0] if differing else next(iter(after))
    yield Change(
        sku=sku,
        unit=unit,
        variant=variant,
        before=before.get(end),
        after=after.get(end),
        up_to=None if end == float("inf") else end,
        source=source,
    )


def _steps(rate: Rate | None) -> dict[float, float]:
    if rate is None:
        return {}
    if rate.tiers:
        return {tier.up_to: tier.usd for tier in rate.tiers}
    return {float("inf"): float(rate.usd)}


def _rules(rate: Rate) -> tuple[float, float]:
    return rate.free_month, rate.round_to
