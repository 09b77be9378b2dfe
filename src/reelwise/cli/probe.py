"""`reelwise probe`: make a smaller model, measure it beside its teacher, accept or refuse it with the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelwise.cli.apart import check_apart
from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, note, print_json, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.models.masks import MaskNetwork
    from reelwise.models.segment import SegmentModel
    from reelwise.probe import Floors, Footage, Verdict

__all__ = ["cli"]

F = TypeVar("F", bound="Callable[..., Any]")

_FILE = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 1)


def _options(command: F) -> F:
    """Add what both probes take."""
    for option in (
        json_option,
        click.option("--gate", is_flag=True, help="Exit with 3 where the model is refused."),
        click.option(
            "--evidence",
            type=_FILE,
            default=EVIDENCE,
            show_default=True,
            help="Folder of measured facts that this writes to.",
        ),
        click.option("--out", type=_FILE, help="Write the network (ONNX) here, if it is accepted."),
        click.option(
            "--seconds",
            type=click.FloatRange(0.1, 600),
            default=4.0,
            show_default=True,
            help="For how long both are timed in turn.",
        ),
        click.option(
            "--iou-p5", type=_SHARE, help="Its 5th percentile that is asked for.  [default: quantize .95, distil .85]"
        ),
        click.option(
            "--iou",
            type=_SHARE,
            help="Mean IoU with the teacher that is asked for.  [default: quantize .98, distil .95]",
        ),
        click.option(
            "--frames", type=click.IntRange(16, 3000), default=300, show_default=True, help="Of each clip, at most."
        ),
        click.option(
            "--hold-clip",
            "hold_clips",
            type=_FILE,
            multiple=True,
            help="Judge on this clip instead; then all of CLIPS is used.",
        ),
        click.option(
            "--hold",
            type=click.FloatRange(0.05, 0.9),
            default=1 / 3,
            show_default="1/3",
            help="Share of each clip, at its end, that is held back to judge on.",
        ),
        click.argument("clips", nargs=-1, required=True, type=_FILE),
        click.argument("model"),
    ):
        command = option(command)
    return command


@click.group()
def cli() -> None:
    """Make a smaller model and find out on your clips whether it is worth taking. What is saved is measured, never assumed."""


@cli.command()
@_options
def quantize(*, model: str, as_json: bool, gate: bool, out: Path | None, seconds: float, **options: Any) -> None:
    """Quantize MODEL to 8 bits, calibrated on part of CLIPS, and judge it on the rest.

    MODEL is person-segmentation[:landscape], or a .onnx file from a picture (float32 1x3xHxW, RGB 0..1) to a mask.
    """
    from reelwise.probe import probe_quantize
    from reelwise.probe.verdict import QUANTIZE

    path, name = _network(model)
    check_apart({"--out": out}, (path, *options["clips"], *options["hold_clips"]))
    footage = _footage(**options)
    note(f"quantizing {name} with {len(footage.used)} frames; {len(footage.held)} are held back: {footage.held_is}")
    made = probe_quantize(path, footage, name=name, floors=_floors(QUANTIZE, **options), seconds=seconds)
    more = {"bytes_before": made.bytes_before, "bytes_after": made.bytes_after, "frames_used": made.frames_used}
    _tell(made.verdict, made.network, footage, name=name, more=more, as_json=as_json, gate=gate, out=out, **options)


@cli.command()
@click.option("--steps", type=click.IntRange(1, 20_000), default=500, show_default=True, help="Of training.")
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Cores for training.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@_options
def distil(
    *,
    model: str,
    as_json: bool,
    gate: bool,
    out: Path | None,
    seconds: float,
    steps: int,
    threads: int,
    seed: int,
    **options: Any,
) -> None:
    """Train a small student on MODEL's masks of part of CLIPS, and judge it on the rest. Needs PyTorch (extra train).

    MODEL is person-segmentation[:landscape], a .onnx file as for quantize, or "module:function" from an RGB array to a mask.
    """
    from reelwise.probe import probe_distil
    from reelwise.probe.verdict import DISTIL

    teacher, clock = _teacher(model)
    check_apart({"--out": out}, (model, *options["clips"], *options["hold_clips"]))
    footage = _footage(**options)
    made = probe_distil(
        teacher, footage, floors=_floors(DISTIL, **options), steps=steps, threads=threads, seed=seed, seconds=seconds,
        clock=clock, say=note,
    )  # fmt: skip
    more = {
        "frames_used": made.frames_used, "steps": made.steps, "cpu_seconds": made.cpu_seconds, "weights": made.weights,
        "bytes_after": len(made.network),
    }  # fmt: skip
    _tell(
        made.verdict,
        made.network,
        footage,
        name=teacher.name,
        more=more,
        as_json=as_json,
        gate=gate,
        out=out,
        **options,
    )


def _network(model: str) -> tuple[Path, str]:
    from reelwise.errors import InputError
    from reelwise.models.shelf import MODEL, model_path

    name, _, variant = model.partition(":")
    if name == MODEL:
        return model_path(variant or "general"), f"{MODEL}:{variant or 'general'}"
    path = Path(model)
    if not model.endswith(".onnx"):
        raise InputError(
            f"no network that can be quantized: {model!r:.80}", where="MODEL", hint=f"{MODEL}, or a .onnx file"
        )
    if not path.is_file():
        raise InputError("no such file", where=str(path), hint="name a .onnx file")
    return path, path.name


def _teacher(model: str) -> tuple[SegmentModel, Any]:
    """Return the model to copy, and the clock that its time is told by."""
    from reelwise.models.function import FUNCTION, load_function
    from reelwise.models.masks import MaskNetwork

    if FUNCTION.fullmatch(model) and not model.startswith("person-segmentation"):
        return _Function(model, load_function(model, where="MODEL", hint="put its folder on PYTHONPATH")), "wall"
    path, name = _network(model)
    network: MaskNetwork = MaskNetwork(path, name=name)
    return network, "cpu"


class _Function:
    """A function of the user's own as a teacher."""

    def __init__(self, name: str, function: Callable[[Any], Any]) -> None:
        self.name, self._function = name, function

    def __call__(self, frame: Any) -> Any:
        from reelwise.errors import InputError
        from reelwise.models.function import FOREIGN

        try:
            return self._function(frame)
        except FOREIGN as error:
            raise InputError(
                f"the function failed: {type(error).__name__}: {error}", where=self.name, hint="try it on one frame"
            ) from error


