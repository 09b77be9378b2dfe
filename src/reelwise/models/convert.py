"""Convert a small TensorFlow Lite network to ONNX: the same weights and the same arithmetic, channels first.

Weights that the file keeps in 16 bits are widened to 32, which loses nothing. An operator that could only be approximated is
refused. What is written takes any number of pictures at once: its first axis is named `batch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reelwise.errors import InputError, MissingExtraError
from reelwise.models.tflite import SAME, Network, Operator, read_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["CONVERTER", "to_onnx"]

CONVERTER: Final = 1
"""Counts up when the same network would be converted to other bytes that compute something else."""

_OPSET = 17
_IR = 9  # the oldest format that opset 17 needs: onnxruntime 1.13 and later read it
_CHANNELS_FIRST = (0, 3, 1, 2)
_RELU6 = 6.0

Array = Any


def to_onnx(raw: bytes, *, where: str = "", name: str = "network") -> bytes:
    """Convert a TensorFlow Lite file to ONNX.

    Args:
        raw: the file; one input (1, height, width, channels), one output, float32.
        where: what errors call it.
        name: of the graph in the result.

    Returns:
        An ONNX file; input and output are float32 (batch, channels, height, width).

    Raises:
        MissingExtraError: the packages `onnx` and `tflite` are not installed.
        InputError: not a TensorFlow Lite file, or it has operators that cannot be converted exactly.
    """
    network = read_network(raw, where=where)
    try:
        import onnx
    except ImportError:
        raise MissingExtraError(
            "converting a network needs the package onnx", where=where, hint="pip install 'reelwise[live]'"
        ) from None
    graph = _Graph(network, where)
    for operator in network.operators:
        graph.add(operator)
    model = onnx.helper.make_model(
        graph.finish(name), opset_imports=[onnx.helper.make_opsetid("", _OPSET)], producer_name="reelwise"
    )
    model.ir_version = _IR
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise InputError(f"cannot be converted: {error}", where=where, hint="is it a network of pictures?") from None
    written: bytes = model.SerializeToString(deterministic=True)
    return written


class _Graph:
    """An ONNX graph under construction; tensor 7 of the network is called `t7` in it."""

    def __init__(self, network: Network, where: str) -> None:
        self._network = network
        self._where = where
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}
        self._known: dict[int, Array] = {
            index: tensor.values for index, tensor in enumerate(network.tensors) if tensor.values is not None
        }

    def add(self, operator: Operator) -> None:
        """Add what an operator computes."""
        make = _MAKERS.get(operator.kind)
        if make is None:
            raise self.refused(f"the operator {operator.kind}")
        make(self, operator)

    def refused(self, what: str) -> InputError:
        """Make the error for what cannot be converted exactly."""
        return InputError(
            f"{what} is none that is converted", where=self._where, hint=f"converted are: {', '.join(sorted(_MAKERS))}"
        )

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape, channels last."""
        return self._network.tensors[tensor].shape

    def values(self, tensor: int) -> NDArray[np.float32]:
        """Return the values of a tensor that is known beforehand: a weight."""
        if tensor not in self._known:
            raise self.refused("a weight that is computed")
        return np.asarray(self._known[tensor], np.float32)

    def keep(self, tensor: int, values: Array) -> None:
        """Note the values of a tensor that need not be computed."""
        self._known[tensor] = values

    def weight(self, name: str, values: Array) -> str:
        """Store a weight once and return its name."""
        from onnx import numpy_helper

        if name not in self._weights:
            self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name)
        return name

    def source(self, tensor: int) -> str:
        """Return the name of an operator's input; what is known beforehand is turned to channels first."""
        if tensor not in self._known:
            return f"t{tensor}"
        values = self.values(tensor)
        if values.ndim == 4:
            values = values.transpose(_CHANNELS_FIRST)
        elif values.ndim == 1 and values.size > 1:
            values = values.reshape(1, -1, 1, 1)
        elif values.ndim > 1:
            raise self.refused(f"a constant of {values.ndim} axes")
        return self.weight(f"c{tensor}", values)

    def node(self, kind: str, sources: list[str], operator: Operator, **attributes: Any) -> None:
        """Add a node, and the activation that the operator has built in."""
        from onnx import helper

        out = f"t{operator.outputs[0]}"
        before = f"{out}_before" if operator.activation else out
        self._nodes.append(helper.make_node(kind, sources, [before], **attributes))
        if operator.activation == "relu":
            self._nodes.append(helper.make_node("Relu", [before], [out]))
        elif operator.activation == "relu6":
            ends = [self.weight("zero", np.float32(0)), self.weight("six", np.float32(_RELU6))]
            self._nodes.append(helper.make_node("Clip", [before, *ends], [out]))
        elif operator.activation:
            raise self.refused(f"the activation {operator.activation}")

    def finish(self, name: str) -> Any:
        """Return the graph."""
        from onnx import helper

        ends = [self._value(self._network.input), self._value(self._network.output)]
        return helper.make_graph(self._nodes, name, ends[:1], ends[1:], list(self._weights.values()))

    def _value(self, tensor: int) -> Any:
        from onnx import TensorProto, helper

        shape = self.shape(tensor)
        if len(shape) != 4:
            raise self.refused(f"an input or output of {len(shape)} axes")
        _, height, width, channels = shape
        return helper.make_tensor_value_info(f"t{tensor}", TensorProto.FLOAT, ["batch", channels, height, width])


