"""`reelwise audit`: what a real clip costs, and what each lever is worth on it."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, money, note, print_json, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelwise.run.result import AuditResult, LookCount, SignalCount

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)
_CLIPS_SHOWN = 10


@click.command()
@click.argument("clips", nargs=-1, type=_FILE)
@click.option("--workload", "-w", type=_FILE, help="A workload file; without one 1,000 hours a month are assumed.")
@click.option("--demo", is_flag=True, help="Draw a clip of a loading bay and audit it.")
@click.option("--bill", type=_FILE, help="Start from a current bill (provider CSV or FOCUS) instead of a clip.")
@click.option(
    "--out", type=_FILE, default=Path("out/audit"), show_default=True, help="Folder for report.html, chart and JSON."
)
@click.option("--levers", help="Only these, comma separated, in this order.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the workload.")
@click.option("--rates", type=_FILE, help="Private prices (YAML).")
@click.option("--day", help="Price at this day (ISO); default: the workload's, or today.")
@click.option(
    "--evidence", type=_FILE, help=f"Folder the measured facts are added to. [default: {EVIDENCE}; none for --demo]"
)
@click.option(
    "--record",
    metavar="LEDGER",
    help="Write what each clip costs to this ledger, as estimates that count in no budget.",
)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Decode at most this much of each clip.")
@json_option
def cli(
    clips: tuple[Path, ...],
    *,
    workload: Path | None,
    demo: bool,
    bill: Path | None,
    out: Path,
    levers: str | None,
    settings: tuple[str, ...],
    rates: Path | None,
    day: str | None,
    evidence: Path | None,
    seconds: float | None,
    record: str | None,
    as_json: bool,
) -> None:
    """Count what CLIPS would cost to send to a model, and what each lever takes off, on the clip and for the month."""
    if bill is not None:
        _bill(bill, as_json=as_json)
        return
    if bool(clips) == demo:
        raise click.UsageError("name one or more clips, or --demo, or --bill FILE")
    _writable(out)
    from reelwise.run.audit import audit, decode_clips

    tree, folder, where = _tree(workload, demo=demo)
    with _progress() as show:
        if demo:
            clips = (_draw(out, show),)
        tracks = decode_clips(clips, show, seconds)
        show(Path("counting and pricing"), 0.0)
        if tree is None and (settings or day):
            from reelwise.run.audit import default_tree

            tree, _ = default_tree(tracks)
        if tree is not None:
            _override(tree, settings, day)
        result = audit(
            tracks,
            tree,
            where=where,
            rates=rates,
            levers=None if levers is None else tuple(name.strip() for name in levers.split(",") if name.strip()),
            evidence=evidence or (None if demo else EVIDENCE),
            folder=folder,
            again=_again(day or (tree or {}).get("day")),
            progress=show,
        )
        show(Path("counting and pricing"), 1.0)
    from reelwise.report.files import document, write_report

    files = write_report(result, out)
    if record is not None:
        _record(result, record)
    if as_json:
        print_json(document(result, files.html))
        return
    _show(result)
    click.echo(f"\nReport: {files.html}")
    if files.png is not None:
        click.echo(f"Chart:  {files.png}")
    else:
        click.echo("Charts: pip install 'reelwise[report]'")
    click.echo(f"Data:   {files.json}")


def _record(result: AuditResult, where: str) -> None:
    from reelwise.ledger.address import shown_address
    from reelwise.ledger.ledger import Ledger
    from reelwise.run.record import record

    with Ledger(where, thread=False) as ledger:
        new, old = record(result, ledger)
    known = f"; {old} were there already" if old else ""
    note(
        f"{new} {'estimate' if new == 1 else 'estimates'} written to {shown_address(where)}{known}: reelwise ledger show --match kind=estimate"
    )


def _again(day: str | None) -> str:
    """Write down the command, with the day of its prices pinned."""
    import datetime as dt
    import shlex
    import sys

    words = ["reelwise", *sys.argv[1:]]
    if day is None:
        words += ["--day", dt.datetime.now(tz=dt.UTC).date().isoformat()]
    return shlex.join(words)


def _writable(out: Path) -> None:
    """Find out before an hour of decoding whether the report can be written."""
    from reelwise.documents import write_whole

    probe = out / ".reelwise"
    write_whole(probe, b"")
    probe.unlink(missing_ok=True)


def _tree(workload: Path | None, *, demo: bool) -> tuple[dict[str, Any] | None, Path, str]:
    from reelwise.documents import parse_yaml, read_yaml
    from reelwise.errors import DocumentError

    if workload is not None:
        tree = read_yaml(workload)
        if not isinstance(tree, dict):
            raise DocumentError(
                "a workload file is a mapping of fields", where=str(workload), hint="`reelwise init` writes one"
            )
        return tree, workload.parent, str(workload)
    if demo:
        text = resources.files("reelwise").joinpath("data/demo.yaml").read_text(encoding="utf-8")
        return parse_yaml(text, where="data/demo.yaml"), Path(), "data/demo.yaml"
    return None, Path(), "audit"


def _override(tree: dict[str, Any], settings: tuple[str, ...], day: str | None) -> None:
    from reelwise.case import assign

    for setting in settings:
        assign(tree, setting)
    if day is not None:
        tree["day"] = day


def _draw(out: Path, show: Callable[[Path, float], None]) -> Path:
    from reelwise import video

    path = out / "loading-bay.mp4"
    show(Path("drawing a clip of a loading bay"), 0.0)
    video.draw_demo(path)
    show(Path("drawing a clip of a loading bay"), 1.0)
    return path


@contextmanager
def _progress() -> Iterator[Callable[[Path, float], None]]:
    """Show what is being done on standard error; in a log, one line for each step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bars: dict[str, Any] = {}
    if not console.is_terminal:

        def say(path: Path, share: float) -> None:
            if share <= 0 and path.name not in bars:
                bars[path.name] = True
                note(f"{path.name} ...")

        yield say
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:

        def draw(path: Path, share: float) -> None:
            if path.name not in bars:
                bars[path.name] = progress.add_task(path.name, total=1.0)
            progress.update(bars[path.name], completed=min(1.0, share))

        yield draw


