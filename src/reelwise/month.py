"""Graduated prices over a month: what a row moves it on by, and the true-ups when the month is over.

A row posts what its units add to the month as far as was known when it was posted. Several processes post at once, so a step of the price
may be reached by a few rows too late; closing the month prices all of its rows again in their order and writes the difference.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.charge import charge
from reelwise.charge.exact import exact
from reelwise.errors import InputError, UnknownModelError, UnpricedError
from reelwise.ledger.events import NO_UNITS, Event, Units, What, Who, key_of
from reelwise.ledger.queries import export
from reelwise.requests import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.sql import SqlStore
    from reelwise.rates import Book

__all__ = ["Closed", "Tiers", "TrueUp", "close_month", "label_of", "request_of", "rows_of_month", "units_of"]

_TOKENS = (
    "tokens_text",
    "tokens_image",
    "tokens_video",
    "tokens_audio",
    "tokens_cached",
    "tokens_cache_write",
    "tokens_output",
)
_CALLERS_MAX = 10_000
_ID_MAX = 120


class TrueUp(Struct, frozen=True, kw_only=True):
    """What closing a month found for one model, and wrote; amounts in nano-USD.

    Attributes:
        model: the model, with its mode and resolution where they are not the usual ones.
        rows: those that were priced, or kept as they were posted.
        posted_nano: what was recorded before, the true-ups of earlier closings with it.
        trued_nano: the part of that which earlier closings wrote.
        owed_nano: what the account's tiers come to.
        written_nano: what this closing wrote: the difference.
        written: whether it wrote anything.
    """

    model: str
    rows: int
    posted_nano: int
    trued_nano: int
    owed_nano: int
    written_nano: int
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


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """One row of the ledger, as far as closing a month asks."""

    number: int
    model: str
    kind: str
    status: str
    who: Who
    units: Units
    cost_nano: int

    @property
    def priced(self) -> bool:
        """Whether its units were bought: not a part of another row's cost, nor read from a cache, nor corrected by hand."""
        return self.kind in ("call", "frames", "late") and self.status not in ("cached", "skipped")


def units_of(request: Request) -> Units:
    """Return a request's amounts as the ledger keeps them: whole numbers, milliseconds, bytes."""
    return Units(
        calls=_whole(request.count),
        images=_whole(request.images),
        video_ms=_whole(request.seconds, 1000),
        output_ms=_whole(request.seconds_output, 1000),
        bytes=_whole(request.megabytes, 1_000_000),
        **{
            **{name: _whole(getattr(request, name)) for name in _TOKENS},
            # the ledger has one column of them: no language model is priced anew from its rows
            "tokens_cache_write": _whole(request.tokens_cache_write + request.tokens_cache_write_1h),
        },
    )


def _whole(value: Any, times: int = 1) -> int:
    return round(float(value) * times)


def label_of(request: Request) -> str:
    """Return the label that a row keeps a request's model under: its mode and resolution are part of what it is priced by."""
    said = [f"{name}={value}" for name in ("mode", "resolution") if (value := getattr(request, name))]
    said = [one for one in said if one != "mode=standard"]
    return f"{request.model}?{'&'.join(said)}" if said else request.model


