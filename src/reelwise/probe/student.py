"""The student: a U-Net of separable convolutions at 128x128, some 11,000 weights, described once for training and for ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from reelwise.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["BLOCKS", "EPSILON", "HEAD", "SIDE", "STEM", "Operations", "drawn", "student", "to_onnx"]

SIDE: Final = 128
STEM: Final = 16
BLOCKS: Final[dict[str, tuple[int, int, int]]] = {
    "down1": (16, 24, 2),
    "down2": (24, 32, 2),
    "down3": (32, 40, 2),
    "middle": (40, 40, 1),
    "up3": (72, 32, 1),
    "up2": (56, 24, 1),
    "up1": (40, 16, 1),
}
"""Channels in, channels out and stride of each block."""
HEAD: Final = 16
EPSILON: Final = 1e-5

T = TypeVar("T")


class Operations(Protocol[T]):
    """What the student is built of."""

    def stem(self, picture: T) -> T:
        """Convolve the picture, 3x3, by strides of 2; normalise; keep what is above 0."""

    def block(self, one: T, name: str) -> T:
        """Convolve each channel, 3x3; mix channels; normalise; keep what is above 0."""

    def up(self, one: T) -> T:
        """Double the size, linearly."""

    def join(self, one: T, two: T) -> T:
        """Put channels side by side."""

    def head(self, one: T) -> T:
        """Mix all channels into one."""


def student(by: Operations[T], picture: T) -> T:
    """Build the student: from a picture of 128x128 to one number a place, before the sigmoid."""
    half = by.stem(picture)
    quarter = by.block(half, "down1")
    eighth = by.block(quarter, "down2")
    deep = by.block(by.block(eighth, "down3"), "middle")
    eighth = by.block(by.join(by.up(deep), eighth), "up3")
    quarter = by.block(by.join(by.up(eighth), quarter), "up2")
    half = by.block(by.join(by.up(quarter), half), "up1")
    return by.up(by.head(half))


def drawn(seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw the weights that training starts from: He's normal, gains of 1, means of 0."""
    draw = np.random.default_rng(seed)

    def normal(*shape: int) -> NDArray[np.float32]:
        return draw.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)

    weights = {
        "stem.spatial": normal(STEM, 3, 3, 3),
        "head.mix": normal(1, HEAD, 1, 1),
        "head.bias": np.zeros(1, np.float32),
    }
    for name, (inside, out, _) in BLOCKS.items():
        weights[f"{name}.spatial"] = normal(inside, 1, 3, 3)
        weights[f"{name}.mix"] = normal(out, inside, 1, 1)
    for name, channels in {"stem": STEM, **{name: out for name, (_, out, _) in BLOCKS.items()}}.items():
        for what, value in (("gain", 1.0), ("shift", 0.0), ("mean", 0.0), ("variance", 1.0)):
            weights[f"{name}.{what}"] = np.full(channels, value, np.float32)
    return weights


def to_onnx(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Write a trained student as ONNX: float32 (batch, 3, 128, 128) RGB 0..1 to (batch, 1, 128, 128) 0..1.

    Normalisation is folded into the convolution before it.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError(
            "writing a network needs the package onnx", hint="pip install 'reelwise[live]'"
        ) from None
    by = _Nodes(weights, onnx)
    last = student(by, "picture")
    by.add("Sigmoid", [last], out="mask")
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        by.nodes,
        "student",
        [onnx.helper.make_tensor_value_info("picture", kind, ["batch", 3, SIDE, SIDE])],
        [onnx.helper.make_tensor_value_info("mask", kind, ["batch", 1, SIDE, SIDE])],
        by.kept,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], producer_name="reelwise")
    model.ir_version = 9
    onnx.checker.check_model(model)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


class _Nodes:
    """The student's operations as ONNX nodes; a value is its name."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], onnx: Any) -> None:
        self._weights, self._onnx = weights, onnx
        self.nodes: list[Any] = []
        self.kept: list[Any] = []

    def add(self, kind: str, sources: list[str], *, out: str = "", **attributes: Any) -> str:
        """Add a node and return the name of what it computes."""
        name = out or f"n{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, sources, [name], **attributes))
        return name

    def _keep(self, values: NDArray[np.float32], name: str) -> str:
        self.kept.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def _convolved(self, one: str, name: str, weights: NDArray[np.float32], stride: int, *, normal: str) -> str:
        """Convolve and normalise at once."""
        given = self._weights
        scale = given[f"{normal}.gain"] / np.sqrt(given[f"{normal}.variance"] + EPSILON)
        bias = given[f"{normal}.shift"] - given[f"{normal}.mean"] * scale
        edge = weights.shape[2] // 2
        sources = [one, self._keep(weights * scale[:, None, None, None], name), self._keep(bias, f"{name}.bias")]
        made = self.add("Conv", sources, strides=[stride, stride], pads=[edge] * 4)
        return self.add("Relu", [made])

    def stem(self, picture: str) -> str:
        """See `Operations`."""
        return self._convolved(picture, "stem.spatial", self._weights["stem.spatial"], 2, normal="stem")

    def block(self, one: str, name: str) -> str:
        """See `Operations`."""
        inside, _, stride = BLOCKS[name]
        spatial = self._keep(self._weights[f"{name}.spatial"], f"{name}.spatial")
        one = self.add("Conv", [one, spatial], strides=[stride, stride], pads=[1] * 4, group=inside)
        return self._convolved(one, f"{name}.mix", self._weights[f"{name}.mix"], 1, normal=name)

    def up(self, one: str) -> str:
        """See `Operations`."""
        if not any(kept.name == "twice" for kept in self.kept):
            self._keep(np.array([1, 1, 2, 2], np.float32), "twice")
        return self.add("Resize", [one, "", "twice"], mode="linear", coordinate_transformation_mode="half_pixel")

    def join(self, one: str, two: str) -> str:
        """See `Operations`."""
        return self.add("Concat", [one, two], axis=1)

    def head(self, one: str) -> str:
        """See `Operations`."""
        sources = [
            one,
            self._keep(self._weights["head.mix"], "head.mix"),
            self._keep(self._weights["head.bias"], "head.bias"),
        ]
        return self.add("Conv", sources)
