"""Prices of language models, from the genai-prices package.

The package is read once per model, mode and day and never in a loop. It returns the standard price without a word where
a model has no price for a mode; here a mode exists only where the package holds a price under it that is active that day.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from reelwise.rates.rate import Rate, replaced

__all__ = [
    "CONTEXTS",
    "Language",
    "all_models",
    "build",
    "by_tokens",
    "charged_as",
    "context_of",
    "empty",
    "find",
    "modes_on",
    "package_read",
    "package_version",
    "starts_of",
    "with_own",
]

CONTEXTS: dict[str, tuple[dict[str, str], ...]] = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"speed": "fast"}, {"service_tier": "fast"}),
}
"""Our modes, and what the package calls them."""

KEYS: dict[str, tuple[str, ...]] = {
    "tokens_text": ("input_text_mtok", "input_mtok"),
    "tokens_image": ("input_image_mtok", "input_mtok"),
    "tokens_video": ("input_video_mtok", "input_mtok"),
    "tokens_audio": ("input_audio_mtok", "input_mtok"),
    "tokens_cached": ("cache_read_mtok", "input_mtok"),
    "tokens_audio_cached": ("cache_audio_read_mtok", "cache_read_mtok", "input_audio_mtok", "input_mtok"),
    "tokens_cache_write": ("cache_write_mtok", "input_mtok"),
    "tokens_cache_write_1h": ("cache_write_1h_mtok",),
    "tokens_output": ("output_mtok", "output_text_mtok"),
    "tokens_video_output": ("output_video_mtok",),
    "request": ("requests_kcount",),
}
"""Our units, and the package's prices for them: the first that the model has."""

FALLBACK: dict[str, tuple[str, ...]] = {
    "tokens_image": ("tokens_text",),
    "tokens_video": ("tokens_text",),
    "tokens_audio": ("tokens_text",),
    "tokens_cached": ("tokens_text",),
    "tokens_audio_cached": ("tokens_cached", "tokens_audio", "tokens_text"),
    "tokens_cache_write": ("tokens_text",),
}
"""Units that are charged at another unit's rate where they have none of their own."""

_CONTEXTS: dict[str, int] = {
    # docs.cloud.google.com, Gemini 2.5 Pro, "Maximum input tokens", read 2026-11-23
    "gemini-2.5-pro": 1_048_576,
}
"""Published limits that the package does not carry."""

_READ: dict[str, str] = {"0.2.3": "2026-11-22"}
"""When somebody compared a version of the package with what vendors publish."""


def context_of(model: Any) -> int | None:
    """Return the most input tokens that one of the package's models takes, or None where nobody publishes it."""
    limit: int | None = model.context_window
    return limit or _CONTEXTS.get(model.id)


class Language(Struct, frozen=True, kw_only=True):
    """A language model's prices on one day in one mode.

    Attributes:
        name: the name it was asked for by.
        provider, id: where the package lists it.
        mode: standard, batch, flex, priority or fast.
        context: most input tokens it takes, or None where not published.
        starts: input-token counts above which the whole request is priced by the next band.
        own: units that have a rate of their own; the others are charged at the rate of another unit.
        bands: unit to rate, one band more than `starts`.
    """

    name: str
    provider: str
    id: str
    mode: str
    context: int | None
    starts: tuple[int, ...]
    own: frozenset[str]
    bands: tuple[dict[str, Rate], ...]


@lru_cache(maxsize=1)
def package_version() -> str:
    """Say which genai-prices is installed."""
    from importlib.metadata import version

    return version("genai-prices")


def _snapshot() -> Any:
    # The bundled one, always: a snapshot that another library refreshed from the network would change prices under us.
    from genai_prices.data_snapshot import _bundled_snapshot

    return _bundled_snapshot()


def all_models() -> tuple[tuple[str, Any], ...]:
    """List every provider id and model of the package."""
    return tuple((provider.id, model) for provider in _snapshot().providers for model in provider.models)


def find(name: str) -> tuple[Any, Any] | None:
    """Find the package's provider and model for "model", "provider:model" or "provider/model"; None if there is none."""
    tries: list[tuple[str | None, str]] = [(None, name)]
    for mark in (":", "/"):
        head, found, rest = name.partition(mark)
        provider = _providers().get(head.lower()) if found else None
        if provider is not None:
            # The package matches by patterns, and not every model's own id fits its pattern.
            for model in provider.models:
                if model.id == rest:
                    return provider, model
            tries.append((provider.id, rest))
    for provider_id, reference in tries:
        try:
            pair: tuple[Any, Any] = _snapshot().find_provider_model(reference, None, provider_id, None)
        except LookupError:
            continue
        return pair
    return None


@lru_cache(maxsize=1)
def _providers() -> dict[str, Any]:
    return {provider.id: provider for provider in _snapshot().providers}


def _owned(provider: Any, model: Any) -> bool:
    # For a model lent by another provider (azure:gpt-4o) the package drops every variant, silently.
    return any(model is one for one in provider.models)


def _instant(model: Any, day: dt.date) -> dt.datetime:
    """Pick the hour of the day to price: noon, or the dearest hour where prices change within the day."""
    noon = dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)
    prices = model.prices if isinstance(model.prices, list) else []
    if not any(hasattr(price.constraint, "start_time") for price in prices):
        return noon
    hours = (noon.replace(hour=hour, minute=45) for hour in range(24))
    return max(hours, key=lambda at: _first(model.get_prices(at).input_mtok))


