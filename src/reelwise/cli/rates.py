"""`reelwise rates`: list, show, check and compare prices."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelwise.cli.output import json_option, note, print_json, quantity, table
from reelwise.errors import GateError
from reelwise.rates.cards import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reelwise.rates import Book, Change, Listing, Rate

__all__ = ["cli"]

F = TypeVar("F", bound="Callable[..., Any]")

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def cli() -> None:
    """List, show, check and compare prices. Every price says who published it and when it was read."""


def _rates_option(command: F) -> F:
    return click.option(
        "--rates",
        "overrides",
        type=click.Path(path_type=Path),
        help="Your own prices: discounts, replaced prices, other currencies.",
    )(command)


def _book(day: dt.datetime | None, overrides: Path | None) -> Book:
    from reelwise.rates import Book

    return Book.load(day.date() if day else _today(), overrides)


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).date()


@cli.command("list")
@click.option(
    "--kind",
    type=click.Choice((*KINDS, "language", "given")),
    help="Only this kind; `language` lists the models priced by tokens.",
)
@click.option("--provider", help="Only this provider.")
@click.option("--search", help="Only ids and titles that contain this.")
@click.option("--day", type=_DAY, help="Prices of this day; today if not given.")
@_rates_option
@json_option
def list_(
    *,
    kind: str | None,
    provider: str | None,
    search: str | None,
    day: dt.datetime | None,
    overrides: Path | None,
    as_json: bool,
) -> None:
    """List what has a price, and what is known to have none.

    Language models (thousands) are listed with --kind language, --provider or --search.
    """
    book = _book(day, overrides)
    wide = kind == "language" or (kind is None and bool(provider or search))
    word = (search or "").lower()
    found = [
        one
        for one in book.entries(language=wide)
        if kind in {None, one.kind}
        and provider in {None, one.provider}
        and (word in one.sku.lower() or word in one.title.lower())
    ]
    if as_json:
        print_json({"day": book.day.isoformat(), "entries": found})
        return
    table(("sku", "kind", "price", "further", "quality", "checked"), [_list_row(one) for one in found], right=(3,))
    unpriced = sum(bool(one.unpriced) for one in found)
    note(f"{len(found):,} entries, {unpriced} of them without a price" + ("" if wide else "; models: --kind language"))


def _list_row(one: Listing) -> tuple[str, ...]:
    if not one.rates:
        return (one.sku, one.kind, f"unpriced: {one.unpriced}", "", "", "")
    first = one.rates[0]
    return (one.sku, one.kind, _price(first), str(len(one.rates) - 1 or ""), first.quality, first.checked)


def _price(rate: Rate) -> str:
    if rate.tiers:
        return " / ".join(_each(tier.usd, rate.unit) for tier in rate.tiers) + f" per {_per(rate.unit)}"
    return f"{_each(float(rate.usd), rate.unit)} per {_per(rate.unit)}"


def _each(usd: float, unit: str) -> str:
    """Write a price to its last digit, with at least two decimals: 1.875 is not 1.88."""
    text = f"{usd * 1e6 if _by_million(unit) else usd:,.7g}"
    if "e" in text:
        return text
    whole, _, part = text.partition(".")
    return f"{whole}.{part:0<2}"


def _per(unit: str) -> str:
    return f"1M {unit}" if _by_million(unit) else unit


def _by_million(unit: str) -> bool:
    return unit.startswith("token")


@cli.command()
@click.argument("name")
@click.option("--day", type=_DAY, help="Prices of this day; today if not given.")
@_rates_option
@json_option
def show(*, name: str, day: dt.datetime | None, overrides: Path | None, as_json: bool) -> None:
    """Show everything about one card or model: units, tiers, modes, long-context threshold, history, sources."""
    book = _book(day, overrides)
    one = book.listing(name)
    language = one.kind == "language"
    shown = {
        "day": book.day.isoformat(),
        "sku": one.sku,
        "provider": one.provider,
        "kind": one.kind,
        "title": one.title,
        "unit": "" if one.unpriced else book.unit_of(name),
        "modes": book.modes(name),
        "cliff": book.cliff(name),
        "context_limit": book.context_limit(name),
        "unpriced": one.unpriced,
        "rates": one.rates,
        "card": _card(book, name) if not language else {},
        "history": _history(book, name),
    }
    if as_json:
        print_json(shown)
        return
    _print_shown(one, shown)


def _card(book: Book, name: str) -> dict[str, Any]:
    """List what a card says beside its prices: GPU, watts, idle seconds, billing rule."""
    from msgspec import structs

    from reelwise.errors import UnknownModelError

    try:
        entry = book.entry(name)
    except UnknownModelError:
        return {}
    hidden = {"sku", "kind", "title", "prices", "unpriced"}
    return {key: value for key, value in structs.asdict(entry).items() if value and key not in hidden}


def _history(book: Book, name: str) -> list[dict[str, Any]]:
    from reelwise.rates import Book, changed

    rows = []
    for start in book.starts(name):
        day = dt.date.fromisoformat(start)
        before = Book(day - dt.timedelta(days=1), book.overrides)
        changes = changed(before, Book(day, book.overrides), skus=[name])
        if changes:
            rows.append({"day": start, "upcoming": day > book.day, "changes": changes})
    return rows


def _print_shown(one: Listing, shown: dict[str, Any]) -> None:
    facts = [f"{key.replace('_', ' ')}: {_fact(value)}" for key, value in shown["card"].items()]
    if shown["context_limit"]:
        facts.append(f"context: {shown['context_limit']:,} tokens")
    if shown["cliff"]:
        facts.append(f"above {shown['cliff']:,} input tokens the whole request is repriced")
    click.echo(f"{one.sku}  {one.title}  ({one.kind}, {one.provider or 'your own'}, {shown['day']})")
    for fact in facts:
        click.echo(f"  {fact}")
    if one.unpriced:
        click.echo(f"  unpriced: {one.unpriced}")
        return
    table(
        ("unit", "variant", "price", "free a month", "note", "quality", "checked"),
        [
            (r.unit, r.variant, _steps(r), quantity(r.free_month) if r.free_month else "", r.note, r.quality, r.checked)
            for r in one.rates
        ],
        right=(3,),
    )
    for source in dict.fromkeys(rate.source for rate in one.rates):
        click.echo(f"source: {source}")
    for row in shown["history"]:
        click.echo(f"\n{'coming on' if row['upcoming'] else 'since'} {row['day']}")
        _print_changes(row["changes"], with_sku=False)


def _fact(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_fact, value))
    return quantity(value) if isinstance(value, (int, float)) else str(value)


def _steps(rate: Rate) -> str:
    if not rate.tiers:
        return _price(rate)
    parts = []
    for tier in rate.tiers:
        end = "above" if tier.up_to == float("inf") else f"to {quantity(tier.up_to)}"
        parts.append(f"{_each(tier.usd, rate.unit)} {end}")
    return "; ".join(parts) + f" (per {_per(rate.unit)})"


def _print_changes(changes: Iterable[Change], *, with_sku: bool) -> None:
    rows = []
    for one in changes:
        name = ", ".join(part for part in (one.variant, f"to {quantity(one.up_to)}" if one.up_to else "") if part)
        unit = _per(one.unit)
        cells = (unit, name, _or_none(one.before, one.unit), _or_none(one.after, one.unit))
        rows.append((one.sku, *cells) if with_sku else cells)
    columns = ("unit", "variant", "before", "after")
    shift = int(with_sku)
    table((("sku", *columns) if with_sku else columns), rows, right=(2 + shift, 3 + shift))


def _or_none(usd: float | None, unit: str) -> str:
    return "none" if usd is None else _each(usd, unit)


@cli.command()
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="Older than this is stale.")
@click.option("--today", type=_DAY, help="The day to count from; today if not given.")
@click.option("--strict", is_flag=True, help="Exit with 3 if a price is stale or says no source.")
@_rates_option
@json_option
def check(*, days: int, today: dt.datetime | None, strict: bool, overrides: Path | None, as_json: bool) -> None:
    """Name prices that nobody has read again for a while, that say no source, or that are missing."""
    book = _book(today, overrides)
    prices, unpriced = _checked(book)
    stale = [row for row in prices if row["age_days"] is not None and row["age_days"] > days]
    bare = [row for row in prices if not row["source"] or row["age_days"] is None]
    result = {
        "today": book.day.isoformat(),
        "days": days,
        "prices": len(prices),
        "stale": sorted(stale, key=lambda row: -row["age_days"]),
        "without_source": bare,
        "unpriced": unpriced,
    }
    if as_json:
        print_json(result)
    else:
        _print_check(result)
    if strict and (stale or bare):
        raise GateError(
            f"{len(stale)} stale prices, {len(bare)} without a source or date",
            hint="read the sources again and add dated entries, or raise --days",
        )


def _checked(book: Book) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    from reelwise.rates.language import package_read, package_version

    package = f"genai-prices {package_version()}"
    prices = [_aged(book, "genai-prices", "tokens", package, package_read())]
    unpriced = []
    for one in book.entries():
        if one.unpriced:
            unpriced.append({"sku": one.sku, "why": one.unpriced})
        prices += [_aged(book, rate.sku, rate.unit, rate.source, rate.checked) for rate in one.rates]
    return prices, unpriced


def _aged(book: Book, sku: str, unit: str, source: str, checked: str) -> dict[str, Any]:
    age = (book.day - dt.date.fromisoformat(checked)).days if checked else None
    return {"sku": sku, "unit": unit, "checked": checked, "age_days": age, "source": source}


def _print_check(result: dict[str, Any]) -> None:
    columns = ("sku", "unit", "checked", "days", "source")
    for title, rows in (("Stale", result["stale"]), ("Without a source or date", result["without_source"])):
        if rows:
            cells = [(r["sku"], r["unit"], r["checked"], str(r["age_days"] or ""), r["source"]) for r in rows]
            table(columns, cells, title=title, right=(3,))
    if result["unpriced"]:
        table(("sku", "why"), [(row["sku"], row["why"]) for row in result["unpriced"]], title="Unpriced")
    note(
        f"{result['prices']} prices on {result['today']}: {len(result['stale'])} older than {result['days']} days,"
        f" {len(result['without_source'])} without source or date; {len(result['unpriced'])} things unpriced"
    )


@cli.command()
@click.argument("before", type=_DAY)
@click.argument("after", type=_DAY)
@click.option("--workload", type=click.Path(path_type=Path), help="Say what the change does to this workload's bill.")
@_rates_option
@json_option
def diff(
    *, before: dt.datetime, after: dt.datetime, workload: Path | None, overrides: Path | None, as_json: bool
) -> None:
    """List the prices that change from one day to another; with --workload, what that does to its bill."""
    from reelwise.rates import changed

    if workload is not None:
        _workload_diff(workload, before.date(), after.date(), overrides, as_json=as_json)
        return
    changes = changed(_book(before, overrides), _book(after, overrides))
    if as_json:
        print_json({"from": before.date().isoformat(), "to": after.date().isoformat(), "changes": changes})
        return
    if changes:
        _print_changes(changes, with_sku=True)
    note(f"{len(changes)} prices change from {before.date()} to {after.date()}")


def _workload_diff(workload: Path, before: dt.date, after: dt.date, overrides: Path | None, *, as_json: bool) -> None:
    from reelwise.case import load
    from reelwise.cli.forecast import show_repriced, show_steps
    from reelwise.cli.options import EVIDENCE
    from reelwise.cli.output import money
    from reelwise.forecast import repriced, steps_ahead

    case = load(workload, day=before.isoformat(), rates=overrides, evidence=EVIDENCE)
    was, now, lines = repriced(case, before, after)
    ahead = steps_ahead(case, after)
    if as_json:
        days = {"from": before.isoformat(), "to": after.isoformat()}
        print_json({**days, "before": was, "after": now, "change_usd": now - was, "lines": lines, "ahead": ahead})
        return
    feature = case.workload.feature
    if lines:
        share = f", {now / was - 1:+.1%}" if was else ""
        click.echo(
            f"{feature}: {money(was)} USD a month on {before}, {money(now)} on {after} ({now - was:+,.2f}{share})"
        )
        show_repriced(lines)
    else:
        click.echo(f"{feature}: {money(was)} USD a month on {before} and on {after}: no price that it uses changes")
    show_steps(ahead)
