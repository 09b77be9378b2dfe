"""`reelwise router`: learn from outcomes which requests a cheap model can take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.embedding import embedding_option, opened, paid_options
from reelwise.cli.output import json_option
from reelwise.cli.trained import feature_option, outcome_options, run_show, run_test, run_train, train_options

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from reelwise.route.embedding import Embedding, EmbeddingFacts

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Learn from your outcomes which requests a cheap model can take, and prove the floor that it keeps."""


@cli.command()
@click.argument("outcomes", type=_FILE)
@train_options(0.95, "router.json")
@outcome_options
@feature_option
@embedding_option
@paid_options
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
    feature: tuple[str, ...],
    embedding: str,
    max_usd: float | None,
    ledger_at: str | None,
    url: str,
    as_json: bool,
) -> None:
    r"""Train on OUTCOMES, CSV with a header or JSONL: a text, and whether the cheap and the dear model answered it right.

    \b
    text,cheap,dear
    "What colour is the car?",true,true
    "Which of the two fell first, and why?",false,true

    At least 75 rows; a few hundred before a floor can be proved. The floor is a promise: at the stated risk, the cheap and the dear model
    together keep that share of the dear model's quality. Where it cannot be proved, everything goes to the dear model.
    """
    with opened(embedding, max_usd=max_usd, ledger_at=ledger_at, url=url) as vectors:
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
            embedding=vectors,
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
@paid_options
@json_option
def test(  # noqa: PLR0917 - click passes options by name
    router: Path,
    outcomes: Path,
    text: str,
    cheap: str,
    dear: str,
    max_usd: float | None,
    ledger_at: str | None,
    url: str,
    as_json: bool,
) -> None:
    """Test a trained file on other OUTCOMES; exit 3 where the floor was missed."""

    def again(facts: EmbeddingFacts) -> AbstractContextManager[Embedding | None]:
        return opened(
            facts.name, near=router.parent, dimension=facts.dimension, max_usd=max_usd, ledger_at=ledger_at, url=url
        )

    run_test("router", router, outcomes, names=(text, cheap, dear), answers=(), as_json=as_json, opened=again)
