"""How commands show prices of other days: the months of a forecast, the lines that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelwise.cli.output import money, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.forecast import Month, Repriced, Step

__all__ = ["show_forecast", "show_repriced", "show_steps"]


def show_forecast(months: Sequence[Month]) -> None:
    """Print the months with what changed in each."""
    rows = [
        (one.month, "-" if one.total_usd is None else money(one.total_usd), one.why or _changes(one.changes))
        for one in months
    ]
    click.echo("Forecast: the same work, each month at the prices of its first day")
    table(("month", "USD", "what changes"), rows, right=(1,))
    known = [one.total_usd for one in months if one.total_usd is not None]
    gap = "" if len(known) == len(months) else f" ({len(months) - len(known)} months without a price left out)"
    click.echo(f"{money(sum(known))} USD in {len(known)} months{gap}")


def show_repriced(rows: Iterable[Repriced]) -> None:
    """Print the lines of a bill that change, with the old and the new price."""
    columns = ("billed", "unit", "where", "USD before", "USD after", "USD a month before", "after", "change")
    table(columns, [_cells(row) for row in rows], right=(3, 4, 5, 6, 7))


def _cells(row: Repriced) -> tuple[str, ...]:
    unit = f"1M {row.unit}" if _by_million(row.unit) else row.unit
    return (
        row.sku,
        unit if row.quantity_before == row.quantity_after else f"{unit} (counted otherwise)",
        f"{row.stage}/{row.lane}" if row.lane else row.stage,
        _each(row.rate_before, row.unit),
        _each(row.rate_after, row.unit),
        money(row.usd_before),
        money(row.usd_after),
        f"{row.change_usd:+,.2f}",
    )


def show_steps(steps: Iterable[Step]) -> None:
    """Print the days on which the bill changes by itself."""
    for step in steps:
        click.echo(
            f"from {step.day}: {money(step.total_usd)} USD a month ({step.change_usd:+,.2f}), {_changes(step.changes)}"
        )


def _changes(changes: Sequence[Repriced]) -> str:
    """Say for each model or card what happens to its prices: one factor where all move alike."""
    said = []
    for sku in dict.fromkeys(change.sku for change in changes):
        rows = [change for change in changes if change.sku == sku]
        factors = {f"{row.rate_after / row.rate_before:.4g}" for row in rows if row.rate_before and row.rate_after}
        counted = any(row.quantity_before != row.quantity_after for row in rows)
        if len(factors) == 1 and not counted:
            said.append(f"{sku} x{factors.pop()}")
        else:
            units = ", ".join(
                f"{row.unit} {_each(row.rate_before, row.unit)} to {_each(row.rate_after, row.unit)}" for row in rows
            )
            said.append(f"{sku}: {units}" + (", counted otherwise" if counted else ""))
    return "; ".join(said)


def _each(usd: float | None, unit: str) -> str:
    return "none" if usd is None else f"{usd * 1e6 if _by_million(unit) else usd:,.6g}"


def _by_million(unit: str) -> bool:
    return unit.startswith("token")
