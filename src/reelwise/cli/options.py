"""Options that commands about a workload share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.case import Case

__all__ = ["EVIDENCE", "case_options", "open_case"]

F = TypeVar("F", bound="Callable[..., Any]")

EVIDENCE = Path("evidence")
"""Where measured facts are kept unless `--evidence` says otherwise."""

_FILE = click.Path(path_type=Path)


def case_options(command: F) -> F:
    """Add --set, --plan, --option, --day, --rates and --evidence."""
    for option in (
        click.option("--evidence", type=_FILE, default=EVIDENCE, show_default=True, help="Folder of measured facts."),
        click.option("--rates", type=_FILE, help="Private prices (YAML)."),
        click.option("--day", help="Price at this day (ISO); default: the file's, or today."),
        click.option("--option", metavar="NAME", help="Take this one of the file's options as the plan."),
        click.option("--plan", type=_FILE, help="A plan (YAML) in place of the file's."),
        click.option(
            "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field: demand.hours=500."
        ),
    ):
        command = option(command)
    return command


def open_case(
    workload: Path,
    *,
    settings: tuple[str, ...],
    plan: Path | None,
    day: str | None,
    rates: Path | None,
    evidence: Path,
    levers: tuple[str, ...] | None = None,
    option: str | None = None,
) -> Case:
    """Open a workload file with the options of `case_options`."""
    from reelwise.case import load
    from reelwise.errors import DocumentError

    if evidence != EVIDENCE and not evidence.is_dir():
        raise DocumentError("no such folder", where=str(evidence), hint="`reelwise audit --evidence FOLDER` makes one")
    if levers is not None and not levers:
        raise DocumentError("no lever is named", where="--levers", hint="leave it out to try every lever that applies")
    if option is not None and plan is not None:
        raise DocumentError("a plan and an option are both named", where="--option", hint="leave one of the two out")
    return load(
        workload, settings=settings, plan=plan, day=day, rates=rates, evidence=evidence, levers=levers, option=option
    )
