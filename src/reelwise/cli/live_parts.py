"""What an invocation of `reelwise live` is made of: models, the source, the loop and outputs, each from its options."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from reelwise.cli.headers import read_headers
from reelwise.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reelwise.live.adaptive import Adaptive
    from reelwise.live.cues import Cue
    from reelwise.live.opening import Loading
    from reelwise.live.output import Output
    from reelwise.live.source import Source

__all__ = ["load_models", "make_adaptive", "make_outputs", "open_source"]

_MODE_BYTES = 64
_OPTIONS = {  # by the argument of the library that an error names
    "baseline_fps": "--baseline",
    "blank_seconds": "--blank-after",
    "ceiling_fps": "--fps",
    "inferences_a_minute": "--inferences-a-minute",
    "max_age_seconds": "--max-age",
    "quality": "--quality",
    "target": "--inferences-a-minute, --usd-an-hour",
    "timeout_seconds": "--model-timeout",
    "usd_an_hour": "--usd-an-hour",
    "usd_per_call": "--price",
}


def load_models(options: dict[str, Any]) -> tuple[Loading, Loading | None, Loading | None]:
    """Begin to load models, each in a thread of its own."""
    from reelwise.live.opening import Loading, is_embedded, open_model

    settings = {
        "timeout_seconds": options["model_timeout"],
        "headers": read_headers(options["headers"]),
        "long_side": options["send_size"],
    }

    def loading(name: str) -> Loading:
        local = is_embedded(name) or name.lower().endswith(".onnx")
        return Loading(lambda: open_model(name, **settings), warm=local)

    main = loading(options["model"])
    device = loading(options["fallback"]) if options["fallback"] else None
    return main, device, loading(options["model"]) if options["verify"] else None


def open_source(name: str, options: dict[str, Any]) -> tuple[Source, list[Cue]]:
    """Open where frames come from, and return it with what listens to its sound.

    Raises:
        InputError: options that do not go with it.
        MediaError, StreamError: it cannot be opened.
    """
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
    if "://" in name:
        raise InputError("is no source", where=name.rpartition("@")[2], hint="a file, webcam, or rtsp://...")
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


def make_adaptive(
    source: str,
    *,
    main: Loading,
    device: Loading | None,
    cues: list[Cue],
    options: dict[str, Any],
    stack: contextlib.ExitStack,
) -> Adaptive:
    """Make the loop; what is to be closed after it goes onto the stack.

    Raises:
        InputError, MissingExtraError: a model that cannot be opened, or options that cannot be.
    """
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
    waits = not (options["realtime"] or is_webcam(source) or is_stream(source))
    limits = Limits(
        max_age_seconds=options["max_age"],
        baseline_fps=min(options["baseline_fps"], options["ceiling_fps"] or options["baseline_fps"]),
        ceiling_fps=options["ceiling_fps"],
        timeout_seconds=options["model_timeout"],
        blank_seconds=options["blank_seconds"],
        wait_seconds=None if waits else Limits().wait_seconds,
    )
    with _named_as_options():
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


@contextlib.contextmanager
def _named_as_options() -> Iterator[None]:
    """Let errors about an argument of the library name the option that it came from."""
    from reelwise.errors import InputError

    try:
        yield
    except InputError as error:
        option = _OPTIONS.get(error.where)
        if option is None:
            raise
        raise InputError(error.message, where=option, hint=error.hint) from None


def _mode_in(path: Path) -> Callable[[], str | None]:
    """Read a mode from a file; a file that is not there, or is empty, says nothing."""

    def read() -> str | None:
        try:
            with path.open(encoding="utf-8") as file:
                return file.read(_MODE_BYTES).strip() or None
        except FileNotFoundError:
            return None

    return read


def make_outputs(options: dict[str, Any], fps: float) -> list[Output]:
    """Make what frames and masks go to."""
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
