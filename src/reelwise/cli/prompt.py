"""`reelwise prompt`: where the tokens of a call go, part by part, and which parts of the instructions answers need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, print_json

if TYPE_CHECKING:
    from reelwise.run.job import Job
    from reelwise.run.prompting import PromptSheet
    from reelwise.run.trimming import Trimmed

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("plan", type=_FILE)
@click.argument("clips", nargs=-1, type=_FILE, metavar="[CLIP]...")
@click.option("--workload", "-w", type=_FILE, help="A workload file beside a bare plan: prices, facts, demand.")
@click.option(
    "--max-usd", type=click.FloatRange(min=0.0), default=0.10, show_default=True, help="What a test on CLIP may cost."
)
@click.option(
    "--floor", type=click.FloatRange(0.0, 1.0), default=0.9, show_default=True,
    help="The share of answers that must stay where a part is called not needed.",
)  # fmt: skip
@click.option(
    "--parts/--whole", default=True, show_default=True, help="Parts of ten seconds or more are items, or whole clips."
)
@click.option("--sandbox", is_flag=True, help="Call no vendor: a sandbox answers, as `needs` in its scenario says.")
@click.option("--scenario", type=_FILE, help="What the sandbox does (YAML).")
@click.option(
    "--out", type=_FILE, default=Path("out/prompt"), show_default=True,
    help="Folder of the journals: the same command goes on there.",
)  # fmt: skip
@click.option("--ledger", "ledger_at", help="Where each call is written.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the file.")
@click.option("--rates", type=_FILE, help="Private prices (YAML).")
@click.option("--day", help="Price at this day (ISO).")
@click.option("--evidence", type=_FILE, default=EVIDENCE, show_default=True, help="Read facts from this folder.")
@json_option
def cli(
    plan: Path,
    clips: tuple[Path, ...],
    *,
    workload: Path | None,
    sandbox: bool,
    scenario: Path | None,
    settings: tuple[str, ...],
    rates: Path | None,
    day: str | None,
    evidence: Path,
    as_json: bool,
    **test: Any,
) -> None:
    """Say where the tokens of PLAN's calls go. With CLIP, ask about them without each part of the instructions: do answers change?"""
    from reelwise.run.job import read_job
    from reelwise.run.prompting import prompt_notes

    if scenario is not None and not sandbox:
        raise click.UsageError("--scenario is for --sandbox")
    job = read_job(plan, workload=workload, settings=settings, day=day, rates=rates, evidence=evidence)
    sheets = _sheets(job)
    notes = (*job.notes, *prompt_notes(job.case.plan, job.script))
    found = _test(job, clips, sandbox=sandbox, scenario=scenario, **test) if clips else None
    if as_json:
        print_json(
            {
                "plan": job.case.plan.hash,
                "day": job.case.day.isoformat(),
                "sheets": sheets,
                "notes": notes,
                "test": found,
            }
        )
    else:
        _show(job, sheets, notes, found)
    _end(found)


def _sheets(job: Job) -> tuple[PromptSheet, ...]:
    """Price the month, and share it out."""
    from reelwise.flow import Out
    from reelwise.plan import fold
    from reelwise.run.prompting import prompt_sheets
    from reelwise.units import total
    from reelwise.workload import items_of

    case, plan = job.case, job.case.plan
    out = Out(case.book, case.book.day)
    fold(plan, items_of(job.workload(plan), case.facts), case.facts, out)
    stored = [
        (one.sku.removesuffix("/cache-storage"), float(total(one.quantity * case.book.rate(one.sku, one.unit).usd)))
        for one in out.usages
        if one.sku.endswith("/cache-storage")
    ]
    return prompt_sheets(plan, job.script, out.requests, case.book, stored)


def _test(
    job: Job, clips: tuple[Path, ...], *, sandbox: bool, scenario: Path | None, max_usd: float, floor: float, parts: bool,
    out: Path, ledger_at: str | None, seed: int,
) -> Trimmed:  # fmt: skip
    from reelwise.run.job import clips_of
    from reelwise.run.session import Session
    from reelwise.run.trimming import trim

    with Session(job, sandbox=sandbox, scenario=scenario, out=out, ledger_at=ledger_at, max_usd=max_usd) as session:
        tracks = session.decoded(clips_of(clips))
        return trim(session, job, tracks, most_usd=max_usd, parts=parts, floor=floor, seed=seed)


def _show(job: Job, sheets: tuple[PromptSheet, ...], notes: tuple[str, ...], found: Trimmed | None) -> None:
    from reelwise.cli.prompt_text import show_sheets, show_trimmed

    show_sheets(sheets, of=f"a month, prices of {job.case.day}")
    if not sheets:
        click.echo("No call of this plan is billed by tokens")
    for text in notes:
        click.echo(f"Note: {text}")
    if found is not None:
        show_trimmed(found)
    elif job.script.parts:
        click.echo("Name a clip, and each part is left out in turn: do answers change?")


def _end(found: Trimmed | None) -> None:
    from reelwise.errors import GateError

    if found is not None and found.stopped:
        raise GateError(
            f"it ended early: {found.stopped}", where="prompt", hint="what was answered is kept: run it again"
        )