def _dequantize(graph: _Graph, operator: Operator) -> None:
    """Widen 16-bit weights to 32 bits."""
    graph.keep(operator.outputs[0], graph.values(operator.inputs[0]))


def _convolution(graph: _Graph, operator: Operator) -> None:
    source, weight, bias = operator.inputs
    alone = operator.kind == "DEPTHWISE_CONV_2D"
    weights = graph.values(weight).transpose((3, 0, 1, 2) if alone else _CHANNELS_FIRST)
    channels = graph.shape(source)[3]
    if alone and weights.shape[0] != channels:
        raise graph.refused("a depthwise convolution with a multiplier")
    graph.node(
        "Conv",
        [graph.source(source), graph.weight(f"w{weight}", weights), graph.weight(f"b{bias}", graph.values(bias))],
        operator,
        strides=operator.strides,
        dilations=operator.dilations,
        group=channels if alone else 1,
        pads=_pads(operator, graph.shape(source)[1:3], (weights.shape[2], weights.shape[3])),
    )


def _pads(operator: Operator, sides: tuple[int, ...], kernel: tuple[int, int]) -> list[int]:
    """Return TensorFlow's padding as ONNX writes it: top, left, bottom, right; what is odd goes to the far side."""
    if operator.padding != SAME:
        return [0, 0, 0, 0]
    near, far = [], []
    for side, size, stride, dilation in zip(sides, kernel, operator.strides, operator.dilations, strict=True):
        total = max((-(-side // stride) - 1) * stride + (size - 1) * dilation + 1 - side, 0)
        near.append(total // 2)
        far.append(total - total // 2)
    return near + far


def _grown(graph: _Graph, operator: Operator) -> None:
    """Convert MediaPipe's Convolution2DTransposeBias where its kernel is its stride: no two of its pixels overlap."""
    source, weight, bias = operator.inputs
    weights = graph.values(weight).transpose(3, 0, 1, 2)
    if weights.shape[2:] != operator.strides:
        raise graph.refused("a transposed convolution whose kernel is not its stride")
    graph.node(
        "ConvTranspose",
        [graph.source(source), graph.weight(f"w{weight}", weights), graph.weight(f"b{bias}", graph.values(bias))],
        operator,
        strides=operator.strides,
    )


def _pool(graph: _Graph, operator: Operator) -> None:
    """Convert a mean over the whole picture: a pool with a window of its size."""
    source = graph.shape(operator.inputs[0])
    if operator.window != source[1:3] or graph.shape(operator.outputs[0]) != (*source[:1], 1, 1, source[3]):
        raise graph.refused("a pool over a part of the picture")
    graph.node("GlobalAveragePool", [graph.source(operator.inputs[0])], operator)


def _mean(graph: _Graph, operator: Operator) -> None:
    source, axes = operator.inputs
    over = sorted(int(axis) for axis in graph.values(axes).ravel())
    if over != [1, 2] or len(graph.shape(operator.outputs[0])) != 4:
        raise graph.refused("a mean over other axes than the picture's")
    graph.node("GlobalAveragePool", [graph.source(source)], operator)


def _resize(graph: _Graph, operator: Operator) -> None:
    source, out = operator.inputs[0], operator.outputs[0]
    before, after = graph.shape(source), graph.shape(out)
    scales = graph.weight(f"s{out}", np.array([1, 1, after[1] / before[1], after[2] / before[2]], np.float32))
    placed = "align_corners" if operator.aligned else "half_pixel" if operator.half_pixel else "asymmetric"
    graph.node(
        "Resize",
        [graph.source(source), "", scales],
        operator,
        mode="linear",
        coordinate_transformation_mode=placed,
    )


def _same(kind: str) -> Callable[[_Graph, Operator], None]:
    """Convert an operator that ONNX has under another name."""

    def make(graph: _Graph, operator: Operator) -> None:
        graph.node(kind, [graph.source(tensor) for tensor in operator.inputs], operator)

    return make


_MAKERS: dict[str, Callable[[_Graph, Operator], None]] = {
    "ADD": _same("Add"),
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _convolution,
    "Convolution2DTransposeBias": _grown,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEQUANTIZE": _dequantize,
    "HARD_SWISH": _same("HardSwish"),
    "LOGISTIC": _same("Sigmoid"),
    "MEAN": _mean,
    "MUL": _same("Mul"),
    "RELU": _same("Relu"),
    "RESIZE_BILINEAR": _resize,
}
