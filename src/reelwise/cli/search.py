"""`reelwise search`: the cheapest combination of levers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import case_options, open_case
from reelwise.cli.output import json_option, money, print_json, table

if TYPE_CHECKING:
    from reelwise.search import Choice

__all__ = ["cli"]


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@case_options
@click.option(
    "--levers", help="Combine only these, comma separated; default: every lever with all its offered settings."
)
@click.option(
    "--quality-floor", type=click.FloatRange(0, 1), help="Smallest quality kept; unknown quality is left out."
)
@json_option
def cli(workload: Path, *, levers: str | None, quality_floor: float | None, as_json: bool, **options: Any) -> None:
    """Find the cheapest combination of levers for a WORKLOAD within its latency class and a quality floor."""
    from reelwise.search import search

    if quality_floor is not None and not 0 <= quality_floor <= 1:
        raise click.BadParameter("a share between 0 and 1", param_hint="--quality-floor")
    names = tuple(name.strip() for name in levers.split(",") if name.strip()) if levers is not None else None
    case = open_case(workload, levers=names, **options)
    found = search(case, case.levers if names is not None else None, quality_floor=quality_floor)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found.looked_at:,} plans priced, {found.infeasible:,} of them too slow or too long for a context")
    click.echo(f"as it is: {money(found.naive_usd_month)} USD a month")
    if found.best is None:
        click.echo("nothing is within the floor and the latency class")
    else:
        click.echo(f"best: {_say(found.best)}")
    if found.cheapest_unknown is not None:
        click.echo(f"cheapest, quality not known: {_say(found.cheapest_unknown)}")
    rows = [(money(c.usd_month), f"{c.quality:.3f}", f"{c.latency_ms / 1000:,.1f}", _levers(c)) for c in found.front]
    if rows:
        click.echo("\nOf known quality, none cheaper and better:")
        table(("USD a month", "quality", "seconds", "levers"), rows, right=(0, 1, 2))
    for name, reason in found.left_out:
        if reason != "has a card only":
            click.echo(f"  left out: {name}: {reason}")


def _levers(choice: Choice) -> str:
    return ", ".join(name for name, _ in choice.levers) or "none"


def _say(choice: Choice) -> str:
    quality = "quality not measured" if choice.quality is None else f"quality {choice.quality:.3f}"
    text = f"{money(choice.usd_month)} USD a month, {quality}: {_levers(choice)}"
    for name, settings in choice.levers:
        own = ", ".join(f"{k}={v}" for k, v in settings.items() if v is not None)
        if own:
            text += f"\n    {name}: {own}"
    return text
