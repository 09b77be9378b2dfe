"""All prices on one day: language models from a package, everything else from rate cards, your own on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import DocumentError, UnpricedError
from reelwise.rates import language as llm
from reelwise.rates.calls import card_quantity, is_zero, language_usages, usage_of
from reelwise.rates.cards import CALLED, Entry, Price, load_cards, on, rate_of, resolved
from reelwise.rates.listing import Listing, list_card, list_cards, list_language, list_languages
from reelwise.rates.names import Names
from reelwise.rates.overrides import Override, Overrides, read_overrides

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from reelwise.rates.language import Language
    from reelwise.rates.rate import Rate
    from reelwise.requests import Request, Usage

__all__ = ["Book"]

_MOST = 8192


class Book:
    """The prices of one day. Look-ups are compiled once and kept, at most 8,192 of them.

    Args:
        day: the day whose prices hold.
        overrides: private prices, already read.
    """

    def __init__(self, day: dt.date, overrides: Overrides | None = None) -> None:
        self.day = day
        self.overrides = overrides or Overrides()
        self._iso = day.isoformat()
        self._languages: dict[tuple[str, str], Language] = {}
        self._cards: dict[tuple[str, str, str], tuple[tuple[Price, Rate], ...]] = {}
        self._names = Names(self.overrides)
        self._kinds: dict[str, bool] = {}

    @classmethod
    def load(cls, day: dt.date, overrides: Path | None = None) -> Book:
        """Open the prices of a day, with a file of private prices on top.

        Raises:
            DocumentError: the file is broken or names something unknown.
        """
        return cls(day, read_overrides(overrides) if overrides else None)

    # What a call costs

    def price_request(self, request: Request) -> tuple[tuple[Usage, Rate], ...]:
        """List what a class of calls uses in a month, and the rate of each.

        Rules for each call (long-context bands, minimum seconds, whole blocks) are applied here; rules for the month
        (free units, graduated tiers, rounding of the sum) are left to `amount`.

        Raises:
            UnknownModelError: nothing has that name.
            UnpricedError: it has no sourced price, or none in that mode or resolution.
        """
        language = self._languages.get((request.model, request.mode))
        if language is None:
            if not self.is_language_model(request.model):
                return self._price_card(request)
            language = self._language(request.model, request.mode)
        return language_usages(language, request)

    def _price_card(self, request: Request) -> tuple[tuple[Usage, Rate], ...]:
        sku = self._names.canonical(request.model)
        entry = self._entry_or_none(sku)
        kind = entry.kind if entry else "vision"
        if kind not in CALLED:
            raise UnpricedError(
                f"{sku} is billed by what stands or lies there, not by the call", where=request.model, hint="use a host"
            )
        if is_zero(request.count):
            return ()
        found = []
        for price, rate in self._card_rates(sku, request.mode, request.resolution):
            quantity = card_quantity(price, kind, request)
            if not is_zero(quantity):
                found.append((usage_of(request, rate, request.count * quantity), rate))
        return tuple(found)

    # Look-ups

    def rate(self, sku: str, unit: str = "", *, mode: str = "standard", resolution: str = "") -> Rate:
        """Look up one rate; without `unit`, the card's own unit (tokens_text for a language model).

        A language model's rate is that of its shortest requests, below any long-context threshold.

        Raises:
            UnknownModelError: nothing has that name.
            UnpricedError: it has no sourced price, or none in that unit, mode or resolution.
        """
        if self.is_language_model(sku):
            band = self._language(sku, mode).bands[0]
            wanted = unit or "tokens_text"
            if wanted not in band:
                raise UnpricedError(f"no price by {wanted}", where=sku, hint=f"it has {', '.join(band)}")
            return band[wanted]
        rates = self._card_rates(self._names.canonical(sku), mode, resolution)
        for _, rate in rates:
            if unit in {"", rate.unit}:
                return rate
        units = ", ".join(rate.unit for _, rate in rates)
        raise UnpricedError(f"no price by the {unit}", where=sku, hint=f"it is billed by {units}")

    def language(self, model: str, mode: str = "standard") -> Language:
        """Look up a language model's bands on this day.

        Raises:
            UnknownModelError: no language model has that name.
            UnpricedError: it has no price in that mode.
        """
        if not self.is_language_model(model):
            raise self._names.unknown(model)
        return self._language(model, mode)

    def entry(self, sku: str) -> Entry:
        """Look up a card: its GPU, watts, idle seconds and billing rule.

        Raises:
            UnknownModelError: no card has that id.
        """
        found = self._entry_or_none(self._names.canonical(sku))
        if found is None:
            raise self._names.unknown(sku)
        return found

    def card(self, sku: str) -> Entry | None:
        """Look up a card; None for a language model and for an id of your own."""
        return None if self.is_language_model(sku) else self._entry_or_none(self._names.canonical(sku))

    def modes(self, model: str) -> tuple[str, ...]:
        """List the modes that have a price this day, standard first; empty for what is unpriced."""
        if not self.is_language_model(model):
            sku = self._names.canonical(model)
            entry = self._entry_or_none(sku)
            listed = [price.mode for price in on(entry, self._iso)] if entry else []
            own = [one.mode or "standard" for one in self._replacing(sku)]
            return self._with_made([*listed, *own], _card_names(sku))
        pair = llm.find(model)
        known = list(llm.modes_on(*pair, self.day)) if pair else []
        own = [one.mode or "standard" for one in self._replacing(*_language_names(model, pair))]
        return self._with_made([*known, *own], _language_names(model, pair))

    def _with_made(self, modes: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
        made = self.overrides.made(names, self._iso)
        return tuple(dict.fromkeys([*modes, *(mode for mode, one in made.items() if one.from_mode in modes)]))

    def cliff(self, model: str, mode: str = "standard") -> int | None:
        """Say above how many input tokens the whole request is repriced; None where nothing changes."""
        if not self.is_language_model(model):
            self._names.canonical(model)
            return None
        language = self._language(model, mode)
        return language.starts[0] if language.starts else None

    def context_limit(self, model: str) -> int | None:
        """Say how many input tokens a model takes, or None where that is not published or does not apply."""
        if not self.is_language_model(model):
            self._names.canonical(model)
            return None
        pair = llm.find(model)
        return llm.context_of(pair[1]) if pair else None

    def is_language_model(self, model: str) -> bool:
        """Say whether a name is priced by tokens from the package or your own file; cards and unknown names are not."""
        known = self._kinds.get(model)
        if known is None:
            known = self._kinds[model] = self._is_language(model)
            _bound(self._kinds)
        return known

    def _is_language(self, model: str) -> bool:
        if "/" in model and model in self._names.known():
            return False
        if any(one.model == model and one.discount_percent is None for one in self.overrides.entries):
            return True
        pair = llm.find(model)
        return pair is not None and llm.by_tokens(pair[1])

    def unit_of(self, sku: str) -> str:
        """Name the unit that something is first of all billed by.

        Raises:
            UnknownModelError, UnpricedError: as for `rate`.
        """
        if self.is_language_model(sku):
            return "tokens_text"
        name = self._names.canonical(sku)
        entry = self._entry_or_none(name)
        if entry and entry.prices:
            return entry.prices[0].unit
        return self.rate(name).unit

    # Listing

    def skus(self) -> tuple[str, ...]:
        """List every card's id, priced or not, and every id that your own file adds; language models are not in it."""
        own = (one.sku for one in self.overrides.entries if one.sku and one.discount_percent is None)
        return tuple(dict.fromkeys([*load_cards(), *(self._names.known().get(sku, sku) for sku in own)]))

    def entries(self, *, language: bool = False) -> Iterator[Listing]:
        """List everything with its rates on this day; language models too if asked (thousands)."""
        yield from list_cards(self)
        if language:
            yield from list_languages(self)

    def listing(self, name: str) -> Listing:
        """List one card or language model, by any name of it.

        Raises:
            UnknownModelError: nothing has that name.
        """
        if self.is_language_model(name):
            return list_language(self, name)
        return list_card(self, self._names.canonical(name))

    def starts(self, sku: str) -> tuple[str, ...]:
        """List the ISO days on which some price of a card or model begins, past and future, in order.

        Raises:
            UnknownModelError: nothing has that name.
        """
        if self.is_language_model(sku):
            pair = llm.find(sku)
            days = {day.isoformat() for day in llm.starts_of(pair[1])} if pair else set()
        else:
            entry = self._entry_or_none(self._names.canonical(sku))
            days = {price.starts for price in entry.prices if price.starts} if entry else set()
        own = (one for one in self.overrides.entries if sku in {one.sku, one.model} and one.starts)
        return tuple(sorted(days | {one.starts for one in own}))

    def card_rates(self, sku: str, mode: str = "standard", resolution: str = "") -> tuple[Rate, ...]:
        """List a card's rates, one for each unit.

        Raises:
            UnknownModelError, UnpricedError: as for `rate`.
        """
        return tuple(rate for _, rate in self._card_rates(self._names.canonical(sku), mode, resolution))

    def why_unpriced(self, sku: str) -> str:
        """Say why a card has no price on this day; empty if it has one."""
        name = self._names.canonical(sku)
        entry = self._entry_or_none(name)
        if entry is None or self._replacing(name) or on(entry, self._iso):
            return ""
        return entry.unpriced or f"none is known before {min(price.starts for price in entry.prices)}"

    # Compiling

    def _language(self, model: str, mode: str) -> Language:
        found = self._languages.get((model, mode))
        if found is None:
            found = self._languages[model, mode] = self._compile(model, mode)
            _bound(self._languages)
        return found

    def _compile(self, model: str, mode: str) -> Language:
        pair = llm.find(model)
        modes = self.modes(model)
        if mode not in modes:
            raise self._no_mode(model, mode, modes)
        contexts = llm.modes_on(*pair, self.day) if pair else {}
        names = _language_names(model, pair)
        made = self.overrides.made(names, self._iso).get(mode)
        if made and made.from_mode in modes:
            base = self._language(model, made.from_mode)
            bands = tuple({u: self.overrides.in_mode(made, rate) for u, rate in band.items()} for band in base.bands)
            return llm.with_own(msgspec.structs.replace(base, mode=mode, bands=bands), self._given(model, names, mode))
        if pair and mode in contexts:
            compiled = llm.build(model, pair, mode, contexts[mode], self.day)
        else:
            compiled = llm.empty(model, mode)
        if not self.overrides.entries:
            return compiled
        own = compiled.own
        discounted = tuple(
            {
                unit: self.overrides.discounted(
                    rate,
                    names,
                    provider=compiled.provider,
                    mode=mode,
                    day=self._iso,
                    unit=llm.charged_as(unit, own),
                )
                for unit, rate in band.items()
            }
            for band in compiled.bands
        )
        return llm.with_own(msgspec.structs.replace(compiled, bands=discounted), self._given(model, names, mode))

    def _given(self, model: str, names: tuple[str, ...], mode: str) -> dict[str, Rate]:
        return {
            one.unit: self.overrides.rate(one, model, one.unit)
            for one in self._replacing(*names)
            if (one.mode or "standard") == mode
        }

    def _card_rates(self, sku: str, mode: str, resolution: str) -> tuple[tuple[Price, Rate], ...]:
        key = (sku, mode, resolution)
        found = self._cards.get(key)
        if found is None:
            found = self._cards[key] = self._compile_card(sku, mode, resolution)
            _bound(self._cards)
        return found

    def _compile_card(self, sku: str, mode: str, resolution: str) -> tuple[tuple[Price, Rate], ...]:
        entry = self._entry_or_none(sku)
        own = self._replacing(sku)
        if why := self.why_unpriced(sku):
            raise UnpricedError(
                f"unpriced: {why}", where=sku, hint="give your price in a file and pass it with --rates"
            )
        prices = on(entry, self._iso) if entry else ()
        modes = self.modes(sku)
        if mode not in modes:
            raise self._no_mode(sku, mode, modes)
        listed = [price for price in prices if price.mode == mode]
        first = entry.prices[0].unit if entry and entry.prices else ""
        given: dict[str, tuple[Price, Rate]] = {}
        for one in own:
            if (one.mode or "standard") == mode and one.resolution in {"", resolution}:
                unit = one.unit or first
                # A card's rules for each call (minimum, blocks) stay: a private price changes the money, not the meter.
                rule = next((price for price in prices if price.unit == unit), None) or _meter(unit, sku)
                given[unit] = (rule, self.overrides.rate(one, sku, unit))
        made = self.overrides.made(_card_names(sku), self._iso).get(mode)
        if made and made.from_mode in modes:
            base = self._card_rates(sku, made.from_mode, resolution)
            derived = {rate.unit: (price, self.overrides.in_mode(made, rate)) for price, rate in base}
            return tuple({**derived, **given}.values())
        rest = [price for price in listed if price.unit not in given]
        chosen: dict[str, tuple[Price, Rate]] = {
            price.unit: (price, self._listed(sku, price)) for price in resolved(rest, resolution, sku)
        }
        return tuple({**chosen, **given}.values())

    def _listed(self, sku: str, price: Price) -> Rate:
        provider, entry = load_cards()[sku]
        names = (sku, *entry.aliases)
        rate = rate_of(sku, price)
        return self.overrides.discounted(rate, names, provider=provider, mode=price.mode, day=self._iso, unit=rate.unit)

    def _replacing(self, *names: str) -> tuple[Override, ...]:
        if not self.overrides.entries:
            return ()
        known = self._names.known()
        return tuple(
            one
            for one in self.overrides.entries
            if one.discount_percent is None
            and one.holds(self._iso)
            and (one.model or known.get(one.sku, one.sku)) in names
        )

    def _entry_or_none(self, sku: str) -> Entry | None:
        return load_cards().get(sku, ("", None))[1]

    def _no_mode(self, name: str, mode: str, modes: tuple[str, ...]) -> UnpricedError:
        return UnpricedError(
            f"no {mode} price on {self._iso}; it has {', '.join(modes) or 'none'}",
            where=name,
            hint=f"choose one of these modes, or give your {mode} price with --rates",
        )


def _language_names(model: str, pair: tuple[Any, Any] | None) -> tuple[str, ...]:
    if pair is None:
        return (model,)
    provider, found = pair
    return (model, found.id, f"{provider.id}:{found.id}", f"{provider.id}/{found.id}", provider.id)


def _card_names(sku: str) -> tuple[str, ...]:
    provider, entry = load_cards().get(sku, ("", None))
    return (sku, *(entry.aliases if entry else ()), provider)


def _bound(cache: dict[Any, Any]) -> None:
    if len(cache) > _MOST:
        cache.pop(next(iter(cache)))


def _meter(unit: str, sku: str) -> Price:
    if unit == "block":
        raise DocumentError("how many frames a block has is not known", where=sku, hint="give a price by the image")
    return msgspec.convert({"unit": unit, "usd": 0.0}, Price)
