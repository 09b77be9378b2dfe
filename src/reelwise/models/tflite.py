"""Read a TensorFlow Lite file into plain tensors and operators, with the package `tflite` (extra `live`)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.errors import InputError, MissingExtraError

__all__ = ["SAME", "VALID", "Network", "Operator", "Tensor", "read_network"]

SAME, VALID = "same", "valid"
_PADDING = {0: SAME, 1: VALID}
_CUSTOM_PADDING = {1: SAME, 2: VALID}  # of TfLitePadding, which counts from 1
_ACTIVATION = {0: "", 1: "relu", 2: "relu_n1_to_1", 3: "relu6"}
_TYPES: dict[int, Any] = {0: np.float32, 1: np.float16, 2: np.int32}
_LARGEST = 64_000_000
_FOREIGN = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, struct.error)


class Tensor(Struct, frozen=True):
    """A tensor as the file has it, channels last; `values` is None for one that is computed."""

    shape: tuple[int, ...]
    values: NDArray[Any] | None


class Operator(Struct, frozen=True, kw_only=True):
    """One step of a network.

    Attributes:
        kind: its name, "CONV_2D"; of a custom one, its own name.
        inputs, outputs: numbers of tensors.
        padding: same, valid, or empty where it has none.
        activation: relu, relu6, or empty.
        strides, dilations, window: down and right, in places.
        aligned, half_pixel: how a resize places its samples.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    padding: str = ""
    activation: str = ""
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    window: tuple[int, int] = (1, 1)
    aligned: bool = False
    half_pixel: bool = False


class Network(Struct, frozen=True, kw_only=True):
    """A network of one input and one output, its operators in the order they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int


def read_network(raw: bytes, *, where: str = "") -> Network:
    """Read a TensorFlow Lite file.

    Args:
        raw: the file.
        where: what errors call it.

    Raises:
        MissingExtraError: the package `tflite` is not installed.
        InputError: not such a file, cut off, or not of one input and one output.
    """
    try:
        import tflite
    except ImportError:
        raise MissingExtraError(
            "reading a .tflite file needs the package tflite", where=where, hint="pip install 'reelwise[live]'"
        ) from None
    if len(raw) > _LARGEST or raw[4:8] != b"TFL3":
        raise InputError("is no TensorFlow Lite file", where=where, hint="name a .tflite file")
    try:
        return _read(tflite, raw)
    except _FOREIGN as error:
        raise InputError(
            f"cannot be read as a TensorFlow Lite network: {type(error).__name__}", where=where, hint="is it cut off?"
        ) from None


def _read(tflite: Any, raw: bytes) -> Network:
    model = tflite.Model.GetRootAsModel(raw, 0)
    graph = model.Subgraphs(0)
    if model.SubgraphsLength() != 1 or graph.InputsLength() != 1 or graph.OutputsLength() != 1:
        raise ValueError("one graph with one input and one output is expected")
    names = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
    kinds = []
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        custom = code.CustomCode()
        kinds.append(custom.decode() if custom else names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])
    return Network(
        tensors=tuple(_tensor(model, graph.Tensors(index)) for index in range(graph.TensorsLength())),
        operators=tuple(_operator(tflite, kinds, graph.Operators(index)) for index in range(graph.OperatorsLength())),
        input=int(graph.Inputs(0)),
        output=int(graph.Outputs(0)),
    )


def _tensor(model: Any, tensor: Any) -> Tensor:
    shape = tuple(int(tensor.Shape(index)) for index in range(tensor.ShapeLength()))
    buffer = model.Buffers(tensor.Buffer())
    if buffer is None or buffer.DataLength() == 0:
        return Tensor(shape, None)
    values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _TYPES[tensor.Type()]).reshape(shape)
    return Tensor(shape, values)


_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "ADD": "AddOptions",
    "MUL": "MulOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
}


def _operator(tflite: Any, kinds: list[str], operator: Any) -> Operator:
    kind = kinds[operator.OpcodeIndex()]
    details: dict[str, Any] = {}
    if operator.CustomOptionsLength():
        padding, across, down = struct.unpack("<3i", operator.CustomOptionsAsNumpy().tobytes()[:12])
        details = {"padding": _CUSTOM_PADDING[padding], "strides": (down, across)}
    elif kind in _OPTIONS:
        options, table = getattr(tflite, _OPTIONS[kind])(), operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        details = _details(kind, options)
    return Operator(
        kind=kind,
        inputs=tuple(int(operator.Inputs(index)) for index in range(operator.InputsLength())),
        outputs=tuple(int(operator.Outputs(index)) for index in range(operator.OutputsLength())),
        **details,
    )


def _details(kind: str, options: Any) -> dict[str, Any]:
    if kind == "RESIZE_BILINEAR":
        return {"aligned": bool(options.AlignCorners()), "half_pixel": bool(options.HalfPixelCenters())}
    details: dict[str, Any] = {"activation": _ACTIVATION[options.FusedActivationFunction()]}
    if kind in {"ADD", "MUL"}:
        return details
    details |= {"padding": _PADDING[options.Padding()], "strides": (options.StrideH(), options.StrideW())}
    if kind == "AVERAGE_POOL_2D":
        return details | {"window": (options.FilterHeight(), options.FilterWidth())}
    return details | {"dilations": (options.DilationHFactor(), options.DilationWFactor())}
