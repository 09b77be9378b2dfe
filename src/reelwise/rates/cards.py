"""Rate cards: one YAML file per provider, read into typed entries.

A change of price is a new row with a `from` date; what was there before stays. What has no sourced price says why.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from reelwise.documents import decode, read_yaml
from reelwise.errors import DocumentError, UnpricedError
from reelwise.rates.rate import Rate, Tier

__all__ = [
    "CALLED",
    "KINDS",
    "Entry",
    "Kind",
    "Price",
    "Sheet",
    "Source",
    "Step",
    "UnitName",
    "load_cards",
    "on",
    "rate_of",
    "read_sheet",
    "resolved",
]

Kind = Literal[
    "vision",
    "video",
    "speech",
    "video_generation",
    "compute",
    "serverless",
    "storage",
    "egress",
    "device",
    "electricity",
    "cache_storage",
]

KINDS: tuple[str, ...] = get_args(Kind)

CALLED: frozenset[str] = frozenset({"vision", "video", "speech", "video_generation", "egress"})
"""Kinds that a call is billed by; the others are billed by what stands or lies there."""

UnitName = Literal[
    "tokens_text",
    "tokens_image",
    "tokens_video",
    "tokens_audio",
    "tokens_cached",
    "tokens_audio_cached",
    "tokens_cache_write",
    "tokens_cache_write_1h",
    "tokens_output",
    "image",
    "second",
    "minute",
    "hour",
    "block",
    "request",
    "gb",
    "gb_month",
    "gib_month",
    "minute_month",
    "token_hour",
    "kwh",
    "device",
]

Quality = Literal["primary", "harvest", "secondary", "derived", "package", "given", ""]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
IsoDay = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Sku = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$")]

T = TypeVar("T", bound=Struct)

_DATA = Path(__file__).parent / "data"
_MOST_SHEETS = 500


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a graduated price: `up_to` units a month (none: no end), `usd` for `per` units."""

    usd: NotNegative
    up_to: Positive | None = None


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dated price of one unit.

    Attributes:
        unit: what is counted.
        usd: USD for `per` units; or `tiers`, graduated over the account's month.
        per: units that `usd` and the tiers' `usd` are for: 1000 for a price per 1,000.
        starts: first day on which it holds (`from` in the file); empty means as long as anyone knows.
        mode: standard, batch, flex, priority or fast.
        resolution: the resolution it holds for; empty for any other.
        free_month: units a month that are free.
        round_to: the month's sum is rounded up to a multiple of it.
        minimum_seconds: shortest billable call.
        round_call_to: each call is rounded up to a multiple of this many units.
        frames: frames in a block, for the unit `block`.
        source, checked, quality: who says so, when it was read, how good it is; empty means as the file says.
        note: what a reader must know.
    """

    unit: UnitName
    usd: NotNegative | None = None
    tiers: tuple[Step, ...] = ()
    per: Positive = 1.0
    starts: IsoDay | Literal[""] = msgspec.field(default="", name="from")
    mode: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    resolution: str = ""
    free_month: NotNegative = 0.0
    round_to: NotNegative = 0.0
    minimum_seconds: NotNegative = 0.0
    round_call_to: NotNegative = 0.0
    frames: NotNegative = 0.0
    source: str = ""
    checked: IsoDay | Literal[""] = ""
    quality: Quality = ""
    note: str = ""


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is billed.

    Attributes:
        sku: its id, `provider/product[/variant]`.
        kind: what sort of thing it is.
        title: its name for people.
        aliases: other ids it is asked for by.
        prices: its prices; the first row's unit is its own unit.
        unpriced: why there is no price; then `prices` is empty.
        region: where the price holds.
        gpu: the accelerator, as the vendor names it; `gpus` of them; `vcpu` virtual cores.
        watts: electrical power of one device or one accelerator, low to high.
        tops_int8_sparse: peak rate, sparse 8-bit operations, in 10^12 a second.
        idle_seconds: billed after the last call.
        cold_start_seconds: from a cold call to its first answer, low to high.
        minimum_days: shortest time of storage that is billed.
        streaming: it answers while the footage comes in, not when all of it is there.
        billing: what else is billed and how.
        source, checked, quality, note: as in `Price`.
    """

    sku: Sku
    kind: Kind
    title: str = ""
    aliases: tuple[Sku, ...] = ()
    prices: tuple[Price, ...] = ()
    unpriced: str = ""
    region: str = ""
    gpu: str = ""
    gpus: NotNegative = 0.0
    vcpu: NotNegative = 0.0
    watts: tuple[NotNegative, ...] = ()
    tops_int8_sparse: NotNegative = 0.0
    idle_seconds: NotNegative = 0.0
    cold_start_seconds: tuple[NotNegative, ...] = ()
    minimum_days: NotNegative = 0.0
    streaming: bool = False
    billing: str = ""
    source: str = ""
    checked: IsoDay | Literal[""] = ""
    quality: Quality = ""
    note: str = ""


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where prices come from, when it was read, and how good it is."""

    text: Annotated[str, Meta(min_length=1)]
    checked: IsoDay | Literal[""] = ""
    quality: Quality = ""


class Sheet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider's file.

    Attributes:
        provider: its id, the first part of its skus; title: its name for people.
        source, checked, quality: hold where an entry or a price says nothing else.
        sources: sources by name; `source` of an entry or a price may be such a name.
        entries: what it bills.
    """

    provider: Annotated[str, Meta(pattern=r"^[a-z0-9-]+$")]
    title: str = ""
    source: str = ""
    checked: IsoDay | Literal[""] = ""
    quality: Quality = ""
    sources: dict[str, Source] = {}
    entries: tuple[Entry, ...] = ()


