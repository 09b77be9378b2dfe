"""`reelwise live`: a segmentation model on a stream, with a fraction of its inferences."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.live_options import (
    ledger_options,
    limit_options,
    model_options,
    output_options,
    source_options,
    target_options,
)
from reelwise.cli.output import json_option, note, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reelwise.live.adaptive import Adaptive
    from reelwise.live.cues import Cue
    from reelwise.live.opening import Loading
    from reelwise.live.output import Output
    from reelwise.live.report import LiveReport
    from reelwise.live.run import LiveRun, Told
    from reelwise.live.source import Source

__all__ = ["cli"]

_FRESH_SECONDS = 5.0
_MODE_BYTES = 64


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
    r"""Segment SOURCE with a fraction of the model's inferences, and say what that cost and was worth.

    SOURCE is a clip, a webcam (webcam, webcam:1, /dev/video1), a camera's stream (rtsp://...), or with --follow a file that
    is still being written. Frames in between get the last mask, carried to them. Ctrl-C ends it; what was written is whole.

    \b
    reelwise live webcam --out call.mp4
    reelwise live clip.mp4 --price 0.001 --usd-an-hour 1.50 --verify --picture run.png
    """
    began = time.monotonic() - _since_process_began()
    logging.getLogger("reelwise.live").addHandler(logging.NullHandler())  # what it says, the report and notes say
    _check(source, as_json=as_json, options=options)
    main, device, reference = _load(options)  # in threads, while the source opens
    name = _source_name(source, options)
    with contextlib.ExitStack() as stack:
        opened, cues = _open_source(name, options)
        stack.callback(opened.close)
        adaptive = _adaptive(main, device, cues, options, stack)
        stack.callback(adaptive.close)
        run = _run(opened, adaptive, reference, options, began=began)
        with _stopped_by_signals(run) as stopped:
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
    if options["usd_an_hour"] is not None and options["price"] is None:
        raise InputError("dollars an hour need a price", where="--usd-an-hour", hint="--price 0.001")


def _load(options: dict[str, Any]) -> tuple[Loading, Loading | None, Loading | None]:
    """Begin to load models, each in a thread of its own."""
    from reelwise.live.opening import Loading, is_embedded, open_model

    settings = {
        "timeout_seconds": options["model_timeout"],
        "headers": _headers(options["headers"]),
        "long_side": options["send_size"],
    }

    def loading(name: str) -> Loading:
        local = is_embedded(name) or name.lower().endswith(".onnx")
        return Loading(lambda: open_model(name, **settings), warm=local)

    main = loading(options["model"])
    device = loading(options["fallback"]) if options["fallback"] else None
    return main, device, loading(options["model"]) if options["verify"] else None


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    from reelwise.errors import InputError

    found = {}
    for one in given:
        name, sign, value = one.partition(":")
        value = value.strip()
        if not sign or not name.strip():
            raise InputError("is no header", where=f"--header {name[:40]}", hint='"Name: value"')
        words = [os.environ.get(word[1:], "") if word.startswith("$") else word for word in value.split(" ")]
        if "" in words and "$" in value:
            raise InputError("names a variable that is not set", where=f"--header {name[:40]}", hint="export it")
        found[name.strip()] = " ".join(words)
    return found


def _source_name(source: str | None, options: dict[str, Any]) -> str:
    """Return where frames come from; a demo looks for a webcam, then draws a clip."""
    if source is not None:
        return source
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
    options["demo_clip"] = True
    return str(clip)


def _open_source(name: str, options: dict[str, Any]) -> tuple[Source, list[Cue]]:
    from pathlib import Path

    from reelwise.errors import InputError
    from reelwise.live.webcam import Webcam, is_webcam
    from reelwise.scan.feeds import Camera, GrowingFile, is_stream

    ears: list[Any] = []
    if options["sound"]:
        from reelwise.live.cues import Heard
        from reelwise.scan.ears import ear

        ears = [Heard(ear(one)) for one in dict.fromkeys(options["sound"])]
    live = is_webcam(name) or is_stream(name)
    if live and (options["follow"] or options["realtime"]):
        raise InputError("--follow and --realtime are for files", where=name.rpartition("@")[2], hint="leave them out")
    if is_webcam(name):
        if ears:
            raise InputError("a webcam has no sound here", where="--sound", hint="a cue from Python: see docs/live.md")
        return Webcam(name, tries=options["reconnects"], timeout_seconds=options["timeout"]), []
    from reelwise.live.source import Paced
    from reelwise.live.sources import FileSource, StreamSource

    if is_stream(name):
        feed = Camera(
            name, transport=options["transport"], timeout_seconds=options["timeout"], tries=options["reconnects"]
        )
        return StreamSource(feed, ears=tuple(ears)), list(ears)
    if options["follow"]:
        return StreamSource(GrowingFile(Path(name), idle_seconds=options["idle"]), ears=tuple(ears)), list(ears)
    file = FileSource(name)
    heard = _heard_in(name, options["sound"])
    return (Paced(file) if options["realtime"] else file), heard


def _heard_in(path: str, sound: tuple[str, ...]) -> list[Cue]:
    """Listen to all of a file beforehand."""
    if not sound:
        return []
    from reelwise.live.cues import Triggered
    from reelwise.scan.ears import ear, sound_of

    spans, _ = sound_of(path, [ear(one) for one in dict.fromkeys(sound)])
    if spans is None:
        note("there is no sound in the file: sound asks for nothing")
        return []

    def trigger(name: str, found: list[tuple[float, float]]) -> Cue:
        def heard(start: float, stop: float) -> list[tuple[float, float]]:
            return [one for one in found if one[0] < stop and one[1] > start]

        heard.__name__ = name
        return Triggered(heard)

    return [trigger(name, found) for name, found in spans.items()]


def _adaptive(
    main: Loading, device: Loading | None, cues: list[Cue], options: dict[str, Any], stack: contextlib.ExitStack
) -> Adaptive:
    from reelwise.live.adaptive import Adaptive
    from reelwise.live.target import Limits
    from reelwise.live.webcam import is_webcam
    from reelwise.scan.feeds import is_stream

    model, fallback = main.model(), device.model() if device is not None else None
    for one in (model, fallback):
        close = getattr(one, "close", None)
        if close is not None and one is not None and type(one).__name__ == "HttpModel":
            stack.callback(close)
    named: dict[str, Any] = {}
    if options["ledger_at"]:
        from reelwise.ledger.ledger import Ledger

        named["ledger"] = stack.enter_context(Ledger(options["ledger_at"]))
        named |= {"user": options["user"], "session": options["session"], "feature": options["feature"]}
    source = click.get_current_context().params["source"] or ""
    waits = not (options["realtime"] or is_webcam(source) or is_stream(source) or options["demo"])
    limits = Limits(
        max_age_seconds=options["max_age"],
        baseline_fps=min(options["baseline_fps"], options["ceiling_fps"] or options["baseline_fps"]),
        ceiling_fps=options["ceiling_fps"],
        timeout_seconds=options["model_timeout"],
        blank_seconds=options["blank_seconds"],
        wait_seconds=None if waits or options.get("demo_clip") else Limits().wait_seconds,
    )
    return Adaptive(
        model,
        quality=options["quality"],
        inferences_a_minute=options["inferences_a_minute"],
        usd_an_hour=options["usd_an_hour"],
        usd_per_call=options["price"] or 0,
        fallback=fallback,
        limits=limits,
        mode=options["mode"],
        remote=_mode_in(options["mode_file"]) if options["mode_file"] is not None else None,
        cues=cues,
        on_mode_change=lambda one: note(f"{one.seconds:,.1f} s: mode {one.old} -> {one.new}: {one.reason}"),
        **named,
    )


def _mode_in(path: Path) -> Callable[[], str | None]:
    """Read a mode from a file; a file that is not there, or is empty, says nothing."""

    def read() -> str | None:
        try:
            with path.open(encoding="utf-8") as file:
                return file.read(_MODE_BYTES).strip() or None
        except FileNotFoundError:
            return None

    return read


def _run(
    source: Source, adaptive: Adaptive, reference: Loading | None, options: dict[str, Any], *, began: float
) -> LiveRun:
    from reelwise.live.run import LiveRun

    outputs = _outputs(options, source.fps)
    composes = any(one.wants_frames for one in outputs) or options["picture"] is not None
    backdrop = None
    if composes:
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
        reference=reference.model() if reference is not None else None,
        for_seconds=options["for_seconds"],
        shots=shots,
        tell=_tell,
        began=began,
    )


def _outputs(options: dict[str, Any], fps: float) -> list[Output]:
    from pathlib import Path

    found: list[Output] = []
    if not options["out"] and options["masks"] is None and options["virtual_camera"] is None:
        return found
    from reelwise.live.outputs import Pipe, VideoFile, VirtualCamera, masks_of

    if options["out"] == "-":
        found.append(Pipe(sys.stdout.buffer, kind=options["pipe_kind"], fps=fps))
    elif options["out"]:
        found.append(VideoFile(Path(options["out"]), fps=fps))
    if options["masks"] is not None:
        found.append(masks_of(options["masks"], fps=fps))
    if options["virtual_camera"] is not None:
        found.append(VirtualCamera(options["virtual_camera"] or None, fps=fps))
    return found


def _tell(told: Told) -> None:
    note(told.text)


@contextlib.contextmanager
def _stopped_by_signals(run: LiveRun) -> Iterator[list[int]]:
    """End the run on Ctrl-C or a termination, so that outputs are whole and the receipt is printed; a second one ends it at once."""
    before: dict[int, Any] = {}
    caught: list[int] = []

    def stop(number: int, _frame: Any) -> None:
        signal.signal(number, before[number])
        caught.append(number)
        run.stop("interrupted")

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread: the caller stops us
            before[number] = signal.signal(number, stop)
    try:
        yield caught
    finally:
        for caught_by, handler in before.items():
            signal.signal(caught_by, handler)


def _say(report: LiveReport, options: dict[str, Any], *, as_json: bool) -> None:
    from reelwise.live.report import document

    if options["picture"] is not None:
        from reelwise.report.live_sheet import write_sheet

        write_sheet(report, options["picture"])
        note(f"picture: {options['picture']}")
    if as_json:
        print_json(document(report))
        return
    from reelwise.cli.live_text import lines_of

    for line in lines_of(report):
        click.echo(line, err=options["out"] == "-")


def _judge(report: LiveReport) -> None:
    """Say with the exit code where nothing was segmented at all."""
    from reelwise.errors import EndpointError, GateError

    receipt = report.receipt
    if receipt.answers or receipt.device_inferences or receipt.mode == "off":
        return
    if receipt.denied and not receipt.inferences:
        raise GateError("no inference was let through", where=report.source, hint="reelwise budget status")
    if receipt.failures:
        said = next((one for one in receipt.notes if one.startswith("the model failed")), "see the notes")
        raise EndpointError(
            f"the model never answered: {said}", where=receipt.model, hint="--fallback MODEL takes over"
        )
