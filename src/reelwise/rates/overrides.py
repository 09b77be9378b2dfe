"""Your own prices over the listed ones: private discounts, replaced prices, other currencies.

    exchange: {currency: EUR, usd_per_unit: 1.08, day: 2026-11-02, source: "our treasury"}     # holds for the whole file
    overrides:
      - {provider: aws, discount_percent: 12, source: "private pricing addendum"}
      - {sku: aws/g4dn.xlarge, price: 0.31, source: "3-year contract"}
      - {model: gemini-2.5-pro, unit: tokens_text, price: 1.10, per: 1000000, source: "order form"}
      - {model: gemini-2.5-pro, mode: batch, from_mode: standard, discount_percent: 50, source: "batch guide"}

A replaced price is what you pay: no discount is taken off it. Discounts that meet on one price multiply.
With `from_mode` a mode is made: it costs what the other mode costs, long-context bands and all, less the percent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct, field

from reelwise.documents import decode, read_yaml
from reelwise.errors import DocumentError
from reelwise.rates.cards import IsoDay, NotNegative, Positive, UnitName, check_ends, each
from reelwise.rates.rate import Rate, Tier, replaced, scaled

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exchange", "Override", "Overrides", "PrivateRates", "read_overrides"]


class Exchange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dated exchange rate: how many USD one unit of a currency is."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    usd_per_unit: Positive
    day: IsoDay
    source: Annotated[str, Meta(min_length=1)]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a graduated private price: `up_to` units a month (none: no end), `price` for `per` units."""

    price: NotNegative
    up_to: Positive | None = None


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One private price.

    Attributes:
        sku, model, provider: exactly one: what it is about.
        discount_percent: percent off the listed price; or `price`, or `tiers`, which replace it.
        unit: which unit is replaced; a card's own unit if empty.
        mode: which mode is meant; empty: every mode for a discount, standard for a price.
        from_mode: `mode` is made: it costs what this mode costs, less `discount_percent`.
        resolution: which resolution is meant; empty: any.
        price: in the file's currency, for `per` units; `tiers` likewise, graduated over the month.
        free_month, round_to: as on a card.
        exchange: this price's own exchange rate.
        starts, ends: first and last day (`from` and `until` in the file); empty is open.
        source: the contract or offer.
    """

    sku: str = ""
    model: str = ""
    provider: str = ""
    discount_percent: Annotated[float, Meta(gt=0, le=100)] | None = None
    unit: UnitName | Literal[""] = ""
    mode: Literal["", "standard", "batch", "flex", "priority", "fast"] = ""
    from_mode: Literal["", "standard", "batch", "flex", "priority", "fast"] = ""
    resolution: str = ""
    price: NotNegative | None = None
    tiers: tuple[Step, ...] = ()
    per: Positive = 1.0
    free_month: NotNegative = 0.0
    round_to: NotNegative = 0.0
    exchange: Exchange | None = None
    starts: IsoDay | Literal[""] = field(default="", name="from")
    ends: IsoDay | Literal[""] = field(default="", name="until")
    source: str = ""
    note: str = ""

    def holds(self, day: str) -> bool:
        """Say whether it holds on an ISO day."""
        return self.starts <= day and (not self.ends or day <= self.ends)


class PrivateRates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of private prices.

    Attributes:
        exchange: the currency that all its prices are in; empty is USD.
        overrides: the prices; of two about the same thing the later one wins.
    """

    exchange: Exchange | None = None
    overrides: tuple[Override, ...] = ()


