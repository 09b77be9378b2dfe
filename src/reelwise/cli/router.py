"""`reelwise router`: learn from outcomes which requests a cheap model can take."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.output import json_option
from reelwise.cli.trained import outcome_options, run_show, run_test, run_train

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Learn from your outcomes which requests a cheap model can take, and prove the floor that it keeps."""


@cli.command()
@click.argument("outcomes", type=_FILE)
@click.option(
    "--quality-floor", "quality", type=float, default=0.95, show_default=True, help="Share of the dear model's quality."
)
@click.option("--risk", type=float, default=0.05, show_default=True, help="Chance of missing the floor.")
@click.option(
    "--ahead", type=int, help="Promise it for the next N requests; 0 is the long run. Default: as many as rows."
)
@click.option("--out", type=_FILE, default=Path("router.json"), show_default=True, help="The file to write.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same rows and seed give the same file.")
@outcome_options
@json_option
def train(  # noqa: PLR0917 - click passes options by name
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
    """Train on OUTCOMES, CSV or JSONL: a text, and whether the cheap and the dear model answered it right."""
    del answer  # known only after the call
    run_train(
        "router",
        outcomes,
        names=(text, cheap, dear),
        answers=(),
        features=feature,
        quality=quality,
        risk=risk,
        ahead=ahead,
        out=out,
        seed=seed,
        as_json=as_json,
    )


@cli.command()
@click.argument("router", type=_FILE)
@json_option
def show(router: Path, as_json: bool) -> None:
    """Show what a trained file was learned from, and the floor that it keeps."""
    run_show("router", router, as_json=as_json)


@cli.command()
@click.argument("router", type=_FILE)
@click.argument("outcomes", type=_FILE)
@outcome_options
@json_option
def test(  # noqa: PLR0917 - click passes options by name
    router: Path,
    outcomes: Path,
    text: str,
    cheap: str,
    dear: str,
    answer: tuple[str, ...],
    feature: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test a trained file on other OUTCOMES; exit 3 where the floor was missed."""
    del answer, feature  # the file knows its own
    run_test("router", router, outcomes, names=(text, cheap, dear), answers=(), as_json=as_json)
