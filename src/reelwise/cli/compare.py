"""`reelwise compare`: every way to deploy a job, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import case_options, open_case
from reelwise.cli.output import json_option, note, print_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.compare import Comparison
    from reelwise.option import Option

__all__ = ["cli"]

_ROWS = 8
_WIDTH = 100


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@case_options
@click.option("--only", metavar="A,B", help="Compare only these of the file's options, by name or a part of it.")
@click.option("--pairs", is_flag=True, help="Show the break-even of every pair, not the first of them.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a page, charts (SVG, PNG) and JSON to this folder.")
@json_option
def cli(workload: Path, *, only: str | None, pairs: bool, out: Path | None, as_json: bool, **options: Any) -> None:
    """Compare every way to deploy a WORKLOAD: APIs, own and serverless machines, devices, hybrids.

    The file's `options` are compared, or where it has none a set that fits the kind of job. What cannot do the job stays
    listed with the reason. Break-even points are where two options change places, over volume and over sampling rate.
    """
    from reelwise.compare import compare
    from reelwise.report.compare_text import record

    case = open_case(workload, **options)
    found = compare(case, None if only is None else _chosen(only, case.options, case.where))
    if out is not None:
        from reelwise.report.compare_files import write_comparison

        for path in write_comparison(found, out):
            note(f"wrote {path}")
    if as_json:
        print_json(record(found))
        return
    _show(found, every_pair=pairs)


def _chosen(only: str, options: Sequence[Option], where: str) -> tuple[Option, ...]:
    """Pick options by name, or by a part of it, in the order asked for."""
    from reelwise.errors import DocumentError

    picked: list[Option] = []
    for part in (part.strip() for part in only.split(",")):
        exact = [one for one in options if one.name == part]
        near = exact or [one for one in options if part and part.lower() in one.name.lower()]
        if not near:
            names = "; ".join(one.name for one in options) or "the file names none"
            raise DocumentError(f"no option is named `{part}`", where=f"{where} --only", hint=names)
        picked += [one for one in near if one not in picked]
    return tuple(picked)


def _show(found: Comparison, *, every_pair: bool) -> None:
    from reelwise.report.compare_text import (
        MACHINES,
        OPTIONS,
        heading,
        machine_rows,
        notes,
        option_row,
        refusals,
        sentences,
    )

    _paragraph(heading(found))
    able = [one for one in found.options if one.feasible]
    if able:
        table(OPTIONS, [option_row(one) for one in able], title="Can do the job", right=range(2, len(OPTIONS)))
    refused = refusals(found)
    if refused:
        click.echo("Cannot do the job")
    for text in refused:
        _paragraph(f"- {text}")
    click.echo()
    for text in sentences(found):
        _paragraph(text)
    rows = machine_rows(able)
    if rows:
        click.echo()
        table(MACHINES, rows, title="Machines: what is paid, and what for", right=range(1, len(MACHINES) - 1))
    _pairs(found, every=every_pair)
    for text in notes(able):
        _paragraph(text)


def _pairs(found: Comparison, *, every: bool) -> None:
    from reelwise.report.compare_text import PAIRS, UNITS, pair_cells, pairs

    axes = (
        ("volume", found.volume, UNITS[found.unit]),
        ("sampling", None, "frames a second, at this volume"),
    )
    for axis, near, unit in axes:
        rows = pairs((one for one in found.break_even if one.axis == axis), near)
        shown = rows if every else rows[:_ROWS]
        if not shown:
            continue
        click.echo()
        table(PAIRS, [pair_cells(row) for row in shown], title=f"Break-even by {axis}: {unit}", right=(3, 4))
        if any(not row.feasible for row in shown):
            click.echo("* one of the two cannot do the job")
        if len(rows) > len(shown):
            note(f"{len(rows) - len(shown)} more pairs change places by {axis}: --pairs shows them")
    click.echo()


def _paragraph(text: str) -> None:
    import shutil
    import textwrap

    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    click.echo(textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
