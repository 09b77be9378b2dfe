"""Quantize a network to 8 bits with onnxruntime, calibrated on footage, and find out whether that is worth it here.

Whether 8 bits are faster is a matter of the network and the processor: dense convolutions gain where it has instructions for
them, while a network of thin layers loses more to converting back and forth than it gains.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import InputError, MissingExtraError, OutputError
from reelwise.models.masks import MaskNetwork
from reelwise.models.session import first_line, foreign
from reelwise.probe.likeness import likeness_of, masks_of
from reelwise.probe.speed import side_by_side
from reelwise.probe.verdict import QUANTIZE, Floors, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.probe.footage import Footage

__all__ = ["Quantized", "probe_quantize", "quantized"]

_CALIBRATION_MAX = 200  # frames


class Quantized(Struct, frozen=True, kw_only=True):
    """A quantized network and what was found out about it; bytes are ONNX files."""

    verdict: Verdict
    network: bytes
    bytes_before: int
    bytes_after: int
    frames_used: int


def probe_quantize(
    network: Path, footage: Footage, *, name: str = "", floors: Floors = QUANTIZE, seconds: float = 4.0
) -> Quantized:
    """Quantize a network and hold it against itself as it was.

    Args:
        network: an ONNX file from a picture to a mask, see `MaskNetwork`.
        footage: frames to calibrate with, and held-back frames to judge on.
        name: what it is called.
        floors: what it must reach.
        seconds: how long both are timed, on one thread.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        InputError: the network is no such network, or cannot be quantized.
    """
    teacher = MaskNetwork(network, name=name or network.name)
    made = quantized(network, teacher, footage.used)
    student = MaskNetwork(made, name=f"{teacher.name}, 8 bits")
    alike = likeness_of(masks_of(student, footage.held), masks_of(teacher, footage.held))
    speed = side_by_side(teacher, student, footage.held, seconds=seconds)
    return Quantized(
        verdict=judge("quantize", speed, alike, floors),
        network=made,
        bytes_before=network.stat().st_size,
        bytes_after=len(made),
        frames_used=min(len(footage.used), _CALIBRATION_MAX),
    )


def quantized(network: Path, teacher: MaskNetwork, frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Return a network with weights and activations of 8 bits: static, scales of weights for each channel.

    Args:
        network: the ONNX file.
        teacher: the same, opened: it prepares the frames.
        frames: to calibrate with.

    Raises:
        MissingExtraError: the package onnx is not installed.
        InputError: onnxruntime cannot quantize it.
        OutputError: there is no room for temporary files.
    """
    try:
        import onnx  # noqa: F401 - what follows needs it and would say so less clearly
        from onnxruntime import quantization as by
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError:
        raise MissingExtraError("quantizing needs the package onnx", hint="pip install 'reelwise[live]'") from None
    step = max(1, -(-len(frames) // _CALIBRATION_MAX))
    try:
        with tempfile.TemporaryDirectory(prefix="reelwise-") as folder:
            ready, made = Path(folder) / "ready.onnx", Path(folder) / "made.onnx"
            quant_pre_process(str(network), str(ready), skip_symbolic_shape=True)
            by.quantize_static(
                str(ready),
                str(made),
                _Reader(teacher, frames[::step]),
                quant_format=by.QuantFormat.QDQ,
                activation_type=by.QuantType.QUInt8,
                weight_type=by.QuantType.QInt8,
                per_channel=True,
            )
            return made.read_bytes()
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}",
            where=tempfile.gettempdir(),
            hint="free some of it, or set TMPDIR",
        ) from None
    except _refusals() as error:
        raise InputError(
            f"onnxruntime cannot quantize it: {first_line(error)}", where=str(network), hint="is it quantized already?"
        ) from None


def _refusals() -> tuple[type[Exception], ...]:
    """Return what onnxruntime and onnx raise at a network that they cannot read or quantize."""
    from google.protobuf.message import DecodeError
    from onnx.checker import ValidationError
    from onnx.shape_inference import InferenceError

    return (*foreign(), AttributeError, KeyError, DecodeError, ValidationError, InferenceError)


class _Reader:
    """Gives frames to onnxruntime's calibration, one at a time."""

    def __init__(self, teacher: MaskNetwork, frames: Sequence[NDArray[np.uint8]]) -> None:
        self._teacher, self._frames = teacher, iter(frames)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next input, or None at the end."""
        frame = next(self._frames, None)
        return None if frame is None else {self._teacher.input: self._teacher.prepare(frame).copy()}

    def __iter__(self) -> _Reader:
        return self

    def __next__(self) -> dict[str, Any]:
        found = self.get_next()
        if found is None:
            raise StopIteration
        return found
