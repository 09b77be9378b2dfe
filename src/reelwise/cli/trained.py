"""What `reelwise router` and `reelwise cascade` share: reading outcomes, training, showing and testing a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from reelwise.cli.output import note, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.route.saved import Saved

__all__ = ["answer_option", "feature_option", "outcome_options", "run_show", "run_test", "run_train", "train_options"]

F = TypeVar("F", bound="Callable[..., Any]")
Kind = Literal["router", "cascade"]


answer_option = click.option(
    "--answer", multiple=True, help="Column of a cheap answer's text. Default: answer, answer_2."
)
feature_option = click.option("--feature", multiple=True, help="Column of a further number; may be given often.")


def outcome_options(command: F) -> F:
    """Add the options that name columns."""
    return _with(
        command,
        click.option("--text", default="", help="Column of the text. Default: text, prompt or question."),
        click.option(
            "--cheap", default="", help="Name of the cheap model; its column, where one has that name, else `cheap`."
        ),
        click.option(
            "--dear", default="", help="Name of the dear model; its column, where one has that name, else `dear`."
        ),
    )


def train_options(quality: float, out: str) -> Callable[[F], F]:
    """Add the options of training, with the floor and the file that are usual."""
    file = click.Path(path_type=Path)
    floor = "Share of the dear model's quality."
    ahead = "Promise it for the next N requests; 0 is the long run. Default: as many as rows."
    return lambda command: _with(
        command,
        click.option("--quality-floor", "quality", type=float, default=quality, show_default=True, help=floor),
        click.option("--risk", type=float, default=0.05, show_default=True, help="Chance of missing the floor."),
        click.option("--ahead", type=int, help=ahead),
        click.option("--out", type=file, default=Path(out), show_default=True, help="The file to write."),
        click.option(
            "--seed", type=int, default=0, show_default=True, help="The same rows and seed give the same file."
        ),
    )


def _with(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def run_train(
    kind: Kind,
    path: Path,
    *,
    names: tuple[str, str, str],
    answers: tuple[str, ...],
    features: tuple[str, ...],
    quality: float,
    risk: float,
    ahead: int | None,
    out: Path,
    seed: int,
    as_json: bool,
    share: float | None = None,
) -> None:
    """Learn, write the file and say what it keeps."""
    from reelwise.errors import InputError
    from reelwise.route.learner import FOR_CASCADE, FOR_ROUTER
    from reelwise.route.outcomes import Columns, read_outcomes
    from reelwise.route.saved import train, write_saved

    if ahead is not None and ahead < 0:
        raise InputError(f"--ahead {ahead}", where=kind, hint="give 0 or more")
    text, cheap, dear = names
    columns = Columns(text=text, cheap=cheap, dear=dear, answers=answers, features=features)
    outcomes = read_outcomes(path, columns, answers=kind == "cascade")
    saved = train(
        outcomes,
        FOR_ROUTER if kind == "router" else FOR_CASCADE,
        kind=kind,
        cheap=cheap or outcomes.columns.cheap,
        dear=dear or outcomes.columns.dear,
        quality=quality,
        risk=risk,
        ahead=ahead,
        share=share,
        seed=seed,
    )
    write_saved(saved, out)
    if as_json:
        print_json({"file": str(out), **_plain(saved)})
        return
    _say(saved)
    note(f"written: {out} ({out.stat().st_size / 1000:,.0f} kB)")


def run_show(kind: Kind, path: Path, *, as_json: bool) -> None:
    """Say what a file was learned from."""
    from reelwise.route.saved import read_saved

    saved = read_saved(path, kind)
    if as_json:
        print_json({"file": str(path), **_plain(saved)})
    else:
        _say(saved)


def run_test(
    kind: Kind, path: Path, rows: Path, *, names: tuple[str, str, str], answers: tuple[str, ...], as_json: bool
) -> None:
    """Hold a file against other outcomes."""
    import numpy as np

    from reelwise.errors import GateError, InputError
    from reelwise.route.floor import area
    from reelwise.route.outcomes import Columns, read_outcomes, table_of
    from reelwise.route.saved import read_saved

    saved = read_saved(path, kind)
    text, cheap, dear = names
    columns = Columns(
        text=text, cheap=cheap or saved.cheap, dear=dear or saved.dear, answers=answers, features=saved.trained.columns
    )
    outcomes = read_outcomes(rows, columns, answers=kind == "cascade")
    table = table_of(outcomes.rows)
    width = len(outcomes.columns.answers)
    if width != saved.answers:
        raise InputError(f"{width} columns of answers", where=str(rows), hint=f"the file looks at {saved.answers}")
    scores = saved.learned.score(table.numbers, table.texts)
    cut = saved.floor.cut
    sent = np.ones(len(scores), bool) if cut is None else scores > cut
    reached, alone = float(np.where(sent, table.dear, table.cheap).mean()), float(table.dear.mean())
    kept = reached / alone if alone else 1.0
    result = {
        "file": str(path),
        "outcomes": str(rows),
        "rows": len(table),
        "same_rows_as_trained_on": outcomes.sha256 == saved.trained.sha256,
        "quality_floor": saved.floor.quality,
        "kept": kept,
        "held": kept >= saved.floor.quality,
        "dear_share": float(sent.mean()),
        "quality": reached,
        "cheap_quality": float(table.cheap.mean()),
        "dear_quality": alone,
        "apgr": area(scores, table.cheap, table.dear) if alone != float(table.cheap.mean()) else None,
    }
    if as_json:
        print_json(result)
    else:
        click.echo(
            f"{len(table):,} rows: {kept:.1%} of {saved.dear}'s quality with {sent.mean():.1%} of its calls"
            f" (floor {saved.floor.quality:.0%}; {saved.cheap} alone: {float(table.cheap.mean()) / alone if alone else 1:.1%})"
        )
    if result["same_rows_as_trained_on"]:
        note("these are the rows it was trained on: this says nothing of other rows")
    if not result["held"]:
        raise GateError(
            f"kept {kept:.1%}, the floor is {saved.floor.quality:.0%}",
            where=str(path),
            hint="train it on these rows, too",
        )


def _plain(saved: Saved) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(saved)
    del plain["learned"]
    return plain


def _say(saved: Saved) -> None:
    floor, trained = saved.floor, saved.trained
    least = f"{math.floor(floor.quality * 1000 + 1e-6) / 10:g}%"  # what is proved is not rounded up
    what = "answers first, and" if saved.kind == "cascade" else "takes what looks easy,"
    click.echo(f"{saved.cheap} {what} {saved.dear} the rest: learned from {trained.rows:,} outcomes")
    click.echo(f"  alone    {saved.cheap} {floor.cheap_quality:.1%} right, {saved.dear} {floor.dear_quality:.1%}")
    promise = "in the long run" if not floor.ahead else f"on the next {floor.ahead:,} requests"
    if floor.cut is None:
        click.echo(
            f"  floor    {least} of {saved.dear}'s quality: no saving is proved, everything goes to {saved.dear}"
        )
        note("more outcomes, or a lower floor, may prove one")
    else:
        click.echo(f"  floor    {least} of {saved.dear}'s quality {promise}, with {1 - floor.risk:.0%} confidence")
        click.echo(f"  calls    {floor.dear_share:.1%} go to {saved.dear}, which kept {floor.kept:.1%} of its quality")
    click.echo(f"  not proved, read off the same rows: {trained.share_at_floor:.1%} of calls would reach the floor")
    if trained.apgr is not None:
        click.echo(f"  APGR     {trained.apgr:.3f} on rows not learned from (0.5 is a coin)")
