"""`reelwise cascade`: learn when a cheap answer is in doubt."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.output import json_option
from reelwise.cli.trained import outcome_options, run_show, run_test, run_train

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Learn when a cheap answer is in doubt, and prove the floor that the cascade keeps."""


@cli.command()
@click.argument("outcomes", type=_FILE)
@click.option(
    "--quality-floor", "quality", type=float, default=0.97, show_default=True, help="Share of the dear model's quality."
)
@click.option("--risk", type=float, default=0.05, show_default=True, help="Chance of missing the floor.")
@click.option(
    "--ahead", type=int, help="Promise it for the next N requests; 0 is the long run. Default: as many as rows."
)
@click.option("--out", type=_FILE, default=Path("cascade.json"), show_default=True, help="The file to write.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same rows and seed give the same file.")
@outcome_options
@json_option
def calibrate(  # noqa: PLR0917 - click passes options by name
    outcomes: Path,
    quality: float,
    risk: float,
    ahead: int | None,
    out: Path,
    seed: int,
    text: str,
    cheap: str,
    dear: str,
    answer: tuple[str, ...],
    feature: tuple[str, ...],
    as_json: bool,
) -> None:
    """Learn from OUTCOMES, CSV or JSONL: a text, the cheap answers' texts, and whether either model was right."""
    run_train(
        "cascade",
        outcomes,
        names=(text, cheap, dear),
        answers=answer,
        features=feature,
        quality=quality,
        risk=risk,
        ahead=ahead,
        out=out,
        seed=seed,
        as_json=as_json,
    )


@cli.command()
@click.argument("cascade", type=_FILE)
@json_option
def show(cascade: Path, as_json: bool) -> None:
    """Show what a calibrated file was learned from, and the floor that it keeps."""
    run_show("cascade", cascade, as_json=as_json)


@cli.command()
@click.argument("cascade", type=_FILE)
@click.argument("outcomes", type=_FILE)
@outcome_options
@json_option
def test(  # noqa: PLR0917 - click passes options by name
    cascade: Path,
    outcomes: Path,
    text: str,
    cheap: str,
    dear: str,
    answer: tuple[str, ...],
    feature: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test a calibrated file on other OUTCOMES; exit 3 where the floor was missed."""
    del feature  # the file knows its own
    run_test("cascade", cascade, outcomes, names=(text, cheap, dear), answers=answer, as_json=as_json)
