"""Graduated prices over a month: where the account stands now, and the true-up when the month is over.

A row posts what its units add to the month as far as was known when it was posted. Several processes post at once, so a step of the price
may be reached by a few rows too late; closing the month prices all of its rows again in their order and writes the difference.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.charge import charge
from reelwise.errors import InputError, UnknownModelError, UnpricedError
from reelwise.ledger.events import NO_UNITS, Event, Units, What, Who
from reelwise.ledger.queries import export
from reelwise.requests import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.sql import SqlStore
    from reelwise.rates import Book

__all__ = ["Closed", "TrueUp", "close_month", "position_of", "request_of", "units_of"]

_TOKENS = (
    "tokens_text",
    "tokens_image",
    "tokens_video",
    "tokens_audio",
    "tokens_cached",
    "tokens_cache_write",
    "tokens_output",
)


class TrueUp(Struct, frozen=True, kw_only=True):
    """What closing a month adds for one model: `posted` was recorded, `owed` is what the account's tiers come to."""

    model: str
    rows: int
    posted_nano: int
    owed_nano: int
    written: bool


class Closed(Struct, frozen=True, kw_only=True):
    """What closing a month found.

    Attributes:
        month: as 2026-10.
        models: those with graduated prices, free units or rounding of the month's sum.
        skipped: models that have no price here, and why.
    """

    month: str
    models: tuple[TrueUp, ...]
    skipped: tuple[tuple[str, str], ...]


def units_of(request: Request) -> Units:
    """Return a request's amounts as the ledger keeps them: whole numbers, milliseconds, bytes."""
    return Units(
        calls=_whole(request.count),
        images=_whole(request.images),
        video_ms=_whole(request.seconds, 1000),
        output_ms=_whole(request.seconds_output, 1000),
        bytes=_whole(request.megabytes, 1_000_000),
        **{name: _whole(getattr(request, name)) for name in _TOKENS},
    )


def _whole(value: Any, times: int = 1) -> int:
    return round(float(value) * times)


def request_of(model: str, units: Units) -> Request:
    """Return what a row used as a request that can be priced."""
    return Request(
        model=model,
        count=1,
        images=float(units.images),
        seconds=(units.video_ms or units.audio_ms) / 1000,
        seconds_output=units.output_ms / 1000,
        megabytes=units.bytes / 1_000_000,
        tokens_text=float(units.tokens_text),
        tokens_image=float(units.tokens_image),
        tokens_video=float(units.tokens_video),
        tokens_audio=float(units.tokens_audio),
        tokens_cached=float(units.tokens_cached),
        tokens_cache_write=float(units.tokens_cache_write),
        tokens_output=float(units.tokens_output),
    )


def is_graduated(model: str, book: Book) -> bool:
    """Say whether a model's price depends on what the account used before in the month.

    Raises:
        UnknownModelError, UnpricedError: it has no price.
    """
    if book.is_language_model(model):
        return False
    probe = Request(model=model, count=1, images=1.0, seconds=1.0, seconds_output=1.0, megabytes=1.0)
    return any(rate.tiers or rate.free_month or rate.round_to for _, rate in book.price_request(probe))


def _rows(store: SqlStore, first_ms: int, stop_ms: int) -> Iterator[tuple[str, Units]]:
    for page in export(store, first_ms=first_ms, stop_ms=stop_ms):
        for row in page:
            if row["model"] and row["kind"] in ("call", "frames", "late"):
                yield row["model"], Units(**{name: row[name] for name in Units.__struct_fields__})


def position_of(store: SqlStore, book: Book, now_ms: int) -> dict[tuple[str, str], float]:
    """Sum what the account has used this month (UTC) of what has graduated prices, by price and unit: models may share tiers."""
    moment = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)
    first = round(dt.datetime(moment.year, moment.month, 1, tzinfo=dt.UTC).timestamp() * 1000)
    tiers = _Tiers(book)
    for model, units in _rows(store, first, now_ms + 1):
        tiers.add(model, units)
    return dict(tiers.position)


class _Tiers:
    """Prices rows in their order; what was used moves the position of whatever shares the price."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._kinds: dict[str, bool] = {}
        self.position: dict[tuple[str, str], float] = defaultdict(float)
        self.skipped: dict[str, str] = {}

    def add(self, model: str, units: Units) -> Fraction | None:
        """Return what a row adds to the month in nano-USD; None where its model has no graduated price."""
        if model in self.skipped:
            return None
        try:
            if model not in self._kinds:
                self._kinds[model] = is_graduated(model, self._book)
            if not self._kinds[model]:
                return None
            spent = charge(request_of(model, units), self._book, position=self.position)
        except (UnknownModelError, UnpricedError, InputError) as error:
            self.skipped[model] = str(error)
            return None
        for part in spent.parts:
            self.position[part.sku, part.unit] += float(part.quantity)
        return sum((part.nano for part in spent.parts), Fraction(0))


def close_month(ledger: Ledger, month: str, book: Book) -> Closed:
    """Price a month's rows again in their order, and write what is missing or too much as one `true_up` row for each model.

    It can be done again: a month that was closed is left as it is.

    Raises:
        InputError: no month, or one that is not over yet.
    """
    first, stop = _span(month)
    if stop > ledger.clock.now_ms():
        raise InputError("this month is not over", where=month, hint="close it when it is, and late rows have come in")
    ledger.flush()
    posted, closed = _posted(ledger.store, first, stop)
    tiers = _Tiers(book)
    owed: dict[str, Fraction] = {}
    counts: dict[str, int] = defaultdict(int)
    for model, units in _rows(ledger.store, first, stop):
        nano = tiers.add(model, units)
        if nano is not None:
            owed[model] = owed.get(model, Fraction(0)) + nano
            counts[model] += 1
    models = []
    for model, exact in sorted(owed.items()):
        if model in tiers.skipped:
            continue
        difference = round(exact) - posted[model]
        if model not in closed and difference:
            event = Event(
                id=f"true-up/{month}/{model}",
                at_ms=stop - 1,
                who=Who(),
                what=What(model=model, kind="true_up"),
                units=NO_UNITS,
                cost_nano=difference,
            )
            ledger.record(event)
            closed.add(model)
        models.append(
            TrueUp(
                model=model,
                rows=counts[model],
                posted_nano=posted[model],
                owed_nano=round(exact),
                written=model in closed,
            )
        )
    return Closed(month=month, models=tuple(models), skipped=tuple(sorted(tiers.skipped.items())))


def _posted(store: SqlStore, first_ms: int, stop_ms: int) -> tuple[dict[str, int], set[str]]:
    """Return what was posted for each model, and which models were closed before."""
    posted: dict[str, int] = defaultdict(int)
    closed: set[str] = set()
    for page in export(store, first_ms=first_ms, stop_ms=stop_ms):
        for row in page:
            if row["kind"] == "true_up":
                closed.add(row["model"])
            elif row["kind"] != "estimate":
                posted[row["model"]] += row["cost_nano"]
    return posted, closed


def _span(month: str) -> tuple[int, int]:
    try:
        first = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        raise InputError(f"no month can be read from {month[:20]!r}", where="month", hint="2026-10") from None
    after = (first + dt.timedelta(days=32)).replace(day=1)
    return round(first.timestamp() * 1000), round(after.timestamp() * 1000)