def _bill(path: Path, *, as_json: bool) -> None:
    from reelwise.bills import audit_bill, bill_table

    found = audit_bill(path)
    if as_json:
        print_json(found)
    else:
        click.echo(bill_table(found))


def _show(result: AuditResult) -> None:
    from reelwise.cli.stack import show_stack

    for clip in result.clips:
        share = clip.active_seconds / clip.seconds if clip.seconds else 0.0
        click.echo(
            f"{Path(clip.path).name}: {clip.seconds:,.1f} s, {clip.frames:,} {'frame' if clip.frames == 1 else 'frames'}, {clip.width}x{clip.height}, "
            f"{clip.codec}; something happens in {share:.0%} of it"
        )
    click.echo(f"Month: {result.demand}; prices of {result.day}")
    for text in result.assumed:
        click.echo(f"Assumed: {text}")
    _show_look(result.look)
    click.echo("\nOn these clips, each lever alone:")
    rows = [
        (
            one.lever,
            f"{one.frames_without:,.0f} to {one.frames_with:,.0f}",
            f"{one.tokens_without:,.0f} to {one.tokens_with:,.0f}",
            f"{money(one.usd_clips_without)} to {money(one.usd_clips_with)}",
            "-" if one.coverage is None else f"{one.coverage:.0%}",
            one.thrown_away if one.counted else f"{one.thrown_away} (not counted: needs a model)",
        )
        for one in result.levers
    ]
    table(("lever", "frames sent", "tokens", "USD", "active seen", "thrown away"), rows, right=(1, 2, 3, 4))
    for one in result.levers:
        if one.even_pace_says:
            click.echo(f"{one.lever}: {one.even_pace_says}")
    click.echo("The month, levers together:")
    show_stack(result.stack)
    low, mid, high = result.band_final
    click.echo(f"\nWith the levers: P10 {money(low)}, P50 {money(mid)}, P90 {money(high)} USD a month")
    if result.holdout_error is not None:
        worst = max(result.holdout, key=lambda one: abs(one.error))
        click.echo(
            f"The month predicted from one half of the footage and counted on the other differs by at most "
            f"{result.holdout_error:.1%} ({worst.plan})"
        )
    for text in result.warnings:
        click.echo(f"Note: {text}")


def _show_look(look: LookCount) -> None:
    """Say how the active stretches are found, and what that costs beside a full decode."""
    click.echo(f"\nHow the active stretches are found: method {look.method}, because {look.chosen}")
    from reelwise.report.numbers import no_less
    from reelwise.run.look import scan_total

    signals = [(one.signal, one) for one in look.signals[:-1]]
    if look.method != "full":
        signals.append(("all of the scan", scan_total(look)))
    rows = [
        (
            name,
            *_spent(one),
            f"{one.saved_cpu_seconds:,.2f}",
            money(one.saved_usd_month) if one.saved_usd_month else "-",
        )
        for name, one in signals
    ]
    rows.append(("full decode", *_spent(look.signals[-1]), "-", "-"))
    columns = ("signal", "CPU s", "an hour of video", "pictures decoded", "CPU s saved", "USD saved a month")
    table(columns, rows, right=(1, 2, 3, 4, 5))
    for clip in look.clips[:_CLIPS_SHOWN]:
        there = len(clip.activities) - clip.faint
        said = [
            f"keeps {clip.kept_share:.0%} of the time (a full decode: {clip.reference_share:.0%})",
            f"sees {there - len(clip.lost)} of {there} activities",
        ]
        if clip.change_kept_share is not None:
            said.append(f"keeps {no_less(clip.change_kept_share)} of what changes in them")
        if clip.bound_seconds is not None and clip.bound_share is not None:
            said.append(
                f"key frames are up to {clip.bound_seconds:.1f} s apart: from the one before each event to its end are "
                f"{clip.bound_share:.0%} of the pictures; {clip.frames_decoded_share:.0%} were decoded"
            )
        click.echo(f"{Path(clip.path).name}: {clip.method} ({clip.why}); {'; '.join(said)}")
    if len(look.clips) > _CLIPS_SHOWN:
        click.echo(f"{len(look.clips) - _CLIPS_SHOWN:,} more clips are in the report")
    if look.method != "full":
        click.echo(
            f"This audit decoded everything once, to have something to judge by. In production only the scan runs: "
            f"{look.factor:,.1f} times less CPU."
            if look.factor >= 1
            else "This audit decoded everything once, to have something to judge by. On these clips the scan costs more than that."
        )


def _spent(one: SignalCount) -> tuple[str, str, str]:
    return f"{one.cpu_seconds:,.2f}", f"{one.cpu_seconds_an_hour:,.1f}", f"{one.frames_decoded:,}"
