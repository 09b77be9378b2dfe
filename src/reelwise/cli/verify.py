"""`reelwise verify`: what a cheaper plan's answers are worth beside the full plan's, on a sample, under a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, money, print_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.levers import Lever
    from reelwise.run.verifying import Verified
    from reelwise.video import Track

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("workload", type=_FILE)
@click.argument("clips", nargs=-1, required=True, type=_FILE, metavar="CLIP...")
@click.option("--plan", type=_FILE, help="The cheaper plan (YAML). [default: the workload's plan with its levers]")
@click.option("--levers", help="Levers that make the cheaper plan, comma separated, in place of the file's.")
@click.option(
    "--max-usd", type=click.FloatRange(min=0.0), default=0.10, show_default=True, help="What verifying may cost."
)
@click.option(
    "--floor", type=click.FloatRange(0.0, 1.0), help="Exit 3 where the lower end of an agreement is below this."
)
@click.option(
    "--parts/--whole", default=True, show_default=True, help="Parts of ten seconds or more are items, or whole clips."
)
@click.option("--sandbox", is_flag=True, help="Call no vendor: answers are drawn, and agree by chance.")
@click.option("--scenario", type=_FILE, help="What the sandbox does (YAML).")
@click.option(
    "--out",
    type=_FILE,
    default=Path("out/verify"),
    show_default=True,
    help="Folder of the journals: the same command goes on there.",
)
@click.option("--ledger", "ledger_at", help="Where each call is written.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the file.")
@click.option("--day", help="Price at this day (ISO).")
@click.option(
    "--evidence",
    type=_FILE,
    help="Where one lever makes the cheaper plan: add what its answers are worth to this folder, for `reelwise search`.",
)
@json_option
def cli(
    workload: Path,
    clips: tuple[Path, ...],
    *,
    plan: Path | None,
    levers: str | None,
    max_usd: float,
    floor: float | None,
    parts: bool,
    sandbox: bool,
    scenario: Path | None,
    out: Path,
    ledger_at: str | None,
    seed: int,
    settings: tuple[str, ...],
    day: str | None,
    evidence: Path | None,
    as_json: bool,
) -> None:
    """Ask WORKLOAD's plan and a cheaper one about the same sample of CLIP, and say how far the answers agree."""
    from reelwise.documents import decode, read_yaml
    from reelwise.errors import DocumentError, GateError
    from reelwise.plan import Plan
    from reelwise.run.job import clips_of, read_job
    from reelwise.run.session import Session
    from reelwise.run.verifying import verify

    names = None if levers is None else tuple(name.strip() for name in levers.split(",") if name.strip())
    job = read_job(workload, settings=settings, day=day, evidence=evidence or EVIDENCE, levers=names)
    cheap = job.case.plan
    if plan is not None:
        tree = read_yaml(plan)
        cheap = decode(tree.get("plan", tree) if isinstance(tree, dict) else tree, Plan, where=str(plan))
        cheap.check(str(plan))
    else:
        for lever in job.case.levers:
            cheap = lever.apply(cheap)
    if cheap.hash == job.case.plan.hash:
        raise DocumentError(
            "there is no cheaper plan to verify", where=str(workload), hint="--plan FILE, or levers in the file"
        )
    with Session(job, sandbox=sandbox, scenario=scenario, out=out, ledger_at=ledger_at, max_usd=max_usd) as session:
        tracks = session.decoded(clips_of(clips))
        found = verify(session, job, cheap, tracks, most_nano=round(max_usd * 1e9), parts=parts, seed=seed)
    if evidence is not None:
        _keep(evidence, job.case.levers if plan is None else (), found, tracks)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found.stopped:
        raise GateError(
            f"it ended early: {found.stopped}", where="verify", hint="what was answered is kept: run it again"
        )
    low = [one for one in found.agreements if floor is not None and one.low < floor]
    if low:
        said = ", ".join(f"{one.what} {one.value:.1%} (at least {one.low:.1%})" for one in low)
        raise GateError(f"below the floor of {floor:.1%}: {said}", where="verify", hint="more items, or a dearer plan")


def _keep(folder: Path, levers: Sequence[Lever], found: Verified, tracks: Sequence[Track]) -> None:
    """Write down what one lever's answers are worth."""
    from reelwise.cli.output import note
    from reelwise.run.learned import keep, quality

    answers = [one for one in found.agreements if one.what != "events"]
    if len(levers) != 1 or not answers:
        note("nothing is added to the evidence: it takes one lever, and answers")
        return
    worst = min(answers, key=lambda one: one.value)
    names = ", ".join(dict.fromkeys(Path(track.info.path).name for track in tracks[:3]))
    keep(folder, tracks, [quality(levers[0].name, worst, on=names)])


def _show(found: Verified) -> None:
    rows = [
        (one.what, f"{one.value:.1%}", f"{one.low:.1%} to {one.high:.1%}", f"{one.items:,}") for one in found.agreements
    ]
    table(("agreement", "value", "95 % interval", "answers"), rows, right=(1, 3))
    factor = "" if found.factor is None else f", {found.factor:.3g} times less"
    click.echo(
        f"{found.items:,} of {found.of:,} items: {money(found.full_usd)} USD in full, {money(found.cheap_usd)} USD cheaper{factor}"
    )
    click.echo(f"Verifying cost {money(found.cost_usd)} USD")
    for clip, full, cheap in found.differ:
        click.echo(f"  {Path(clip).name}: {_short(full)}  |  {_short(cheap)}")
    for text in found.notes:
        click.echo(f"Note: {text}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
