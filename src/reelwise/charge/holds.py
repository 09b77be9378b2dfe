"""What a call can cost at most, before it is made: never below what it will be charged."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.charge.ask import Ask
from reelwise.charge.bounds import Bounds, bounds_of
from reelwise.charge.cost import Part, rate_for
from reelwise.charge.exact import ZERO, exact, nano_of, nano_up
from reelwise.charge.position import marginal_most
from reelwise.errors import InputError, UnpricedError
from reelwise.requests import Request, Usage
from reelwise.units import NANO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from reelwise.charge.position import Position
    from reelwise.rates import Book, Rate
    from reelwise.rates.language import Language

__all__ = ["Hold", "hold"]

RETRIES = "one attempt: a retry needs a hold of its own"

_LONG = 100_000
_WRITES = ("tokens_cache_write", "tokens_cache_write_1h")
_CACHE = ("tokens_cached", *_WRITES)
_FRESH = ("tokens_image", "tokens_video", "tokens_audio", "tokens_text", *_CACHE)


class Hold(Struct, frozen=True, kw_only=True):
    """The most that a call can cost.

    Attributes:
        nano: nano-USD, rounded up.
        parts: by billable unit, each with its bound, its price and why.
        notes: what a reader must know.
        request: the bounds as a request, where there is one.
    """

    nano: int
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    request: Request | None = None

    def explain(self) -> str:
        """Say in words why so much is held, a line a part."""
        head = f"{self.nano / NANO:.9f} USD at most"
        return "\n".join([head, *(f"  {part.explain()}" for part in self.parts), *(f"  {note}" for note in self.notes)])


def hold(what: Ask | Request | Usage, book: Book, *, position: Position | None = None) -> Hold:
    """Bound what a call can cost.

    Cached tokens are held at the price of fresh ones, free units are not counted on, and a price that jumps with the size of the
    request is taken at the dearest that the bound reaches. At graduated prices the hold is the most that any position from
    `position` on can make of it: give the month-to-date position (posted and pending) for a tight hold, and none near the end of
    a month.

    Args:
        what: a call that is about to be made; or a request or a quantity of one unit whose amounts are upper bounds.
        book: prices of the day.
        position: what the account has used this month; None is unknown: the dearest step of the month.

    Raises:
        UnknownModelError, UnpricedError: no name, no sourced price, no token rule: never 0.
        InputError: something that the bill depends on is neither said nor known, or nothing would be billed.
    """
    if isinstance(what, Usage):
        parts: tuple[Part, ...] = (_part(rate_for(what, book), exact(what.quantity, what.unit), position, ""),)
        _something(what.sku, parts, book)
        return Hold(nano=_sum(parts), parts=parts, notes=(RETRIES,))
    bounds = bounds_of(what, book) if isinstance(what, Ask) else Bounds(request=what, why={})
    request = bounds.request
    if book.is_language_model(request.model):
        language = book.language(request.model, request.mode)
        parts = tuple(_language_parts(language, bounds, position))
        notes = (*bounds.notes, *_notes(language, bounds, book), RETRIES)
    else:
        parts = tuple(
            _part(rate, exact(usage.quantity, usage.unit), position, bounds.why.get(usage.unit, ""))
            for usage, rate in book.price_request(request)
        )
        notes = (*bounds.notes, RETRIES)
    _something(request.model, parts, book)
    return Hold(nano=_sum(parts), parts=parts, notes=notes, request=request)


def _sum(parts: tuple[Part, ...]) -> int:
    return nano_up(sum((part.nano for part in parts), ZERO))


def _something(name: str, parts: tuple[Part, ...], book: Book) -> None:
    if not any(part.quantity for part in parts):
        raise InputError(
            "nothing that it bills is in the call", where=name, hint=f"it is billed by the {book.unit_of(name)}"
        )


def _part(rate: Rate, quantity: Fraction, position: Position | None, why: str) -> Part:
    before = None if position is None else exact(position.get((rate.sku, rate.unit), 0))
    usd = marginal_most(rate, quantity, before)
    said = [why] if why else []
    if rate.tiers:
        said.append(
            "at the dearest step" if before is None else f"at {float(before):,.10g} {rate.unit} this month, or above"
        )
    if rate.free_month:
        said.append(f"{rate.free_month:g} free a month are not counted on")
    if rate.variant:
        said.append(rate.variant)
    return Part(
        sku=rate.sku, unit=rate.unit, quantity=quantity, nano=nano_of(usd), why="; ".join(said), source=rate.source
    )


def _language_parts(language: Language, bounds: Bounds, position: Position | None) -> Iterator[Part]:
    request, count = bounds.request, exact(bounds.request.count, "count")
    tokens = {unit: exact(getattr(request, unit), unit) for unit in (*_FRESH, "tokens_output")}
    size = sum((tokens[unit] for unit in _FRESH), ZERO)
    # a call may turn out smaller than its bound: every band up to the bound's own is possible
    bands = language.bands[: bisect_left(language.starts, size) + 1]
    heard = bool(tokens["tokens_audio"])
    writes = _WRITES[: 1 + bounds.writes_hour] if bounds.writes_cache or _writes_by_itself(language, size) else ()
    for unit, number in tokens.items():
        if number:
            rate = max(_rates(bands, unit, heard=heard, writes=writes), key=_usd)
            why = bounds.why.get(unit, "")
            if rate.unit in _WRITES and unit != rate.unit:
                why += "; at the price of a cache write, which may be billed"
            part = _part(rate, count * number, position, why)
            yield (
                part
                if rate.unit == unit
                else Part(
                    sku=part.sku, unit=unit, quantity=part.quantity, nano=part.nano, why=part.why, source=part.source
                )
            )
    if count and "request" in language.bands[0]:
        yield _part(max((band["request"] for band in bands), key=_usd), count, position, "a fee for each call")


_CACHE_PREFIX_MIN = 1024
_ASKED_FOR = "claude"  # its cache is written where the call marks what to keep


def _writes_by_itself(language: Language, size: Fraction) -> bool:
    """Say whether long input may be written to a prompt cache unasked, at a price of its own.

    OpenAI does since gpt-5.6, at 1.25 times the price of fresh input from 1,024 tokens on
    (developers.openai.com/api/docs/guides/prompt-caching, as quoted in anomalyco/models.dev#3282, 2026-07-18). Whoever else
    has such a price is taken to do the same.
    """
    own = "tokens_cache_write" in language.own and _ASKED_FOR not in language.id.lower()
    return own and size >= _CACHE_PREFIX_MIN


def _usd(rate: Rate) -> float:
    return float(rate.usd)


def _rates(bands: tuple[dict[str, Rate], ...], unit: str, *, heard: bool, writes: tuple[str, ...]) -> Iterator[Rate]:
    """List every rate that tokens of a unit may be billed at."""
    if unit not in bands[0]:
        raise UnpricedError(
            f"no price for {unit}",
            where=next(iter(bands[0].values())).sku if bands[0] else unit,
            hint="give it with --rates",
        )
    units = [unit]
    if unit in _CACHE:
        units += [fresh for fresh in _FRESH if fresh != "tokens_audio" or heard]
    elif unit != "tokens_output":
        units += ["tokens_audio_cached" if unit == "tokens_audio" else "tokens_cached"]
        units += writes
    for band in bands:
        yield from (band[name] for name in units if name in band)


def _notes(language: Language, bounds: Bounds, book: Book) -> Iterator[str]:
    request = bounds.request
    size = float(sum(exact(getattr(request, unit), unit) for unit in _FRESH))
    if language.starts and size > language.starts[0]:
        yield f"above {language.starts[0]:,} input tokens the whole call is repriced"
    limit = language.context or (book.context_limit(request.model) if size > _LONG else None)
    if limit is not None and size > limit:
        yield f"{size:,.0f} input tokens are more than the model takes ({limit:,}): it may refuse the call"
