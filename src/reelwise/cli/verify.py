"""`reelwise verify`: what a cheaper plan's answers are worth beside the full plan's, on a sample, under a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, money, print_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.levers import Lever
    from reelwise.plan import Plan
    from reelwise.run.job import Job
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
@click.option(
    "--model",
    help="Compare masks: of person-segmentation, a .onnx file, module:function, or an address. [default: person-segmentation for "
    "workloads of the kind segment]",
)
@click.option(
    "--live",
    "as_live",
    is_flag=True,
    help="Masks: the cheaper way is the adaptive loop, at --quality or --usd-an-hour.",
)
@click.option("--quality", type=float, help="Of --live: see `reelwise live`.")
@click.option("--usd-an-hour", help="Of --live: dollars in any 60 minutes.")
@click.option("--price", help="Masks: dollars a call. [default: what a picture costs by the plan]")
@click.option(
    "--frames", type=click.IntRange(20, 100_000), default=400, show_default=True, help="Masks: frames to compare."
)
@json_option
def cli(workload: Path, clips: tuple[Path, ...], *, as_json: bool, **options: Any) -> None:
    """Ask WORKLOAD's plan and a cheaper one about the same sample of CLIP, and say how far the answers agree.

    Labels, texts and events are compared, or with --model masks. The sample stands for the footage, active parts and quiet ones alike,
    and no call is made that could take it above --max-usd. Exits 3 below --floor.

    \b
    reelwise verify plan.yaml clips/ --levers cascade --max-usd 0.05 --floor 0.9
    reelwise verify segmentation.yaml call.mp4 --live --quality 0.95
    reelwise verify segmentation.yaml call.mp4 --levers sample_frames
    """  # noqa: D301 - click reads the backspace
    from reelwise.errors import EndpointError, GateError
    from reelwise.run.job import read_job

    levers = options["levers"]
    names = None if levers is None else tuple(name.strip() for name in levers.split(",") if name.strip())
    if options["as_live"] and names is None:
        names = ()
    job = read_job(
        workload,
        settings=options["settings"],
        day=options["day"],
        evidence=options["evidence"] or EVIDENCE,
        levers=names,
    )
    masks = options["model"] is not None or options["as_live"] or job.case.workload.kind == "segment"
    cheap = _cheaper(job, options["plan"])
    found, tracks = (_masks if masks else _answers)(job, cheap, clips, options, workload)
    if options["evidence"] is not None:
        _keep(options["evidence"], job.case.levers if options["plan"] is None else (), found, tracks)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found.stopped:
        raise EndpointError(
            f"it ended early: {found.stopped}", where="verify", hint="what was answered is kept: run it again"
        )
    floor = options["floor"]
    low = [one for one in found.agreements if floor is not None and one.low < floor]
    if low:
        said = ", ".join(f"{one.what} {one.value:.1%} (at least {one.low:.1%})" for one in low)
        raise GateError(f"below the floor of {floor:.1%}: {said}", where="verify", hint="more items, or a dearer plan")


def _cheaper(job: Job, path: Path | None) -> Plan:
    from reelwise.documents import decode, read_yaml
    from reelwise.plan import Plan

    cheap = job.case.plan
    if path is None:
        for lever in job.case.levers:
            cheap = lever.apply(cheap)
        return cheap
    tree = read_yaml(path)
    cheap = decode(tree.get("plan", tree) if isinstance(tree, dict) else tree, Plan, where=str(path))
    cheap.check(str(path))
    return cheap


def _answers(
    job: Job, cheap: Plan, clips: tuple[Path, ...], options: dict[str, Any], workload: Path
) -> tuple[Verified, list[Track]]:
    from reelwise.errors import DocumentError
    from reelwise.run.job import clips_of
    from reelwise.run.session import Session
    from reelwise.run.verifying import verify

    if cheap.hash == job.case.plan.hash:
        raise DocumentError(
            "there is no cheaper plan to verify", where=str(workload), hint="--plan FILE, or levers in the file"
        )
    given = {name: options[name] for name in ("sandbox", "scenario", "out", "ledger_at", "max_usd")}
    with Session(job, **given) as session:
        tracks = session.decoded(clips_of(clips))
        most = round(options["max_usd"] * 1e9)
        return verify(session, job, cheap, tracks, most_nano=most, parts=options["parts"], seed=options["seed"]), tracks


def _masks(
    job: Job, cheap: Plan, clips: tuple[Path, ...], options: dict[str, Any], workload: Path
) -> tuple[Verified, list[Track]]:
    from reelwise.errors import DocumentError, InputError
    from reelwise.live.opening import PERSON, open_model
    from reelwise.live.target import Target, exact_nano
    from reelwise.live.verifying import MaskCheck, verify_masks
    from reelwise.run.audit import decode_clips
    from reelwise.run.job import clips_of
    from reelwise.run.pictures import picture_usd

    if options["sandbox"] or not options["parts"]:
        raise InputError("no sandbox draws masks, and they are compared in parts", where="verify", hint="leave it out")
    held = options["quality"] is not None or options["usd_an_hour"] is not None
    if held and not options["as_live"]:
        raise InputError("--quality and --usd-an-hour are of the adaptive loop", where="verify", hint="--live")
    target = (
        Target(quality=options["quality"], usd_an_hour=options["usd_an_hour"]).check() if options["as_live"] else None
    )
    if target is None and _sent(cheap) == _sent(job.case.plan):
        raise DocumentError(
            "the cheaper plan sends what the full one sends: no mask can differ", where=str(workload),
            hint="--live, or a plan or levers that crop, scale, gate or sample (--levers sample_frames)",
        )  # fmt: skip
    price = exact_nano(options["price"] if options["price"] is not None else picture_usd(job), "--price")
    check = MaskCheck(
        case=job.case, full=job.case.plan, cheap=cheap, model=open_model(options["model"] or PERSON), price_nano=price,
        target=target, most_nano=round(options["max_usd"] * 1e9), frames=options["frames"], seed=options["seed"],
    )  # fmt: skip
    tracks = decode_clips(clips_of(clips), None, None)
    return verify_masks(check, tracks), tracks


def _keep(folder: Path, levers: Sequence[Lever], found: Verified, tracks: Sequence[Track]) -> None:
    """Write down what one lever's answers are worth."""
    from reelwise.cli.output import note
    from reelwise.run.learned import keep, quality

    answers = [one for one in found.agreements if not one.what.startswith("events")]
    if len(levers) != 1 or not answers:
        note("nothing is added to the evidence: it takes one lever, and answers")
        return
    worst = min(answers, key=lambda one: one.value)
    names = ", ".join(dict.fromkeys(Path(track.info.path).name for track in tracks[:3]))
    keep(folder, tracks, [quality(levers[0].name, worst, on=names)])