def _footage(*, clips: tuple[Path, ...], hold: float, hold_clips: tuple[Path, ...], frames: int, **_: Any) -> Footage:
    from reelwise.probe import footage_of

    return footage_of(clips, hold=hold, hold_clips=hold_clips, frames=frames)


def _floors(default: Floors, *, iou: float | None, iou_p5: float | None, **_: Any) -> Floors:
    from msgspec.structs import replace

    return replace(
        default, iou=default.iou if iou is None else iou, iou_p5=default.iou_p5 if iou_p5 is None else iou_p5
    )


def _tell(
    verdict: Verdict, network: bytes, footage: Footage, *, name: str, more: dict[str, Any], evidence: Path, as_json: bool,
    gate: bool, out: Path | None, **_: Any,
) -> None:  # fmt: skip
    """Write down what was measured, keep the network where it is accepted, and say both."""
    import msgspec

    from reelwise.documents import write_whole
    from reelwise.errors import GateError
    from reelwise.evidence_store import machine
    from reelwise.measured import keep, probe_entries

    speed, alike = verdict.speed, verdict.likeness
    on = f"{', '.join(clip for clip, _ in footage.clips[:3])}{' ...' if len(footage.clips) > 3 else ''}; {machine()}"
    entries = probe_entries(
        verdict.lever,
        speed_ratio=(speed.ratio, speed.low, speed.high),
        quality=(alike.mean, alike.low, alike.high),
        source=f"reelwise probe {verdict.lever} {name}: {alike.frames} frames, {footage.held_is}",
        on=on,
    )
    written = keep(evidence, entries, clips=footage.clips, seconds=footage.seconds)
    kept = out if verdict.accepted else None
    if kept is not None:
        write_whole(kept, network)
    if as_json:
        print_json(
            {
                "model": name, "machine": machine(), "held": footage.held_is, "verdict": verdict, **more,
                "facts": msgspec.to_builtins(entries), "written": str(written), "network": None if kept is None else str(kept),
            }
        )  # fmt: skip
    else:
        _show(verdict, name, more)
        if out is not None:
            click.echo(f"Network: {kept}" if kept is not None else "The network is not written: it was refused.")
        click.echo(f"Facts: probe.{verdict.lever}.speed_ratio and quality.{verdict.lever}, written to {written}")
    if gate and not verdict.accepted:
        raise GateError(f"{verdict.lever} was refused: {'; '.join(verdict.why)}", where=name, hint="keep the teacher")


def _show(verdict: Verdict, name: str, more: dict[str, Any]) -> None:
    speed, alike = verdict.speed, verdict.likeness
    click.echo(f"{name}, {verdict.lever}: {'ACCEPTED' if verdict.accepted else 'REFUSED'}")
    for text in verdict.why:
        click.echo(f"  {text}")
    clock = "CPU ms a frame, one thread" if speed.clock == "cpu" else "ms a frame"
    rows = [
        (clock, f"{speed.teacher_ms:.2f}", f"{speed.student_ms:.2f}", f"x{speed.ratio:.2f} ({speed.low:.2f} to {speed.high:.2f})"),
        (f"IoU with the teacher, {alike.frames} held-back frames", "1", f"{alike.mean:.3f}", f"{alike.low:.3f} to {alike.high:.3f}"),
        ("  5th percentile, worst", "", f"{alike.p5:.3f}", f"{alike.worst:.3f}"),
    ]  # fmt: skip
    if "bytes_before" in more:
        rows.append(("bytes", f"{more['bytes_before']:,}", f"{more['bytes_after']:,}", ""))
    if "cpu_seconds" in more:
        rows.append(("CPU seconds of training", "", f"{more['cpu_seconds']:,.0f}", f"{more['steps']:,} steps"))
        rows.append(("weights; bytes", "", f"{more['weights']:,}", f"{more['bytes_after']:,}"))
    table(("", "teacher", "smaller", ""), rows, right=(1, 2))
