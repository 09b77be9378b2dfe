from __future__ import annotations

import numpy as np
import pytest


def dense_network(path, *, width=48, depth=4, side=96, seed=1):
    """Draw a network of dense 3x3 convolutions from a picture to a mask: what 8 bits are good for."""
    onnx = pytest.importorskip("onnx")
    draw = np.random.default_rng(seed)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes, kept, last, inside = [], [], "picture", 3
    for number in range(depth):
        out = 1 if number == depth - 1 else width
        weights = draw.normal(0, np.sqrt(2 / (9 * inside)), (out, inside, 3, 3)).astype(np.float32)
        kept.append(onnx.numpy_helper.from_array(weights, f"w{number}"))
        nodes.append(helper.make_node("Conv", [last, f"w{number}"], [f"c{number}"], pads=[1, 1, 1, 1]))
        last = f"r{number}"
        nodes.append(helper.make_node("Relu" if out > 1 else "Sigmoid", [f"c{number}"], [last]))
        inside = out
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("picture", kind, ["batch", 3, side, side])],
        [helper.make_tensor_value_info(last, kind, ["batch", 1, side, side])],
        kept,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))
    return path


@pytest.fixture
def dense(tmp_path):
    """A file with a small dense network."""
    return dense_network(tmp_path / "dense.onnx")


class Disc:
    """A model that marks a disc which goes along with the frame's brightness; `off` moves it."""

    def __init__(self, name="disc", *, off=0.0, calls=None, side=64):
        self.name, self._off, self._calls, self._side = name, off, calls, side

    def __call__(self, frame):
        if self._calls is not None:
            self._calls.append(self.name)
        down, across = np.mgrid[0 : self._side, 0 : self._side] / self._side
        at = 0.3 + 0.4 * float(frame.mean()) / 255 + self._off
        return (np.hypot(down - 0.5, across - at) < 0.2).astype(np.float32)


@pytest.fixture(scope="session")
def disc():
    return Disc


@pytest.fixture(scope="session")
def frames():
    return tuple(np.full((36, 64, 3), value, np.uint8) for value in range(0, 250, 10))
