from __future__ import annotations

import sys

import numpy as np
import pytest

from reelwise.errors import InputError, MissingExtraError
from reelwise.models import MaskNetwork, model_path
from reelwise.probe import footage_of, probe_quantize
from reelwise.probe.quantize import quantized

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def types_of(raw):
    model = onnx.load_from_string(raw)
    return {node.op_type for node in model.graph.node}, {one.data_type for one in model.graph.initializer}


def test_a_dense_network_in_8_bits_computes_almost_the_same(dense, drawn_clip):
    footage = footage_of([drawn_clip], frames=40)
    teacher = MaskNetwork(dense, name="dense")

    made = quantized(dense, teacher, footage.used)

    nodes, kinds = types_of(made)
    assert {"QuantizeLinear", "DequantizeLinear"} <= nodes
    assert onnx.TensorProto.INT8 in kinds
    assert len(made) < 0.5 * dense.stat().st_size
    student = MaskNetwork(made, name="small")
    frame = footage.held[0]
    assert np.abs(student(frame) - teacher(frame)).max() < 0.15
    assert not np.array_equal(student(frame), teacher(frame))


def test_the_probe_reports_numbers_and_decides_by_them(dense, drawn_clip):
    found = probe_quantize(dense, footage_of([drawn_clip], frames=40), seconds=0.5)

    speed, alike = found.verdict.speed, found.verdict.likeness
    assert speed.rounds >= 12
    assert 0 < speed.low <= speed.ratio <= speed.high
    assert alike.frames == 13
    assert 0 <= alike.p5 <= alike.mean <= 1
    assert found.bytes_after < 0.5 * found.bytes_before
    floors = found.verdict.floors
    passes = speed.low > floors.ratio and alike.mean >= floors.iou and alike.p5 >= floors.iou_p5
    assert found.verdict.accepted == passes


def test_the_embedded_network_is_probed(installed_person, person_clip):
    footage = footage_of([person_clip], frames=60)
    found = probe_quantize(model_path("landscape", installed_person), footage, name="landscape", seconds=0.5)

    assert found.verdict.likeness.mean > 0.9  # coarser, not broken
    assert found.verdict.likeness.frames == 20
    assert found.frames_used == 40
    assert any("Conv" in node for node in types_of(found.network)[0])


def test_what_cannot_be_quantized_is_refused(tmp_path, drawn_clip, dense):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    footage = footage_of([drawn_clip], frames=30)
    with pytest.raises(InputError, match="onnxruntime cannot run it"):
        probe_quantize(tmp_path / "bad.onnx", footage)
    with pytest.raises(InputError, match="cannot quantize it"):
        quantized(tmp_path / "bad.onnx", MaskNetwork(dense, name="dense"), footage.used)


def test_without_the_package_onnx(dense, drawn_clip, monkeypatch):
    footage = footage_of([drawn_clip], frames=30)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        probe_quantize(dense, footage)

    assert caught.value.hint == "pip install 'reelwise[live]'"
