"""`reelwise run`: a plan on real clips, with every call held, metered and settled, and the receipt beside the estimate."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, note, print_json
from reelwise.cli.run_gate import Gate, gate_options, raise_gate, show_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.run.executing import RunResult
    from reelwise.run.job import Job
    from reelwise.run.session import Session

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, type=_FILE, metavar="SOURCE...")
@click.option(
    "--plan", type=_FILE, required=True, help="A plan (YAML), or a workload file with one; `ask` says what is asked."
)
@click.option("--workload", "-w", type=_FILE, help="A workload file beside a bare plan: prices, facts, levers.")
@click.option(
    "--sandbox", is_flag=True, help="Call no vendor: start a sandbox here, and hold the run against its invoice."
)
@click.option("--scenario", type=_FILE, help="What the sandbox does (YAML).")
@click.option("--stack", "stacked", is_flag=True, help="Run the plan as it is, then with one lever after another.")
@click.option("--ablate", is_flag=True, help="Run the plan with all levers, then without each of them.")
@click.option("--levers", help="Only these, comma separated, in this order.")
@click.option("--naive", type=_FILE, help="The plan that it is compared with (YAML).")
@click.option(
    "--out",
    type=_FILE,
    default=Path("out/run"),
    show_default=True,
    help="Folder of the journal and the receipt: the same run goes on there.",
)
@click.option(
    "--ledger",
    "ledger_at",
    help="Where each call is written. [default: REELWISE_LEDGER or reelwise.db; the out folder's own with --sandbox]",
)
@click.option(
    "--max-usd",
    type=click.FloatRange(min=0.0),
    help="The most that this run may spend; calls that could go above it are not made.",
)
@click.option("--at-once", type=click.IntRange(1, 64), default=4, show_default=True, help="Calls under way at once.")
@click.option(
    "--batch-wait",
    type=click.FloatRange(min=0.0),
    default=90_000.0,
    show_default=True,
    help="Seconds to wait for a batch; after that the same command goes on with it.",
)
@click.option(
    "--kept",
    type=_FILE,
    help="Folder of answers and artefacts that runs share, for the stage `reuse`. [default: in --out]",
)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Look at most at this much of each clip.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the file.")
@click.option("--rates", type=_FILE, help="Private prices (YAML).")
@click.option("--day", help="Price at this day (ISO); default: the file's, or today.")
@click.option(
    "--evidence",
    type=_FILE,
    help=f"Read facts from this folder, and add what the run measures. [default: read {EVIDENCE}, add nothing]",
)
@gate_options
@json_option
def cli(
    sources: tuple[Path, ...],
    *,
    plan: Path,
    workload: Path | None,
    sandbox: bool,
    scenario: Path | None,
    stacked: bool,
    ablate: bool,
    levers: str | None,
    naive: Path | None,
    out: Path,
    ledger_at: str | None,
    max_usd: float | None,
    at_once: int,
    batch_wait: float,
    kept: Path | None,
    seconds: float | None,
    settings: tuple[str, ...],
    rates: Path | None,
    day: str | None,
    evidence: Path | None,
    gate_usd: float | None,
    gate_usd_hour: float | None,
    as_json: bool,
) -> None:
    """Run a plan on SOURCE (clips, or folders of clips): models are called, and every call is held for, metered and settled.

    What is done is kept in --out as it is done: a run that was cut off goes on where it was when the same command is given again, and
    pays nothing twice.
    """
    from reelwise.run.job import clips_of, read_job

    if not sources:
        raise click.UsageError("name a clip, or a folder of clips")
    if stacked and ablate:
        raise click.UsageError("--stack or --ablate, not both")
    if scenario is not None and not sandbox:
        raise click.UsageError("--scenario is for --sandbox")
    names = None if levers is None else tuple(name.strip() for name in levers.split(",") if name.strip())
    job = read_job(
        plan, workload=workload, settings=settings, day=day, rates=rates, evidence=evidence or EVIDENCE, levers=names
    )
    clips = clips_of(sources)
    gate = Gate(usd=gate_usd, usd_hour=gate_usd_hour)
    with ExitStack() as stack:
        stack.push(_goes_on(out))
        session = _session(
            stack,
            job,
            sandbox=sandbox,
            scenario=scenario,
            out=out,
            ledger_at=ledger_at,
            at_once=at_once,
            max_usd=max_usd,
            batch_wait=batch_wait,
            kept=kept,
        )
        tracks = session.decoded(clips, seconds, _say(as_json=as_json))
        if stacked or ablate:
            _steps(session, job, tracks, ablate=ablate, gate=gate, evidence=evidence, out=out, as_json=as_json)
            return
        result = session.run(job.case.plan, tracks, naive=_naive(naive, job))
        _finish(result, session, job, tracks, gate=gate, evidence=evidence, out=out, as_json=as_json)


def _goes_on(out: Path) -> Callable[..., None]:
    """Say after Ctrl-C that nothing is lost."""

    def told(kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            note(f"what is done is kept in {out}: the same command goes on from there, and pays nothing twice")

    return told


def _say(*, as_json: bool) -> Callable[[str, float], None]:
    def say(what: str, share: float) -> None:
        if share <= 0 and not as_json:
            note(f"{what} ...")

    return say


def _session(stack: ExitStack, job: Job, *, sandbox: bool, scenario: Path | None, out: Path, **more: Any) -> Session:
    from reelwise.run.session import Session

    return stack.enter_context(Session(job, sandbox=sandbox, scenario=scenario, out=out, **more))


def _naive(path: Path | None, job: Job) -> Any:
    from reelwise.documents import decode, read_yaml
    from reelwise.plan import Plan
    from reelwise.run.session import naive_plan

    if path is None:
        return naive_plan(job.case.plan)
    tree = read_yaml(path)
    plan = decode(tree.get("plan", tree) if isinstance(tree, dict) else tree, Plan, where=str(path))
    plan.check(str(path))
    return plan


def _finish(
    result: RunResult,
    session: Session,
    job: Job,
    tracks: Any,
    *,
    gate: Gate,
    evidence: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    from reelwise.cli.run_text import document, show
    from reelwise.documents import write_whole
    from reelwise.run.learned import keep

    if evidence is not None and result.facts:
        keep(evidence, tracks, result.facts)
    import msgspec

    judged = gate.judged(result.receipt.cost_usd, tracks)
    found = {**document(result, session), "gate": judged}
    path = out / "receipt.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(found), indent=2))
    if as_json:
        print_json(found)
    else:
        show(result, job, sandbox=session.box is not None)
        show_gate(judged)
        click.echo(f"\nReceipt: {path}")
    _exit(result)
    raise_gate(judged)


def _exit(result: RunResult) -> None:
    """End with the code that says what happened; what was done is kept and printed before."""
    from reelwise.errors import EndpointError

    if result.stopped is not None:
        raise result.stopped
    if result.failed:
        again = sum(one.status == "failed" for one in result.results)
        hint = (
            "run it again to make the calls that failed" if again else "the results say why; none of them is made again"
        )
        if 0 < again < result.failed:
            hint += f": {again} of them; the others may be billed, and are not made again"
        have = "item has" if len(result.results) == 1 else "items have"
        raise EndpointError(
            f"{result.failed} of {len(result.results)} {have} no answer", where="run",
            hint=f"what is done is kept; {hint}",
        )  # fmt: skip


def _steps(
    session: Session,
    job: Job,
    tracks: Any,
    *,
    ablate: bool,
    gate: Gate,
    evidence: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    import msgspec

    from reelwise.cli.run_text import show_steps, steps_document
    from reelwise.documents import write_whole
    from reelwise.run.ablation import ablation
    from reelwise.run.learned import keep

    found = ablation(session, job, tracks, without_each=ablate)
    if evidence is not None:
        for step in found.steps:
            if step.result.facts:
                keep(evidence, tracks, step.result.facts)
    judged = gate.judged(found.steps[0 if ablate else -1].metered_usd, tracks)
    told = {**steps_document(found, session), "gate": judged}
    path = out / "stack.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(told), indent=2))
    if as_json:
        print_json(told)
    else:
        show_steps(found, job)
        show_gate(judged)
        click.echo(f"\nReceipts: {path}")
    for step in found.steps:
        _exit(step.result)
    raise_gate(judged)