def _sent(plan: Plan) -> tuple[Any, ...]:
    """Return the stages that decide which frames are sent, which part of them, and how large."""
    from reelwise.stages import Crop, Gate, Sample, Scale

    return tuple(one for one in plan.stages if isinstance(one, (Gate, Crop, Sample, Scale)))


_SAID = {
    "labels": "labels that are equal",
    "text": "likeness of texts",
    "masks": "overlap of masks (IoU)",
    "events": "active time that is still looked at",
    "events_found": "events that are still looked at",
    "events_real": "kept stretches with an event",
}


def _show(found: Verified) -> None:
    rows = []
    for one in found.agreements:
        clips = f"{one.clips} clip" if one.clips == 1 else f"{one.clips:,} clips"
        low_high = f"{one.low:.1%} to {one.high:.1%}"
        rows.append((_SAID.get(one.what, one.what), f"{one.value:.1%}", low_high, f"{one.items:,} in {clips}"))
        if one.p5 is not None:
            interval = f"{one.p5_low or 0:.1%} to {one.p5_high or 0:.1%}"
            rows.append(("  the same, that 95 of 100 reach", f"{one.p5:.1%}", interval, ""))
    table(("agreement", "value", "95 % interval", "rests on"), rows, right=(1,))
    factor = "" if found.factor is None else f", {found.factor:.3g} times less"
    click.echo(
        f"{found.items:,} of {found.of:,} {'frames' if any(one.p5 is not None for one in found.agreements) else 'items'}: "
        f"{money(found.full_usd)} USD in full, {money(found.cheap_usd)} USD cheaper{factor}"
    )
    if found.drawn is not None:
        drawn = found.drawn
        parts = f"{drawn.active_drawn} of {drawn.active} active parts, {drawn.quiet_drawn} of {drawn.quiet} quiet ones"
        click.echo(f"Drawn from the footage: {parts}")
    click.echo(f"Verifying cost {money(found.cost_usd)} USD")
    for differing in found.differ:
        why = f"  ({differing.why})" if differing.why else ""
        click.echo(f"  {Path(differing.clip).name}: {_short(differing.full)}  |  {_short(differing.cheap)}{why}")
    for text in found.notes:
        click.echo(f"Note: {text}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
