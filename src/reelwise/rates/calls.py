"""From one class of calls to the units it is billed by, and the rate of each."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from reelwise.errors import UnpricedError
from reelwise.rates.rate import Rate, replaced
from reelwise.requests import Request, Usage
from reelwise.units import Num, ceil, is_array, maximum, where

if TYPE_CHECKING:
    from reelwise.rates.cards import Price
    from reelwise.rates.language import Language

__all__ = ["card_quantity", "language_usages", "usage_of"]

_INPUT = (
    "tokens_text", "tokens_image", "tokens_video", "tokens_audio", "tokens_cached", "tokens_cache_write", "tokens_cache_write_1h",
)  # fmt: skip


_TEXT = frozenset(
    {"tokens_text", "tokens_cached", "tokens_audio_cached", "tokens_cache_write", "tokens_cache_write_1h"}
)
"""Units that share the text of a call out between them."""


def usage_of(request: Request, rate: Rate, quantity: Num) -> Usage:
    """Say who used how much of what a rate prices."""
    return Usage(
        sku=rate.sku,
        unit=rate.unit,
        quantity=quantity,
        lane=request.lane,
        source_class=request.source_class,
        stage=request.stage,
        basis=request.basis | (request.basis_text if rate.unit in _TEXT else 0),
    )


def is_zero(value: Num) -> bool:
    """Say whether a number is a plain zero; arrays never are."""
    return not is_array(value) and value == 0


def language_usages(language: Language, request: Request) -> tuple[tuple[Usage, Rate], ...]:
    """Price one call's tokens: the sum of its input decides the band, and the band prices the whole request.

    Raises:
        UnpricedError: tokens of a sort that the model has no price for.
    """
    tokens: list[tuple[str, Num]] = [(unit, getattr(request, unit)) for unit in _INPUT]
    size: Num = 0.0
    for _, number in tokens:
        size = size + number
    cached_audio: Num = request.tokens_audio_cached
    if not is_zero(cached_audio):
        tokens[4] = ("tokens_cached", request.tokens_cached - cached_audio)
        tokens.append(("tokens_audio_cached", cached_audio))
    tokens.append(("tokens_output", request.tokens_output))
    if "request" in language.bands[0]:
        tokens.append(("request", 1.0))
    if is_zero(request.count):
        return ()
    found = []
    for unit, number in tokens:
        if not is_zero(number):
            rate = _banded(language, unit, size)
            found.append((usage_of(request, rate, request.count * number), rate))
    return tuple(found)


def _banded(language: Language, unit: str, size: Num) -> Rate:
    bands = language.bands
    if unit not in bands[0]:
        raise UnpricedError(
            f"no price for {unit}", where=f"{language.name} ({language.mode})", hint="give your price with --rates"
        )
    if not language.starts:
        return bands[0][unit]
    if not is_array(size):
        return bands[bisect_left(language.starts, size)][unit]
    low = bisect_left(language.starts, float(size.min(initial=float("inf"))))
    high = bisect_left(language.starts, float(size.max(initial=0.0)))
    if low >= high:
        return bands[high][unit]
    usd: Num = bands[0][unit].usd
    for index, start in enumerate(language.starts):
        usd = where(size > start, bands[index + 1][unit].usd, usd)
    limits = ", ".join(f"{start:,}" for start in language.starts)
    mode = "" if language.mode == "standard" else f"{language.mode}, "
    return replaced(bands[0][unit], usd=usd, variant=f"{mode}each request below or above {limits} tokens")


def card_quantity(price: Price, kind: str, request: Request) -> Num:
    """Count the units of one call under a card's rules for each call; 0 where the unit is not a call's.

    A second is a generated second for video generation, else a second sent. A gigabyte is 10^9 bytes.
    """
    quantity = _measured(price, kind, request)
    if price.round_call_to and not is_zero(quantity):
        quantity = ceil(quantity / price.round_call_to) * price.round_call_to
    return quantity


_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


def _measured(price: Price, kind: str, request: Request) -> Num:
    unit = price.unit
    if unit in _SECONDS:
        seconds = request.seconds_output if kind == "video_generation" else request.seconds
        if price.minimum_seconds:
            seconds = where(seconds > 0, maximum(seconds, price.minimum_seconds), 0.0)
        return seconds / _SECONDS[unit]
    if unit == "block":
        return ceil(request.images / price.frames)
    if unit == "image":
        return request.images
    if unit == "request":
        return 1.0
    if unit == "gb":
        return request.megabytes / 1000.0
    return getattr(request, unit, 0.0) if unit.startswith("tokens_") else 0.0
