"""`reelwise live`: a segmentation model on a stream, with a fraction of its inferences."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.apart import check_apart
from reelwise.cli.live_options import (
    ledger_options,
    limit_options,
    model_options,
    output_options,
    source_options,
    target_options,
)
from reelwise.cli.live_parts import load_models, make_adaptive, make_outputs, open_source
from reelwise.cli.output import json_option, note, print_json
from reelwise.cli.signals import stopped_by_signals

if TYPE_CHECKING:
    from reelwise.live.adaptive import Adaptive
    from reelwise.live.opening import Loading
    from reelwise.live.report import LiveReport
    from reelwise.live.run import LiveRun, Told
    from reelwise.live.source import Source

__all__ = ["cli"]

_FRESH_SECONDS = 5.0


@click.command()
@click.argument("source", required=False)
@model_options
@target_options
@limit_options
@output_options
@source_options
@ledger_options
@json_option
def cli(source: str | None, *, as_json: bool, **options: Any) -> None:
    """Segment SOURCE with a fraction of the model's inferences, and say what that cost and was worth.

    SOURCE is a clip, a webcam (webcam, webcam:1, /dev/video1), a camera's stream (rtsp://...), or with --follow a file that
    is still being written. Frames in between get the last mask, carried to them. Ctrl-C ends it; what was written is whole.

    \b
    reelwise live webcam --out call.mp4
    reelwise live clip.mp4 --price 0.001 --usd-an-hour 1.50 --verify --picture run.png
    """  # noqa: D301 - click reads the backspace
    began = time.monotonic() - _since_process_began()
    logging.getLogger("reelwise.live").addHandler(logging.NullHandler())  # what it says, the report and notes say
    _check(source, as_json=as_json, options=options)
    if source is None:
        source = _demo()
        began = time.monotonic()  # drawing a clip is no part of the wait
    main, device, reference = load_models(options)  # in threads, while the source opens
    with contextlib.ExitStack() as stack:
        opened, cues = open_source(source, options)
        stack.callback(opened.close)
        adaptive = make_adaptive(source, main=main, device=device, cues=cues, options=options, stack=stack)
        stack.callback(adaptive.close)
        run = _run(opened, adaptive, reference, options, began=began)
        with stopped_by_signals(lambda: run.stop("interrupted")) as stopped:
            report = run.run()
    _say(report, options, as_json=as_json)
    if stopped:
        raise KeyboardInterrupt
    if run.error is not None:
        raise run.error
    _judge(report)


def _since_process_began() -> float:
    """Return how long ago this process began: what loading Python took is part of what a user waits."""
    try:
        with open("/proc/self/stat", encoding="ascii") as file:  # noqa: PTH123 - a device
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
    return age if 0 <= age < _FRESH_SECONDS else 0.0  # an older process did not begin for this command


def _check(source: str | None, *, as_json: bool, options: dict[str, Any]) -> None:
    """Refuse what cannot go together, before anything is opened."""
    from reelwise.errors import InputError

    if (source is None) == (not options["demo"]):
        raise InputError(
            "name a source, or --demo" if source is None else "--demo brings its own source",
            where="live", hint="reelwise live webcam, clip.mp4, rtsp://..., or --demo",
        )  # fmt: skip
    if as_json and options["out"] == "-":
        raise InputError("--json and --out - both need standard output", where="live", hint="--out FILE")
    if options["out"] == "-" and sys.stdout.isatty():
        raise InputError(
            "frames are no text for a terminal", where="--out -", hint="reelwise live ... --out - | ffplay -"
        )
    if options["picture"] is not None:
        from reelwise.report.svg import check_picture

        check_picture(options["picture"])
    out = None if options["out"] == "-" else options["out"]
    check_apart(
        {"--out": out, "--masks": options["masks"], "--picture": options["picture"]},
        (source, options["background"], options["model"], options["fallback"], options["mode_file"]),
    )
    if options["usd_an_hour"] is not None and options["price"] is None:
        raise InputError("dollars an hour need a price", where="--usd-an-hour", hint="--price 0.001")


def _demo() -> str:
    """Return a webcam, or where there is none a drawn clip."""
    from reelwise.live.webcam import first_camera

    if camera := first_camera():
        note(f"demo: {camera}; --for SECONDS or Ctrl-C ends it")
        return camera
    from reelwise.models.shelf import cache_folder
    from reelwise.portrait import portrait_clip

    clip = cache_folder() / "demo" / "portrait.mp4"
    if not clip.is_file():
        note("demo: no webcam here; drawing a clip of a person (once)")
        portrait_clip(clip, say=note)
    return str(clip)


def _run(
    source: Source, adaptive: Adaptive, reference: Loading | None, options: dict[str, Any], *, began: float
) -> LiveRun:
    from reelwise.live.run import LiveRun

    verifier = None
    if reference is not None:
        from reelwise.live.reference import Reference

        verifier = Reference(reference.model(), timeout_seconds=options["model_timeout"])
    outputs = make_outputs(options, source.fps)
    composes = any(one.wants_frames for one in outputs) or options["picture"] is not None
    backdrop = None
    if composes or options["background"] != "blur":  # a background that is none is said, whether it is needed or not
        from reelwise.live.backdrop import backdrop_of

        backdrop = backdrop_of(options["background"], strength=options["strength"])
    shots = 0
    if options["picture"] is not None:
        from reelwise.report.live_sheet import SHOTS

        shots = SHOTS
    return LiveRun(
        source,
        adaptive,
        outputs=outputs,
        backdrop=backdrop,
        reference=verifier,
        for_seconds=options["for_seconds"],
        shots=shots,
        tell=_tell,
        began=began,
    )


def _tell(told: Told) -> None:
    note(told.text)


def _say(report: LiveReport, options: dict[str, Any], *, as_json: bool) -> None:
    from reelwise.live.report import document

    if as_json:
        print_json(document(report))
    else:
        from reelwise.cli.live_text import lines_of

        for line in lines_of(report):
            click.echo(line, err=options["out"] == "-")
    if options["picture"] is not None:  # last: a picture that cannot be written takes nothing else with it
        from reelwise.report.live_sheet import write_sheet

        write_sheet(report, options["picture"])
        note(f"picture: {options['picture']}")


def _judge(report: LiveReport) -> None:
    """Say with the exit code where nothing was segmented at all."""
    from reelwise.errors import EndpointError, GateError

    receipt = report.receipt
    if receipt.answers or receipt.device_inferences or receipt.mode == "off":
        return
    if receipt.denied and not receipt.inferences:
        raise GateError("no inference was let through", where=report.source, hint="reelwise budget status")
    if receipt.failures:
        said, count = receipt.failure_last.removeprefix(f"{receipt.model}: "), sum(receipt.failures.values())
        raise EndpointError(
            f"no mask came from it in {count:,} calls: {said}", where=receipt.model, hint="--fallback MODEL takes over"
        )
