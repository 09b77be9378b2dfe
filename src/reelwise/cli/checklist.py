"""`reelwise checklist`: one page for a workload, to print or to send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reelwise.cli.options import case_options, open_case
from reelwise.cli.output import json_option, note, print_json

__all__ = ["cli"]


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@case_options
@click.option("--format", "form", type=click.Choice(["md", "html"]), help="By default what --out ends with, else md.")
@click.option("--out", type=click.Path(path_type=Path), help="Write this file in place of standard output.")
@json_option
def cli(workload: Path, *, form: str | None, out: Path | None, as_json: bool, **options: Any) -> None:
    """Write the one-page checklist of a WORKLOAD: four questions, levers to pull in order, what to ask first, and the risk."""
    from reelwise import documents
    from reelwise.report import checklist

    page = checklist.from_case(open_case(workload, **options))
    chosen = form or ("html" if out is not None and out.suffix.lower() in {".html", ".htm"} else "md")
    text = checklist.html(page) if chosen == "html" else checklist.markdown(page)
    if out is not None:
        documents.write_whole(out, text)
        note(f"wrote {out}")
    if as_json:
        print_json(checklist.record(page))
    elif out is None:
        click.echo(text, nl=False)
