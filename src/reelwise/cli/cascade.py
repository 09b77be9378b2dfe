"""`reelwise cascade`: learn when a cheap answer is in doubt."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.output import json_option
from reelwise.cli.trained import (
    answer_option,
    feature_option,
    outcome_options,
    run_show,
    run_test,
    run_train,
    train_options,
)

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Learn when a cheap answer is in doubt, and prove the floor that the cascade keeps."""


@cli.command()
@click.argument("outcomes", type=_FILE)
@train_options(0.97, "cascade.json")
@click.option(
    "--dear-share",
    type=float,
    help="Share of calls that may go to the dear model, in place of a floor: 0.22. What is proved there is said.",
)
@outcome_options
@answer_option
@feature_option
@json_option
def calibrate(  # noqa: PLR0917 - click passes options by name
    outcomes: Path,
    quality: float,
    risk: float,
    ahead: int | None,
    dear_share: float | None,
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
        share=dear_share,
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
@answer_option
@json_option
def test(  # noqa: PLR0917 - click passes options by name
    cascade: Path,
    outcomes: Path,
    text: str,
    cheap: str,
    dear: str,
    answer: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test a calibrated file on other OUTCOMES; exit 3 where the floor was missed."""
    run_test("cascade", cascade, outcomes, names=(text, cheap, dear), answers=answer, as_json=as_json)