def _first(price: Any) -> float:
    return 0.0 if price is None else float(getattr(price, "base", price))


def modes_on(provider: Any, model: Any, day: dt.date) -> dict[str, dict[str, str]]:
    """Map each mode that has a price of its own that day to the package's words for it."""
    found: dict[str, dict[str, str]] = {"standard": {}}
    if not _owned(provider, model):
        return found
    instant = _instant(model, day)
    for mode, contexts in CONTEXTS.items():
        for context in contexts:
            if mode not in found and _has_variant(model, context, instant):
                found[mode] = context
    return found


def _has_variant(model: Any, context: dict[str, str], instant: dt.datetime) -> bool:
    return any(
        all(context.get(key) == value for key, value in variant.when.items())
        and (variant.constraint is None or variant.constraint.active(instant))
        and any(price is not None for price in vars(variant.prices).values())
        for variant in model.price_variants or ()
    )


def starts_of(model: Any) -> tuple[dt.date, ...]:
    """List the days on which some price of a model begins, in order."""
    rows = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    days = {row.constraint.start_date for row in rows if hasattr(row.constraint, "start_date")}
    return tuple(sorted(days))


def build(name: str, pair: tuple[Any, Any], mode: str, context: dict[str, str], day: dt.date) -> Language:
    """Compile one model, mode and day into rates for one token each."""
    provider, model = pair
    prices = vars(model.get_prices(_instant(model, day), context or None))
    picked: dict[str, tuple[str, Any]] = {}
    for unit, keys in KEYS.items():
        key = next((key for key in keys if prices.get(key) is not None), None)
        if key is not None:
            picked[unit] = (key, prices[key])
    starts = tuple(sorted({tier.start for _, price in picked.values() for tier in getattr(price, "tiers", ())}))
    version = package_version()
    notes = [] if name == model.id else [f"priced as {provider.id}/{model.id}"]
    if any(hasattr(getattr(price, "constraint", None), "start_time") for price in _rows(model)):
        notes.append("the dearest hour of the day")
    bands = []
    for index in range(len(starts) + 1):
        above = starts[index - 1] if index else -1
        bands.append(
            {
                unit: Rate(
                    sku=name,
                    unit=unit,
                    usd=_each(price, key, above),
                    source=f"genai-prices {version}, {provider.id}/{model.id}",
                    checked=package_read(),
                    quality="package",
                    note="; ".join([*notes, *_borrowed(unit, key)]),
                    variant=variant_name(mode, starts, index),
                )
                for unit, (key, price) in picked.items()
            }
        )
    return Language(
        name=name,
        provider=provider.id,
        id=model.id,
        mode=mode,
        context=model.context_window,
        starts=starts,
        own=frozenset(unit for unit, (key, _) in picked.items() if _is_own(unit, key)),
        bands=tuple(bands),
    )


def _rows(model: Any) -> list[Any]:
    return model.prices if isinstance(model.prices, list) else []


def _is_own(unit: str, key: str) -> bool:
    return key == KEYS[unit][0] or unit in {"tokens_text", "tokens_output"}


def _borrowed(unit: str, key: str) -> list[str]:
    if _is_own(unit, key):
        return []
    return [f"no rate of its own: charged at {key.removesuffix('_mtok').replace('_', ' ')}"]


def variant_name(mode: str, starts: tuple[int, ...], band: int) -> str:
    """Name a mode and a price band for people."""
    parts = [] if mode == "standard" else [mode]
    if starts:
        parts.append(f"above {starts[band - 1]:,} tokens" if band else f"up to {starts[0]:,} tokens")
    return ", ".join(parts)


def _each(price: Any, key: str, above: int) -> float:
    value = price
    if hasattr(price, "tiers"):
        value = price.base
        for tier in price.tiers:
            if tier.start <= above:
                value = tier.price
    return float(value / (1000 if key.endswith("_kcount") else 1_000_000))


def empty(name: str, mode: str) -> Language:
    """Start a model that the package does not know, for prices given by the user."""
    return Language(name=name, provider="", id=name, mode=mode, context=None, starts=(), own=frozenset(), bands=({},))


def charged_as(unit: str, own: frozenset[str]) -> str:
    """Name the unit whose rate a unit is charged at: itself, where it has one of its own."""
    if unit in own:
        return unit
    return next((parent for parent in FALLBACK.get(unit, ()) if parent in own), unit)


def with_own(language: Language, given: dict[str, Rate]) -> Language:
    """Lay private rates over every band; units that are charged at a replaced rate follow it."""
    own = language.own | frozenset(given)
    rates = dict(given)
    for unit in FALLBACK:
        parent = charged_as(unit, own)
        if parent != unit and parent in given:
            rates[unit] = replaced(given[parent], unit=unit)
    return msgspec.structs.replace(language, own=own, bands=tuple({**band, **rates} for band in language.bands))


def by_tokens(model: Any) -> bool:
    """Say whether the package prices a model by tokens (and not by the hour, page or character)."""
    rows = [row.prices for row in _rows(model)] or [model.prices]
    return any(vars(row).get(key) is not None for row in rows for key in ("input_mtok", "output_mtok"))


def package_read() -> str:
    """Say on which ISO day the installed version was compared with what vendors publish; empty if nobody did."""
    return _READ.get(package_version(), "")
