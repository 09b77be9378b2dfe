"""The list of everything that has, or lacks, a price on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.rates import language as llm
from reelwise.rates.cards import Entry, load_cards, on
from reelwise.rates.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.rates.book import Book

__all__ = ["Listing", "list_card", "list_cards", "list_language", "list_languages"]


class Listing(Struct, frozen=True, kw_only=True):
    """One line of the list.

    Attributes:
        sku: its id.
        provider, kind, title: what it is; kind `language` for the models of the package.
        rates: its rates that day, one for each unit, mode, resolution and band; empty where unpriced.
        unpriced: why there is none.
    """

    sku: str
    provider: str
    kind: str
    title: str = ""
    rates: tuple[Rate, ...] = ()
    unpriced: str = ""


def list_cards(book: Book) -> Iterator[Listing]:
    """List every card, and every id that an override file adds."""
    for sku in book.skus():
        yield list_card(book, sku)


def list_card(book: Book, sku: str) -> Listing:
    """List one card by its id."""
    provider, entry = load_cards().get(sku, (sku.partition("/")[0], None))
    why = book.why_unpriced(sku)
    return Listing(
        sku=sku,
        provider=provider,
        kind=entry.kind if entry else "given",
        title=entry.title if entry else "",
        rates=() if why else _card_rates(book, sku, entry),
        unpriced=why,
    )


def list_language(book: Book, name: str) -> Listing:
    """List one language model by any name of it."""
    pair = llm.find(name)
    return Listing(
        sku=name,
        provider=pair[0].id if pair else "",
        kind="language",
        title=(pair[1].name or "") if pair else "",
        rates=_language_rates(book, name),
    )


def _card_rates(book: Book, sku: str, entry: Entry | None) -> tuple[Rate, ...]:
    rows = on(entry, book.day.isoformat()) if entry else ()
    found: dict[tuple[str, str], Rate] = {}
    for mode in book.modes(sku):
        mine = [price for price in rows if price.mode == mode]
        for resolution in dict.fromkeys(price.resolution for price in mine) or ("",):
            for rate in book.card_rates(sku, mode, resolution):
                found.setdefault((rate.unit, rate.variant), rate)
    return tuple(found.values())


def list_languages(book: Book) -> Iterator[Listing]:
    """List every language model of the package (thousands), and those that an override file adds."""
    listed: set[str] = set()
    for provider, model in llm.all_models():
        name = f"{provider}:{model.id}"
        listed.add(model.id)
        if llm.by_tokens(model):
            yield list_language(book, name)
    for one in book.overrides.entries:
        if one.model and one.discount_percent is None and one.model not in listed and llm.find(one.model) is None:
            listed.add(one.model)
            yield list_language(book, one.model)


def _language_rates(book: Book, name: str) -> tuple[Rate, ...]:
    found: dict[tuple[str, str], Rate] = {}
    for mode in book.modes(name):
        for band in book.language(name, mode).bands:
            for rate in band.values():
                found.setdefault((rate.unit, rate.variant), rate)
    return tuple(found.values())