class Overrides(Struct, frozen=True, kw_only=True):
    """The overrides of one file.

    Attributes:
        where: the file, for messages and sources.
        entries: in the file's order, with the file's exchange rate filled in.
    """

    where: str = ""
    entries: tuple[Override, ...] = ()

    def prices(self, name: str, day: str) -> tuple[Override, ...]:
        """List the prices that replace a model's or a sku's, the last of one unit and mode winning."""
        return tuple(
            one
            for one in self.entries
            if one.discount_percent is None and name in {one.sku, one.model} and one.holds(day)
        )

    def discounted(self, rate: Rate, names: tuple[str, ...], *, provider: str, mode: str, day: str, unit: str) -> Rate:
        """Take every discount that applies off a listed rate; `unit` is the unit whose listed price it is charged at."""
        for one in self.entries:
            percent = one.discount_percent
            if (
                percent is None
                or one.from_mode
                or not one.holds(day)
                or one.mode not in {"", mode}
                or one.unit not in {"", unit}
            ):
                continue
            if one.provider == provider if one.provider else (one.sku or one.model) in names:
                rate = scaled(rate, 1.0 - percent / 100.0, f"{percent:g}% off by {self._says(one)}")
        return rate

    def made(self, names: tuple[str, ...], day: str) -> dict[str, Override]:
        """Map each mode that is made out of another one to its entry; the last of a mode wins. `names` has the provider too."""
        return {
            one.mode: one
            for one in self.entries
            if one.from_mode and one.holds(day) and (one.provider or one.sku or one.model) in names
        }

    def in_mode(self, one: Override, rate: Rate) -> Rate:
        """Turn a rate of the mode that one is made out of into a rate of the made mode."""
        percent = one.discount_percent or 0.0
        made = scaled(
            rate, 1.0 - percent / 100.0, f"{one.mode} is {percent:g}% off {one.from_mode} by {self._says(one)}"
        )
        rest = rate.variant.removeprefix(one.from_mode).removeprefix(", ")
        return replaced(made, variant=", ".join(part for part in (one.mode.removeprefix("standard"), rest) if part))

    def rate(self, one: Override, sku: str, unit: str) -> Rate:
        """Turn a replaced price into a rate in USD."""
        exchange = one.exchange
        factor = exchange.usd_per_unit if exchange else 1.0
        tiers = tuple(
            Tier(float("inf") if step.up_to is None else step.up_to, each(step.price, one.per) * factor)
            for step in one.tiers
        )
        source = f"given by {self._says(one)}"
        if exchange:
            source += f"; 1 {exchange.currency} = {exchange.usd_per_unit:g} USD on {exchange.day} ({exchange.source})"
        return Rate(
            sku=sku,
            unit=unit,
            usd=tiers[0].usd if tiers else each(one.price or 0.0, one.per) * factor,
            tiers=tiers,
            free_month=one.free_month,
            round_to=one.round_to,
            source=source,
            checked=exchange.day if exchange else one.starts,
            quality="given",
            note=one.note,
            variant=", ".join(part for part in (one.mode.removeprefix("standard"), one.resolution) if part),
        )

    def _says(self, one: Override) -> str:
        return f"{self.where}: {one.source}" if one.source else self.where


def read_overrides(path: Path) -> Overrides:
    """Read an override file.

    Raises:
        DocumentError: unknown fields, two subjects, a discount and a price, or a currency without its dated rate.
    """
    file = decode(read_yaml(path), PrivateRates, where=str(path))
    entries = []
    for index, one in enumerate(file.overrides):
        where = f"{path} $.overrides[{index}]"
        _check(one, where)
        entries.append(_filled(one, file.exchange))
    _check_made(entries, path)
    return Overrides(where=path.name, entries=tuple(entries))


def _filled(one: Override, exchange: Exchange | None) -> Override:
    import msgspec

    if one.discount_percent is not None or one.exchange or not exchange:
        return one
    return msgspec.structs.replace(one, exchange=exchange)


def _check(one: Override, where: str) -> None:
    if sum(map(bool, (one.sku, one.model, one.provider))) != 1:
        raise DocumentError("exactly one of `sku`, `model` and `provider` is needed", where=where, hint="keep one")
    given = (one.discount_percent is not None) + (one.price is not None) + bool(one.tiers)
    if given != 1:
        raise DocumentError(
            "exactly one of `discount_percent`, `price` and `tiers` is needed", where=where, hint="keep one"
        )
    if one.provider and one.discount_percent is None:
        raise DocumentError("a provider has no single price", where=where, hint="name a `sku` or a `model`")
    if one.model and one.discount_percent is None and not one.unit:
        raise DocumentError(
            "a model's price needs its `unit`", where=where, hint="say `unit: tokens_text` and `per: 1000000`"
        )
    if one.from_mode and (one.discount_percent is None or one.mode in {"", one.from_mode} or one.unit):
        raise DocumentError(
            "a made mode needs `mode`, another `from_mode` and `discount_percent`, and no `unit`",
            where=where,
            hint="write {model: M, mode: batch, from_mode: standard, discount_percent: 50}",
        )
    if one.ends and one.ends < one.starts:
        raise DocumentError("`until` lies before `from`", where=where, hint="swap them")
    check_ends([step.up_to for step in one.tiers], where=where)


def _check_made(entries: list[Override], path: Path) -> None:
    made = {one.mode for one in entries if one.from_mode}
    for index, one in enumerate(entries):
        if one.from_mode in made:
            raise DocumentError(
                f"`{one.from_mode}` is made out of another mode itself",
                where=f"{path} $.overrides[{index}]",
                hint="name the listed mode it comes from",
            )
