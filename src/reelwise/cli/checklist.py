"""`reelwise checklist`: one page for a workload, to print or to send."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.output import json_option, note, print_json

__all__ = ["cli"]


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["md", "html"]), help="By default what --out ends with, else md.")
@click.option("--out", type=click.Path(path_type=Path), help="Write this file in place of standard output.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field: demand.hours=500.")
@click.option("--plan", type=click.Path(path_type=Path), help="A file with the plan, in place of the workload's own.")
@click.option("--day", help="Prices of this day (2026-11-22); the file's or today if not given.")
@click.option("--rates", type=click.Path(path_type=Path), help="Your own prices.")
@click.option("--evidence", type=click.Path(path_type=Path), help="Folder of measured facts.")
@json_option
def cli(
    *,
    workload: Path,
    form: str | None,
    out: Path | None,
    settings: tuple[str, ...],
    plan: Path | None,
    day: str | None,
    rates: Path | None,
    evidence: Path | None,
    as_json: bool,
) -> None:
    """Write the one-page checklist: four questions, levers to pull in order, what to ask first, and the risk."""
    from reelwise import documents
    from reelwise.case import load
    from reelwise.report import checklist

    page = checklist.from_case(load(workload, settings=settings, plan=plan, day=day, rates=rates, evidence=evidence))
    chosen = form or ("html" if out is not None and out.suffix.lower() in {".html", ".htm"} else "md")
    text = checklist.html(page) if chosen == "html" else checklist.markdown(page)
    if out is not None:
        documents.write_whole(out, text)
        note(f"wrote {out}")
    if as_json:
        print_json(checklist.record(page))
    elif out is None:
        click.echo(text, nl=False)
