"""`reelwise diff`: what a change to a workload file does to the bill."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, note, print_json
from reelwise.errors import GateError, InputError

if TYPE_CHECKING:
    from reelwise.case import Case

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE, required=False)
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field on the side after: plan.stages.0.fps=0.5."
)  # fmt: skip
@click.option(
    "--max-increase", metavar="SHARE", help="Exit with 3 above this increase: 10%, or 0.1. 1 and above is percent."
)
@click.option("--max-usd", type=float, help="Exit with 3 above this increase in USD a month.")
@click.option("--require-feasible", is_flag=True, help="Exit with 3 if the plan after cannot do the job.")
@click.option("--day", help="Price both at this day (ISO); default: each file's, or today.")
@click.option("--rates", type=_FILE, help="Private prices (YAML) for both.")
@click.option("--evidence", type=_FILE, default=EVIDENCE, show_default=True, help="Folder of measured facts.")
@click.option("--out", type=_FILE, help="Write the Markdown to this file in place of standard output.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown (the default).")
@json_option
def cli(
    before: Path,
    after: Path | None,
    *,
    settings: tuple[str, ...],
    max_increase: str | None,
    max_usd: float | None,
    require_feasible: bool,
    day: str | None,
    rates: Path | None,
    evidence: Path,
    out: Path | None,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """Compare two workload files, BEFORE and AFTER: the change, what caused it, and where it is spent.

    Without AFTER it is BEFORE with the fields of --set changed. An empty file, such as /dev/null, is a feature that is not
    there. Above a gate the exit code is 3, after everything was printed.
    """
    from reelwise.difference import above, difference
    from reelwise.documents import write_whole
    from reelwise.report.difference_text import markdown, record

    if after is None and not settings:
        raise InputError("nothing to compare with", where="diff", hint="name a second file, or --set FIELD=VALUE")
    if as_json and as_markdown:
        raise InputError("--json and --markdown are two formats", where="diff", hint="with --json, --out FILE writes the Markdown")  # fmt: skip
    share = None if max_increase is None else _share(max_increase)
    if max_usd is not None and not (math.isfinite(max_usd) and max_usd >= 0):
        raise InputError("not an amount of 0 or more", where=f"--max-usd {max_usd}", hint="write --max-usd 500")
    found = difference(
        _open(before, (), day, rates, evidence), _open(after or before, settings, day, rates, evidence)
    )  # fmt: skip
    gates = list(above(found, share=share, usd=max_usd))
    if require_feasible and not found.after.feasible:
        gates.append(f"the plan cannot do the job: {found.after.why[0]}")
    gated = share is not None or max_usd is not None or require_feasible
    text = markdown(found, gates, gated=gated)
    if out is not None:
        write_whole(out, text)
        note(f"wrote {out}")
    if as_json:
        print_json(record(found, gates))
    elif out is None:
        click.echo(text, nl=False)
    if gates:
        raise GateError("; ".join(gates), hint="change the plan, or raise the gate if this is what you want")


def _open(path: Path, settings: tuple[str, ...], day: str | None, rates: Path | None, evidence: Path) -> Case | None:
    """Open one side; None where the file is empty."""
    from reelwise.case import load
    from reelwise.documents import read_yaml

    if read_yaml(path) is None:
        if settings:
            raise InputError("is empty, there is no field to set", where=str(path), hint="name a second file")
        return None
    return load(path, settings=settings, day=day, rates=rates, evidence=evidence)


def _share(text: str) -> float:
    """Read "10%", "10" and "0.1" as a tenth: with a percent sign, or from 1 on, it is percent."""
    number, percent, rest = text.strip().partition("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if rest.strip() or not math.isfinite(value) or value < 0:
        raise InputError("not a share of 0 or more", where=f"--max-increase {text}", hint="write --max-increase 10%")
    return value / 100 if percent or value >= 1 else value