def read_sheet(path: Path) -> Sheet:
    """Read one card file and fill the entries' empty sources, dates and qualities from the file's and the entry's own.

    Raises:
        DocumentError: not a card file, or an entry contradicts itself.
    """
    sheet = decode(read_yaml(path), Sheet, where=str(path))
    entries = []
    top = _origin(sheet, sheet, Source(text="-"))
    for entry in sheet.entries:
        _check(entry, where=f"{path} {entry.sku}")
        own = _origin(entry, sheet, top)
        prices = tuple(_sourced(price, _origin(price, sheet, own)) for price in entry.prices)
        entries.append(msgspec.structs.replace(_sourced(entry, own), prices=prices))
    return msgspec.structs.replace(sheet, entries=tuple(entries))


def _origin(one: Price | Entry | Sheet, sheet: Sheet, above: Source) -> Source:
    """Resolve where something comes from: its own words, else the named source's, else those of what it stands in."""
    base = sheet.sources.get(one.source, above)
    text = one.source if one.source and one.source not in sheet.sources else base.text
    return Source(
        text=text,
        checked=one.checked or base.checked or above.checked,
        quality=one.quality or base.quality or above.quality,
    )


def _sourced(one: T, origin: Source) -> T:
    text = "" if origin.text == "-" else origin.text
    return msgspec.structs.replace(one, source=text, checked=origin.checked, quality=origin.quality)


def _check(entry: Entry, *, where: str) -> None:
    if bool(entry.unpriced) == bool(entry.prices):
        raise DocumentError(
            "an entry has either prices or a reason for having none", where=where, hint="see the schema"
        )
    for price in entry.prices:
        if (price.usd is None) == (not price.tiers):
            raise DocumentError("a price has either `usd` or `tiers`", where=where, hint="see the schema")
        check_ends([step.up_to for step in price.tiers], where=where)
        if (price.unit == "block") != bool(price.frames):
            raise DocumentError(
                "`frames` goes with the unit `block`", where=where, hint="say how many frames are a block"
            )


def check_ends(ends: list[float | None], *, where: str) -> None:
    """Refuse steps whose ends do not rise, or one without an end before the last."""
    low = 0.0
    for index, end in enumerate(ends):
        if end is None and index < len(ends) - 1:
            raise DocumentError("only the last step has no end", where=where, hint="give the others `up_to`")
        if end is not None and end <= low:
            raise DocumentError("the steps do not rise", where=where, hint="order them by `up_to`")
        low = end or low


@lru_cache(maxsize=1)
def load_cards() -> dict[str, tuple[str, Entry]]:
    """Read all card files once a process: sku to provider and entry. Treat it as read-only.

    Raises:
        DocumentError: a card is broken or an id is taken twice.
    """
    found: dict[str, tuple[str, Entry]] = {}
    taken: set[str] = set()
    for path in sorted(_DATA.glob("*.yaml"))[:_MOST_SHEETS]:
        sheet = read_sheet(path)
        for entry in sheet.entries:
            for name in (entry.sku, *entry.aliases):
                if name in taken:
                    raise DocumentError("this id is taken twice", where=f"{path} {name}", hint="rename one")
                taken.add(name)
            found[entry.sku] = (sheet.provider, entry)
    return found


def on(entry: Entry, day: str) -> tuple[Price, ...]:
    """List the prices that hold on an ISO day, one for each unit, mode and resolution, in the file's order."""
    best: dict[tuple[str, str, str], Price] = {}
    for price in entry.prices:
        if price.starts <= day:
            key = (price.unit, price.mode, price.resolution)
            held = best.get(key)
            if held is None or price.starts >= held.starts:
                best[key] = price
    return tuple(best.values())


def rate_of(sku: str, price: Price) -> Rate:
    """Turn a card's price into a rate for one unit."""
    variant = ", ".join(part for part in (price.mode if price.mode != "standard" else "", price.resolution) if part)
    tiers = tuple(
        Tier(float("inf") if step.up_to is None else step.up_to, each(step.usd, price.per)) for step in price.tiers
    )
    return Rate(
        sku=sku,
        unit=price.unit,
        usd=tiers[0].usd if tiers else each(price.usd or 0.0, price.per),
        tiers=tiers,
        free_month=price.free_month,
        round_to=price.round_to,
        source=price.source,
        checked=price.checked,
        quality=price.quality,
        note=price.note,
        variant=variant,
    )


def each(usd: float, per: float) -> float:
    """Divide exactly in decimal, so that 1.50 per 1,000 is the same float as 0.0015."""
    return usd if per == 1.0 else float(Decimal(str(usd)) / Decimal(str(per)))


def resolved(prices: list[Price], resolution: str, sku: str) -> list[Price]:
    """Pick the price of a resolution for each unit, or the one for any other.

    Raises:
        UnpricedError: it has a price for other resolutions only.
    """
    picked = []
    for unit in dict.fromkeys(price.unit for price in prices):
        rows = {price.resolution: price for price in prices if price.unit == unit}
        row = rows.get(resolution, rows.get(""))
        if row is None:
            raise UnpricedError(
                f"no price at resolution {resolution!r}" if resolution else "its price depends on the resolution",
                where=sku,
                hint=f"say one of {', '.join(rows)}",
            )
        picked.append(row)
    return picked