def request_of(model: str, units: Units) -> Request:
    """Return what a row used as a request that can be priced; `model` is a label as `label_of` makes it."""
    model, _, rest = model.partition("?")
    said = dict(one.split("=", 1) for one in rest.split("&") if "=" in one)
    return Request(
        model=model,
        mode=said.get("mode", "standard"),
        resolution=said.get("resolution", ""),
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


def is_graduated(request: Request, book: Book) -> bool:
    """Say whether a request's price depends on what the account used before in the month.

    Raises:
        UnknownModelError, UnpricedError: it has no price.
    """
    if book.is_language_model(request.model):
        return False
    probe = Request(
        model=request.model,
        mode=request.mode,
        resolution=request.resolution,
        count=1,
        images=1.0,
        seconds=1.0,
        seconds_output=1.0,
        megabytes=1.0,
    )
    return any(rate.tiers or rate.free_month or rate.round_to for _, rate in book.price_request(probe))


def rows_of_month(store: SqlStore, first_ms: int, stop_ms: int, *, after: int = 0) -> Iterator[Row]:
    """Yield the rows of a span that have a model, in their order, without estimates; `after` leaves out those up to a number."""
    for page in export(store, first_ms=first_ms, stop_ms=stop_ms, after=after):
        for row in page:
            if row["model"] and row["kind"] != "estimate":
                yield Row(
                    number=row["number"],
                    model=row["model"],
                    kind=row["kind"],
                    status=row["status"],
                    who=Who(
                        feature=row["feature"],
                        user=row["user"],
                        session=row["session"],
                        tenant=row["tenant"],
                        user_class=row["user_class"],
                        tags=tuple(sorted(row["tags"].items())),
                    ),
                    units=Units(**{name: row[name] for name in Units.__struct_fields__}),
                    cost_nano=row["cost_nano"],
                )


class Tiers:
    """A month's position, by price and unit (models may share tiers), moved on by rows in their order.

    Attributes:
        position: units used so far, exact.
        skipped: models that have no price, and why.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._kinds: dict[str, bool] = {}
        self.position: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        self.skipped: dict[str, str] = {}

    def graduated(self, model: str) -> bool:
        """Say whether rows of a model are priced by the month; one without a price is noted in `skipped`."""
        if model not in self._kinds:
            try:
                self._kinds[model] = is_graduated(request_of(model, NO_UNITS), self._book)
            except (UnknownModelError, UnpricedError) as error:
                self._kinds[model] = False
                self.skipped[model] = str(error)
        return self._kinds[model]

    def count(self, row: Row) -> None:
        """Move on by a row, without pricing it."""
        if row.priced and self.graduated(row.model):
            for usage, rate in self._book.price_request(request_of(row.model, row.units)):
                self.position[rate.sku, rate.unit] += exact(usage.quantity, usage.unit)

    def price(self, row: Row) -> int | None:
        """Return what a row adds to the month in nano-USD, and move on; None where its model has no graduated price.

        A row that used nothing it is billed by (an ambiguous one, at what was held) and one that is no call keep what they posted.
        """
        if not self.graduated(row.model) or row.model in self.skipped:
            return None
        request = request_of(row.model, row.units)
        if not row.priced or not self._book.price_request(request):
            return row.cost_nano
        try:
            spent = charge(request, self._book, position=self.position)
        except UnpricedError as error:
            self.skipped[row.model] = str(error)
            return None
        for part in spent.parts:
            self.position[part.sku, part.unit] += part.quantity
        return spent.nano


class _Tally:
    """One model's month: what was posted, what is owed, and by which callers."""

    def __init__(self) -> None:
        self.rows = 0
        self.posted = 0
        self.owed = 0
        self.trued = 0
        self.true_ups = 0
        self._callers: dict[Who, int] = defaultdict(int)
        self._level = 0

    def add(self, row: Row, owed: int) -> None:
        self.rows += 1
        self.posted += row.cost_nano
        self.owed += owed
        self._callers[_coarse(row.who, self._level)] += max(0, row.cost_nano)
        while len(self._callers) > _CALLERS_MAX and self._level < _LEVELS:
            self._level += 1
            whole = self._callers
            self._callers = defaultdict(int)
            for who, nano in whole.items():
                self._callers[_coarse(who, self._level)] += nano

    def shares(self, nano: int) -> list[tuple[Who, int]]:
        """Split a difference over the callers as they spent, exactly: what rounding leaves goes to the one that spent most."""
        callers = sorted(self._callers.items(), key=lambda one: one[1])
        total = sum(weight for _, weight in callers)
        if not total:
            callers, total = [(who, 1) for who, _ in callers], len(callers)
        sign = 1 if nano >= 0 else -1
        split = [(who, sign * (abs(nano) * weight // total)) for who, weight in callers]
        last, amount = split[-1]
        split[-1] = (last, amount + nano - sum(one for _, one in split))
        return [(who, one) for who, one in split if one]


_LEVELS = 4


def _coarse(who: Who, level: int) -> Who:
    """Leave out what tells callers most apart: first sessions, then users, then tags, then all but the feature."""
    if level >= _LEVELS:
        return Who(feature=who.feature)
    left_out: dict[str, Any] = {}
    for number, (name, nothing) in enumerate((("session", ""), ("user", ""), ("tags", ())), 1):
        if level >= number:
            left_out[name] = nothing
    return msgspec.structs.replace(who, **left_out) if left_out else who


def close_month(ledger: Ledger, month: str, book: Book) -> Closed:
    """Price a month's rows again in their order, and write what is missing or too much as `true_up` rows.

    A model's difference is split over its callers as they spent, so that budgets of a feature, a user or a tenant are set right too: one row
    each (beyond 10,000 callers sessions are taken together, then users). It can be done again, when late rows have come in: what earlier
    closings wrote counts as posted, and only what is still missing is written. Corrections made by hand stand.

    Raises:
        InputError: no month, one that is not over yet, or one that another process is closing.
    """
    first, stop = _span(month)
    if stop > ledger.clock.now_ms():
        raise InputError("this month is not over", where=month, hint="close it when it is, and late rows have come in")
    ledger.flush()
    tiers = Tiers(book)
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for row in rows_of_month(ledger.store, first, stop):
        if row.kind == "true_up":
            tallies[row.model].trued += row.cost_nano
            tallies[row.model].true_ups += 1
            continue
        owed = tiers.price(row)
        if owed is not None:
            tallies[row.model].add(row, owed)
    before = ledger.duplicates
    models = [
        _true_up(ledger, month, stop - 1, model, tally)
        for model, tally in sorted(tallies.items())
        if tally.rows and model not in tiers.skipped
    ]
    ledger.flush()
    if ledger.duplicates > before:
        raise InputError(
            "another process is closing this month too",
            where=month,
            hint="close it again: only what is missing is written",
        )
    return Closed(month=month, models=tuple(models), skipped=tuple(sorted(tiers.skipped.items())))


def _true_up(ledger: Ledger, month: str, at_ms: int, model: str, tally: _Tally) -> TrueUp:
    difference = tally.owed - tally.posted - tally.trued
    name = f"true-up/{month}/{model}"
    if len(name) > _ID_MAX:
        name = f"true-up/{month}/{key_of(model).hex()}"
    shares = tally.shares(difference) if difference else []
    for number, (who, nano) in enumerate(shares, tally.true_ups + 1):
        ledger.record(
            Event(
                id=f"{name}/{number}",
                at_ms=at_ms,
                who=who,
                what=What(model=model, kind="true_up"),
                units=NO_UNITS,
                cost_nano=nano,
            ),
            wait=False,
        )
    return TrueUp(
        model=model,
        rows=tally.rows,
        posted_nano=tally.posted + tally.trued,
        trued_nano=tally.trued,
        owed_nano=tally.owed,
        written_nano=difference,
        written=bool(shares),
    )


def _span(month: str) -> tuple[int, int]:
    try:
        first = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        raise InputError(f"no month can be read from {month[:20]!r}", where="month", hint="2026-10") from None
    after = (first + dt.timedelta(days=32)).replace(day=1)
    return round(first.timestamp() * 1000), round(after.timestamp() * 1000)
