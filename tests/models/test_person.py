from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reelwise.errors import InputError, MissingExtraError
from reelwise.models import MaskNetwork, PersonSegmentation

onnx = pytest.importorskip("onnx")


def network(height=8, width=12, channels=3):
    """A network that a test makes: the mask is the green of the picture."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.zeros((1, channels, 1, 1), np.float32)
    weights[0, 1] = 1
    graph = helper.make_graph(
        [helper.make_node("Conv", ["picture", "weights"], ["mask"])],
        "green",
        [helper.make_tensor_value_info("picture", kind, ["batch", channels, height, width])],
        [helper.make_tensor_value_info("mask", kind, ["batch", 1, height, width])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model.SerializeToString()


def test_a_frame_comes_back_as_a_mask_of_the_networks_size():
    model = MaskNetwork(network(), name="green")
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[:, 80:, 1] = 255

    mask = model(frame)

    assert model.name == "green"
    assert mask.shape == model.size == (8, 12)
    assert mask.dtype == np.float32
    assert mask[:, :5].max() == 0
    assert mask[:, 7:].min() == pytest.approx(1, abs=1e-6)


def test_a_mask_is_not_overwritten_by_the_next():
    model = MaskNetwork(network(), name="green")

    first = model(np.full((8, 12, 3), 255, np.uint8))
    model(np.zeros((8, 12, 3), np.uint8))

    assert first.min() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((90, 160), np.uint8),
        np.zeros((90, 160, 4), np.uint8),
        np.zeros((90, 160, 3), np.float32),
        np.zeros((0, 160, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(InputError, match="a frame of shape"):
        MaskNetwork(network(), name="green")(frame)


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(InputError, match="no network from a picture to a mask"):
        MaskNetwork(network(channels=4), name="four")


def test_what_is_no_network_is_refused():
    with pytest.raises(InputError, match="onnxruntime cannot run it"):
        MaskNetwork(b"not a network", name="none")


def test_an_unknown_variant_and_no_threads_are_refused():
    with pytest.raises(InputError, match="no variant 'portrait'"):
        PersonSegmentation("portrait")
    with pytest.raises(InputError, match="0 threads"):
        MaskNetwork(network(), name="green", threads=0)


def test_without_the_model_it_says_how_to_install_it(tmp_path):
    with pytest.raises(InputError, match="is not installed") as caught:
        PersonSegmentation(folder=tmp_path)

    assert "reelwise models install person-segmentation" in caught.value.hint


def test_without_onnxruntime_it_says_which_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError) as caught:
        MaskNetwork(network(), name="green")

    assert caught.value.hint == "pip install 'reelwise[live]'"


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, reelwise.models; print([m for m in ('numpy', 'cv2', 'onnxruntime', 'onnx') if m in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(("variant", "size"), [("general", (256, 256)), ("landscape", (144, 256))])
def test_the_installed_networks_run(person_models, variant, size):
    model = PersonSegmentation(variant, folder=person_models)

    mask = model(np.zeros((720, 1280, 3), np.uint8))

    assert model.name == f"person-segmentation:{variant}"
    assert mask.shape == model.size == size
    assert 0 <= mask.min() <= mask.max() < 0.5  # nobody stands in the dark
