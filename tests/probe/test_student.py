from __future__ import annotations

import sys

import numpy as np
import pytest

from reelwise.errors import MissingExtraError
from reelwise.models import MaskNetwork
from reelwise.probe import probe_distil
from reelwise.probe.footage import Footage
from reelwise.probe.student import BLOCKS, EPSILON, SIDE, drawn, student, to_onnx

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


class Plain:
    """The student's operations in numpy, as slow and as plain as can be: what ONNX must compute."""

    def __init__(self, weights):
        self._weights = weights

    def _convolved(self, one, weights, stride, groups=1):
        out, each, size, _ = weights.shape
        edge = size // 2
        padded = np.pad(one, ((0, 0), (edge, edge), (edge, edge)))
        high, wide = (one.shape[1] - 1) // stride + 1, (one.shape[2] - 1) // stride + 1
        made = np.zeros((out, high, wide))
        for down in range(size):
            for across in range(size):
                part = padded[:, down : down + high * stride : stride, across : across + wide * stride : stride]
                if groups == 1:
                    made += np.einsum("oi,ihw->ohw", weights[:, :, down, across], part[:, :high, :wide])
                else:
                    made += weights[:, 0, down, across][:, None, None] * part[:, :high, :wide]
        assert each * groups == one.shape[0]
        return made

    def _normal(self, one, name):
        given = {what: self._weights[f"{name}.{what}"][:, None, None] for what in ("mean", "variance", "gain", "shift")}
        return np.maximum(
            (one - given["mean"]) / np.sqrt(given["variance"] + EPSILON) * given["gain"] + given["shift"], 0
        )

    def stem(self, picture):
        return self._normal(self._convolved(picture, self._weights["stem.spatial"], 2), "stem")

    def block(self, one, name):
        inside, _, stride = BLOCKS[name]
        one = self._convolved(one, self._weights[f"{name}.spatial"], stride, groups=inside)
        return self._normal(self._convolved(one, self._weights[f"{name}.mix"], 1), name)

    def up(self, one):
        for axis in (1, 2):
            at = np.clip((np.arange(2 * one.shape[axis]) + 0.5) / 2 - 0.5, 0, one.shape[axis] - 1)
            near = np.floor(at).astype(int)
            far = np.minimum(near + 1, one.shape[axis] - 1)
            part = (at - near)[:, None] if axis == 1 else at - near
            one = np.take(one, near, axis) * (1 - part) + np.take(one, far, axis) * part
        return one

    def join(self, one, two):
        return np.concatenate([one, two])

    def head(self, one):
        return self._convolved(one, self._weights["head.mix"], 1) + self._weights["head.bias"][:, None, None]


def trained_looking(seed):
    """Weights as training leaves them: gains, shifts, means and variances of their own."""
    weights, draw = drawn(seed), np.random.default_rng(seed)
    for name, value in weights.items():
        if name.endswith((".gain", ".variance")):
            weights[name] = draw.uniform(0.5, 1.5, value.shape).astype(np.float32)
        elif name.endswith((".shift", ".mean", ".bias")):
            weights[name] = draw.normal(0, 0.2, value.shape).astype(np.float32)
    return weights


def test_it_is_small():
    weights = drawn(0)
    learned = sum(value.size for name, value in weights.items() if not name.endswith((".mean", ".variance")))

    assert 10_000 < learned < 13_000
    assert len(to_onnx(weights)) < 60_000


def test_onnx_computes_what_the_description_says():
    weights = trained_looking(3)
    picture = np.random.default_rng(4).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)

    mask = MaskNetwork(to_onnx(weights), name="student")(picture)

    expected = 1 / (1 + np.exp(-student(Plain(weights), picture.transpose(2, 0, 1) / 255)[0]))
    assert mask.shape == (SIDE, SIDE)
    assert expected.std() > 0.01
    assert np.abs(mask - expected).max() < 1e-4


def test_equal_seeds_draw_equal_weights():
    one, two, other = drawn(1), drawn(1), drawn(2)

    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["stem.spatial"], other["stem.spatial"])


def test_without_pytorch_nothing_is_asked_of_the_teacher(disc, frames, monkeypatch):
    calls = []
    footage = Footage(used=frames, held=frames[:8], clips=(), seconds=1, held_is="the end")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="PyTorch") as caught:
        probe_distil(disc(calls=calls), footage)

    assert "reelwise[live,train]" in caught.value.hint
    assert calls == []
