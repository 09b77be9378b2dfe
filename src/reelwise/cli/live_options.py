"""The options of `reelwise live`, by what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ledger_options", "limit_options", "model_options", "output_options", "source_options", "target_options"]

F = TypeVar("F", bound="Callable[..., Any]")
_FILE = click.Path(path_type=Path)
_MODES = ("max", "full", "saver", "basic", "off")


def _added(command: F, options: tuple[Any, ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def model_options(command: F) -> F:
    """Add the options about models."""
    return _added(
        command,
        (
            click.option(
                "--model", default="person-segmentation", show_default=True, metavar="MODEL",
                help="person-segmentation[:landscape], FILE.onnx, MODULE:FUNCTION, or http(s)://... (JPEG there, mask back).",
            ),
            click.option("--price", metavar="USD", help="What one inference costs: 0.001."),
            click.option(
                "--fallback", metavar="MODEL", help="A model on this device that takes over when MODEL is slow or fails."
            ),
            click.option(
                "--header", "headers", multiple=True, metavar="NAME:VALUE",
                help='Sent to an endpoint: "Authorization: Bearer ..."; $VARIABLE takes it from the environment.',
            ),
            click.option(
                "--send-size", type=click.IntRange(0), default=0, metavar="PIXELS",
                help="Long side of the pictures that an endpoint is sent; 0: as they are.",
            ),
            click.option(
                "--model-timeout", type=click.FloatRange(0.01, 3600), default=10.0, show_default=True,
                help="Seconds after which an answer is given up.",
            ),
        ),
    )  # fmt: skip


def target_options(command: F) -> F:
    """Add the options about what is held."""
    return _added(
        command,
        (
            click.option(
                "--quality", type=float, metavar="IOU",
                help="Overlap with the model's own mask that 95 of 100 frames keep; 0.95 where nothing is said.",
            ),
            click.option("--inferences-a-minute", type=float, metavar="N", help="Frames sent in a minute, over time."),
            click.option("--usd-an-hour", metavar="USD", help="Dollars in any 60 minutes, used up and never exceeded."),
            click.option("--mode", type=click.Choice(_MODES), default="full", show_default=True,
                         help="max infers every frame, saver fewer, basic none but on the device, off none at all."),
            click.option("--mode-file", type=_FILE, help="A file that says the mode, read once a second: a remote setting."),
        ),
    )  # fmt: skip


def limit_options(command: F) -> F:
    """Add the options about limits."""
    return _added(
        command,
        (
            click.option("--max-age", type=click.FloatRange(0.001, 86_400), metavar="SECONDS",
                         help="A mask that is older gets an inference, whatever its need."),
            click.option("--fps", "ceiling_fps", type=click.FloatRange(0, 1000), default=0.0, metavar="N",
                         help="Inferences a second at most; 0: up to every frame."),
            click.option("--baseline", "baseline_fps", type=click.FloatRange(0, 1000), default=1.0, show_default=True,
                         metavar="N", help="Inferences a second even where nothing moves."),
            click.option("--blank-after", "blank_seconds", type=click.FloatRange(0, 86_400), default=3.0, show_default=True,
                         metavar="SECONDS", help="How long the last mask is shown where no model answers."),
        ),
    )  # fmt: skip


def output_options(command: F) -> F:
    """Add the options about what comes out."""
    return _added(
        command,
        (
            click.option("--out", metavar="FILE", help="Frames with another background: .mp4, .mov, .mkv; - for a pipe."),
            click.option("--pipe", "pipe_kind", type=click.Choice(("y4m", "rgb24")), default="y4m", show_default=True,
                         help="What --out - writes."),
            click.option("--background", default="blur", show_default=True, metavar="WHAT",
                         help="blur, a colour as #00ff00, or a picture."),
            click.option("--blur", "strength", type=click.IntRange(1, 100), default=40, show_default=True,
                         help="How strongly the background is blurred."),
            click.option("--masks", type=_FILE, help="Masks: a new folder (PNG), .npz, or a grey video."),
            click.option("--virtual-camera", is_flag=False, flag_value="", metavar="[DEVICE]",
                         help="Frames as a camera for other programs (needs pyvirtualcam and a driver)."),
            click.option("--picture", type=_FILE, help="Draw the run as .svg or .png: frames, masks, and when was inferred."),
            click.option("--verify", is_flag=True,
                         help="Also ask the model about every frame, off the books, and say how well masks overlap."),
        ),
    )  # fmt: skip


def source_options(command: F) -> F:
    """Add the options about where frames come from."""
    return _added(
        command,
        (
            click.option("--demo", is_flag=True, help="The webcam, or where there is none a drawn clip of a person."),
            click.option("--realtime", is_flag=True, help="Read a file at the pace it plays; frames that come too late are dropped."),
            click.option("--for", "for_seconds", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                         help="Run for so long, of a file for so much of it; without it until the source ends, or Ctrl-C."),
            click.option("--follow", is_flag=True, help="Read a file that is still being written, as it grows."),
            click.option("--idle", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True,
                         help="Seconds after which a file that does not grow has ended."),
            click.option("--transport", type=click.Choice(("tcp", "udp")), default="tcp", show_default=True,
                         help="How RTSP carries the pictures."),
            click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True,
                         help="Seconds without a picture until a camera counts as gone."),
            click.option("--reconnects", type=click.IntRange(0, 1000), default=5, show_default=True,
                         help="How often in a row to open a camera again that went away."),
            click.option("--sound", multiple=True, type=click.Choice(("energy", "speech")),
                         help="Sound asks for inferences, too: louder than the noise floor, or speech."),
        ),
    )  # fmt: skip


def ledger_options(command: F) -> F:
    """Add the options about the ledger."""
    return _added(
        command,
        (
            click.option(
                "--ledger", "ledger_at", metavar="WHERE", help="Hold and settle each inference in this ledger."
            ),
            click.option("--feature", default="live", show_default=True, help="What budgets call this."),
            click.option("--user", default="", help="Who it is for, in the ledger."),
            click.option("--session", default="", help="Of the product, in the ledger."),
        ),
    )
