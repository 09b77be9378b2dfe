"""The converter computes what LiteRT computes, on networks drawn here and on the real ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.models.convert import to_onnx

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

LARGEST_DIFFERENCE = 1e-4


def run(converted, picture):
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    result = session.run(None, {session.get_inputs()[0].name: picture.transpose(0, 3, 1, 2)})[0]
    return result.transpose(0, 2, 3, 1)


def same_side(side, stride):
    return -(-side // stride)


def small_network(maker, height=13, width=10):
    """One of everything: what the real networks are built of, on odd sides."""
    draw = np.random.default_rng(3)

    def weights(*shape):
        return draw.normal(0, 0.4, shape).astype(np.float32)

    made = maker((1, height, width, 3))
    high, wide = same_side(height, 2), same_side(width, 2)
    step = made.add(
        "CONV_2D", [made.input, made.half(weights(8, 3, 3, 3)), made.half(weights(8))], (1, high, wide, 8), padding=0,
        across=2, down=2, activation=0, dilated_across=1, dilated_down=1,
    )  # fmt: skip
    step = skip = made.add("HARD_SWISH", [step], (1, high, wide, 8))
    step = made.add(
        "DEPTHWISE_CONV_2D", [step, made.half(weights(1, 5, 5, 8)), made.half(weights(8))], (1, high, wide, 8), padding=0,
        across=1, down=1, multiplier=1, activation=3, dilated_across=1, dilated_down=1,
    )  # fmt: skip
    mean = made.add(
        "AVERAGE_POOL_2D", [step], (1, 1, 1, 8), padding=1, across=wide, down=high, wide=wide, high=high, activation=0
    )
    gain = made.add(
        "CONV_2D", [mean, made.constant(weights(8, 1, 1, 8)), made.constant(weights(8))], (1, 1, 1, 8), padding=1, across=1,
        down=1, activation=1, dilated_across=1, dilated_down=1,
    )  # fmt: skip
    gain = made.add("LOGISTIC", [gain], (1, 1, 1, 8))
    step = made.add("MUL", [step, gain], (1, high, wide, 8), activation=0)
    step = made.add("ADD", [step, skip], (1, high, wide, 8), activation=1)
    axes = made.constant(np.array([1, 2], np.int32))
    step = made.add(
        "ADD", [step, made.add("MEAN", [step, axes], (1, 1, 1, 8), keep=True)], (1, high, wide, 8), activation=0
    )
    step = made.add("ADD", [step, made.constant(weights(8))], (1, high, wide, 8), activation=0)
    size = made.constant(np.array([2 * high, 2 * wide], np.int32))
    step = made.add("RESIZE_BILINEAR", [step, size], (1, 2 * high, 2 * wide, 8), aligned=False, half_pixel=True)
    step = made.add("RELU", [step], (1, 2 * high, 2 * wide, 8))
    step = made.grown(
        step, made.constant(weights(1, 2, 2, 8)), made.constant(weights(1)), (1, 4 * high, 4 * wide, 1), stride=2
    )
    return made.write(made.add("LOGISTIC", [step], (1, 4 * high, 4 * wide, 1)))


def test_a_network_of_every_operator_computes_what_litert_computes(maker, lite):
    raw = small_network(maker)
    draw = np.random.default_rng(4)
    for _ in range(5):
        picture = draw.random((1, 13, 10, 3), np.float32)
        expected = lite(raw, picture)

        assert expected.std() > 0.01  # else any network would pass
        assert np.abs(run(to_onnx(raw), picture) - expected).max() < LARGEST_DIFFERENCE


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(*[st.tuples(*[st.integers(least, most)] * 2) for least, most in ((3, 17), (1, 5), (1, 3))]),
    st.tuples(st.integers(1, 2), st.booleans(), st.booleans()),
)  # fmt: skip
def test_convolutions_of_any_shape_are_padded_as_litert_pads(maker, lite, shape, how):
    sides, kernel, strides = shape
    dilated, same, alone = how
    if dilated > 1:
        strides = (1, 1)  # TensorFlow has one or the other
    reach = [(size - 1) * dilated + 1 for size in kernel]
    if not same and any(side < one for side, one in zip(sides, reach, strict=True)):
        return
    draw = np.random.default_rng(5)
    out = [
        same_side(side, step) if same else same_side(side - one + 1, step)
        for side, step, one in zip(sides, strides, reach, strict=True)
    ]
    made = maker((1, *sides, 4))
    weights = draw.normal(size=(1, *kernel, 4) if alone else (6, *kernel, 4)).astype(np.float32)
    channels = 4 if alone else 6
    bias = made.constant(draw.normal(size=channels).astype(np.float32))
    options = {"multiplier": 1} if alone else {}
    made_out = made.add(
        "DEPTHWISE_CONV_2D" if alone else "CONV_2D", [made.input, made.constant(weights), bias], (1, *out, channels),
        padding=0 if same else 1, down=strides[0], across=strides[1], dilated_down=dilated, dilated_across=dilated,
        activation=0, **options,
    )  # fmt: skip
    raw = made.write(made_out)
    picture = draw.random((1, *sides, 4), np.float32)

    assert np.abs(run(to_onnx(raw), picture) - lite(raw, picture)).max() < LARGEST_DIFFERENCE


@pytest.mark.parametrize(("aligned", "half_pixel"), [(False, False), (True, False), (False, True)])
def test_pictures_are_resized_as_litert_resizes(maker, lite, aligned, half_pixel):
    made = maker((1, 5, 7, 2))
    size = made.constant(np.array([11, 13], np.int32))
    raw = made.write(
        made.add("RESIZE_BILINEAR", [made.input, size], (1, 11, 13, 2), aligned=aligned, half_pixel=half_pixel)
    )
    picture = np.random.default_rng(6).random((1, 5, 7, 2), np.float32)

    assert np.abs(run(to_onnx(raw), picture) - lite(raw, picture)).max() < LARGEST_DIFFERENCE


@pytest.mark.parametrize("variant", ["general", "landscape"])
def test_the_real_networks_compute_what_litert_computes(person_models, wheel_networks, lite, variant, shared_pictures):
    from reelwise.models.shelf import model_path

    raw = wheel_networks[variant]
    installed = model_path(variant, person_models).read_bytes()
    height, width = (256, 256) if variant == "general" else (144, 256)
    draw = np.random.default_rng(7)
    pictures = [draw.random((height, width, 3), np.float32), *shared_pictures(height, width)]
    most = 0.0
    for picture in pictures:
        expected = lite(raw, picture[None])
        most = max(most, float(expected.max()))

        assert np.abs(run(installed, picture[None]) - expected).max() < LARGEST_DIFFERENCE
    assert most > 0.9 or len(pictures) == 1  # somebody is in the pictures


def test_several_pictures_at_once_are_each_what_they_are_alone(maker):
    converted = to_onnx(small_network(maker))
    pictures = np.random.default_rng(8).random((3, 13, 10, 3), np.float32)

    together = run(converted, pictures)

    for number in range(3):
        assert np.allclose(together[number], run(converted, pictures[number : number + 1])[0], atol=1e-6)


def test_the_same_file_converts_to_the_same_bytes(maker):
    raw = small_network(maker)

    assert to_onnx(raw) == to_onnx(raw)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no TensorFlow Lite file"),
        (b"\x00" * 64, "no TensorFlow Lite file"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 40, "cannot be read"),
    ],
)
def test_what_is_no_network_is_refused(raw, says):
    with pytest.raises(InputError, match=says):
        to_onnx(raw, where="a.tflite")


def test_a_file_cut_off_anywhere_is_refused_or_read(maker):
    raw = small_network(maker)
    for length in range(8, len(raw), 97):
        try:
            to_onnx(raw[:length])
        except InputError:
            continue


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda made: made.add("TANH", [made.input], (1, 6, 6, 2)), "operator TANH"),
        (
            lambda made: made.add(
                "AVERAGE_POOL_2D", [made.input], (1, 3, 3, 2), padding=1, across=2, down=2, wide=2, high=2, activation=0
            ),
            "a pool over a part of the picture",
        ),
        (lambda made: made.add("ADD", [made.input, made.input], (1, 6, 6, 2), activation=2), "activation relu_n1_to_1"),
        (
            lambda made: made.grown(
                made.input, made.constant(np.zeros((1, 3, 3, 2), np.float32)), made.constant(np.zeros(1, np.float32)),
                (1, 12, 12, 1), stride=2,
            ),
            "kernel is not its stride",
        ),
    ],
)  # fmt: skip
def test_what_would_not_be_exact_is_refused(maker, build, says):
    made = maker((1, 6, 6, 2))
    with pytest.raises(InputError, match=re.escape(says)):
        to_onnx(made.write(build(made)), where="a.tflite")
