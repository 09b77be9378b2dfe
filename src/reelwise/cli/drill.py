"""`reelwise drill`: the testing matrix as scenarios: what was promised, what came of it, what it cost."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, money, note, print_json

if TYPE_CHECKING:
    from reelwise.drill.drilling import Drilled

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)
_WIDTH, _INDENT = 100, " " * 8


@click.command()
@click.argument("plan", type=_FILE)
@click.option("--workload", "-w", type=_FILE, help="A workload file beside a bare plan.")
@click.option("--scenarios", type=_FILE, help="Scenarios of your own (YAML), in place of the testing matrix.")
@click.option("--also", type=_FILE, help="Scenarios of your own, besides the testing matrix.")
@click.option("--only", help="Only scenarios whose name holds this.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the file.")
@click.option("--day", help="Price at this day (ISO).")
@json_option
def cli(
    *,
    plan: Path,
    workload: Path | None,
    scenarios: Path | None,
    also: Path | None,
    only: str | None,
    settings: tuple[str, ...],
    day: str | None,
    as_json: bool,
) -> None:
    """Play scenarios with PLAN: in normal use, with high motion, for long, slow, away, revoked, with several users, gone wrong.

    Plans run against a sandbox, the live loop on drawn frames in simulated time: no vendor is called. Exits 3 where a promise broke.
    """
    import logging

    from reelwise.drill import drill, read_drills
    from reelwise.drill.scenario import check_names
    from reelwise.errors import DocumentError, GateError
    from reelwise.run.job import read_job

    logging.getLogger("reelwise").addHandler(logging.NullHandler())  # what fails in a drill fails on purpose
    job = read_job(plan, workload=workload, settings=settings, day=day, evidence=EVIDENCE)
    found = read_drills(scenarios)
    if also is not None:
        found = (*found, *read_drills(also))
        check_names(found, str(also))
    if only is not None:
        found = tuple(one for one in found if only.lower() in one.name.lower())
    if not found:
        raise DocumentError(f"no scenario's name holds `{only}`", where="--only", hint="leave it out to see all")
    played = drill(job, found, None if as_json else lambda name: note(f"{name} ..."))
    if as_json:
        print_json(
            {
                "scenarios": [
                    {
                        "name": one.name, "row": one.row, "what": one.what, "kind": one.kind, "kept": one.kept, "cost_usd": one.cost_usd,
                        "promises": one.promises, "seen": one.seen, "seconds": one.seconds,
                    }
                    for one in played
                ],
                "kept": all(one.kept for one in played),
                "cost_usd": sum(one.cost_usd for one in played),
            }
        )  # fmt: skip
    else:
        _show(played, plan)
    broken = [one.name for one in played if not one.kept]
    if broken:
        raise GateError(
            f"{len(broken)} of {len(played)} scenarios broke a promise: {', '.join(broken)}", where="drill",
            hint="the lines marked BROKEN say what was seen, and what was promised",
        )  # fmt: skip


def _show(played: tuple[Drilled, ...], plan: Path) -> None:
    click.echo(f"{plan}: {len(played)} scenarios. No vendor is called; dollars are what it would have cost.\n")
    for one in played:
        row = f", row of the matrix: {one.row}" if one.row and one.row != one.name else ""
        click.echo(f"{'kept  ' if one.kept else 'BROKEN'}  {one.name} ({one.kind}{row}), {money(one.cost_usd)} USD")
        click.echo(textwrap.fill(one.what, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT))
        for promise in one.promises:
            mark = "" if promise.kept else "BROKEN: "
            line = f"- {mark}{promise.words}: {promise.seen_words} ({promise.wanted_words})"
            click.echo(textwrap.fill(line, _WIDTH, initial_indent=_INDENT, subsequent_indent=f"{_INDENT}  "))
        click.echo()
    kept = sum(one.kept for one in played)
    click.echo(f"{kept} of {len(played)} scenarios kept their promises")
