"""Small TensorFlow Lite files, written with the reader's own package."""

from __future__ import annotations

import struct

import numpy as np
import pytest

_TYPES = {np.dtype(np.float32): 0, np.dtype(np.float16): 1, np.dtype(np.int32): 2, np.dtype(np.uint8): 3}
_CODES = {
    "ADD": 0, "AVERAGE_POOL_2D": 1, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 4, "DEQUANTIZE": 6, "LOGISTIC": 14, "MUL": 18,
    "RELU": 19, "RESIZE_BILINEAR": 23, "TANH": 28, "CUSTOM": 32, "MEAN": 40, "HARD_SWISH": 117,
}  # fmt: skip
# the number of each kind of options in the union, and its fields by number: type and default
_CONVOLUTION = {"padding": (0, "Int8"), "across": (1, "Int32"), "down": (2, "Int32"), "activation": (3, "Int8")}
_OPTIONS = {
    "CONV_2D": (1, _CONVOLUTION | {"dilated_across": (4, "Int32"), "dilated_down": (5, "Int32")}),
    "DEPTHWISE_CONV_2D": (
        2,
        {
            "padding": (0, "Int8"), "across": (1, "Int32"), "down": (2, "Int32"), "multiplier": (3, "Int32"),
            "activation": (4, "Int8"), "dilated_across": (5, "Int32"), "dilated_down": (6, "Int32"),
        },
    ),
    "AVERAGE_POOL_2D": (
        5,
        {
            "padding": (0, "Int8"), "across": (1, "Int32"), "down": (2, "Int32"), "wide": (3, "Int32"), "high": (4, "Int32"),
            "activation": (5, "Int8"),
        },
    ),
    "ADD": (11, {"activation": (0, "Int8")}),
    "MUL": (21, {"activation": (0, "Int8")}),
    "RESIZE_BILINEAR": (15, {"aligned": (2, "Bool"), "half_pixel": (3, "Bool")}),
    "MEAN": (27, {"keep": (0, "Bool")}),
}  # fmt: skip


class Maker:
    """Collects tensors and operators, and writes the file."""

    def __init__(self, shape):
        import flatbuffers

        self._builder = flatbuffers.Builder(4096)
        self._tensors = []
        self._operators = []
        self.input = self.tensor(shape)

    def tensor(self, shape, values=None):
        """Add a tensor and return its number."""
        self._tensors.append((tuple(shape), values))
        return len(self._tensors) - 1

    def constant(self, values):
        return self.tensor(values.shape, values)

    def half(self, values):
        """Add a weight of 16 bits and the operator that widens it, as the real networks have them."""
        return self.add("DEQUANTIZE", [self.constant(values.astype(np.float16))], values.shape)

    def add(self, kind, inputs, shape, custom=None, **options):
        """Add an operator and return the number of what it computes."""
        out = self.tensor(shape)
        self._operators.append((kind, inputs, out, custom, options))
        return out

    def grown(self, source, weights, bias, shape, *, stride):
        """Add MediaPipe's transposed convolution."""
        return self.add(
            "Convolution2DTransposeBias", [source, weights, bias], shape, custom=struct.pack("<3i", 1, stride, stride)
        )

    def write(self, output):
        builder = self._builder
        buffers = [self._table([])]
        tensors = []
        for number, (shape, values) in enumerate(self._tensors):
            if values is not None:
                data = builder.CreateNumpyVector(np.frombuffer(values.tobytes(), np.uint8))
                buffers.append(self._table([(0, "UOffsetTRelative", data)]))
            name, sides = builder.CreateString(f"tensor{number}"), self._ints(shape)
            kind = 0 if values is None else _TYPES[values.dtype]
            buffer = 0 if values is None else len(buffers) - 1
            tensors.append(
                self._table(
                    [
                        (0, "UOffsetTRelative", sides),
                        (1, "Int8", kind),
                        (2, "Uint32", buffer),
                        (3, "UOffsetTRelative", name),
                    ]
                )
            )
        kinds = sorted({kind for kind, *_ in self._operators})
        codes = [self._code(kind) for kind in kinds]
        operators = [self._operator(kinds, one) for one in self._operators]
        graph = self._table(
            [
                (0, "UOffsetTRelative", self._tables(tensors)),
                (1, "UOffsetTRelative", self._ints([self.input])),
                (2, "UOffsetTRelative", self._ints([output])),
                (3, "UOffsetTRelative", self._tables(operators)),
            ]
        )
        model = self._table(
            [
                (0, "Uint32", 3),
                (1, "UOffsetTRelative", self._tables(codes)),
                (2, "UOffsetTRelative", self._tables([graph])),
                (4, "UOffsetTRelative", self._tables(buffers)),
            ]
        )
        builder.Finish(model, file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _code(self, kind):
        if kind in _CODES:
            return self._table([(0, "Int8", _CODES[kind]), (2, "Int32", 1), (3, "Int32", _CODES[kind])])
        name = self._builder.CreateString(kind)
        return self._table(
            [(0, "Int8", 32), (1, "UOffsetTRelative", name), (2, "Int32", 1), (3, "Int32", _CODES["CUSTOM"])]
        )

    def _operator(self, kinds, operator):
        kind, inputs, out, custom, options = operator
        fields = [(0, "Uint32", kinds.index(kind))]
        fields += [(1, "UOffsetTRelative", self._ints(inputs)), (2, "UOffsetTRelative", self._ints([out]))]
        if kind in _OPTIONS:
            number, known = _OPTIONS[kind]
            table = self._table([(*known[name], value) for name, value in options.items()])
            fields += [(3, "Uint8", number), (4, "UOffsetTRelative", table)]
        if custom is not None:
            fields.append((5, "UOffsetTRelative", self._builder.CreateByteVector(custom)))
        return self._table(fields)

    def _table(self, fields):
        self._builder.StartObject(8)
        for number, kind, value in fields:
            getattr(self._builder, f"Prepend{kind}Slot")(number, value, None if kind != "UOffsetTRelative" else 0)
        return self._builder.EndObject()

    def _ints(self, values):
        return self._builder.CreateNumpyVector(np.array(values, np.int32))

    def _tables(self, tables):
        self._builder.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            self._builder.PrependUOffsetTRelative(table)
        return self._builder.EndVector()


@pytest.fixture(scope="session")
def maker():
    """The class that writes small TensorFlow Lite files."""
    pytest.importorskip("flatbuffers")
    return Maker


@pytest.fixture(scope="session")
def lite():
    """Run a TensorFlow Lite file with LiteRT, the reference: (file, NHWC input) -> NHWC output."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed here")

    def run(raw, picture):
        one = interpreter.Interpreter(model_content=raw)
        one.allocate_tensors()
        one.set_tensor(one.get_input_details()[0]["index"], picture)
        one.invoke()
        return one.get_tensor(one.get_output_details()[0]["index"])

    return run


@pytest.fixture(scope="session")
def wheel_networks(person_models):
    """The two .tflite files by variant, fetched again from the package index: what the installed ones are held against."""
    import os

    from reelwise.errors import InputError
    from reelwise.models.install import MEDIAPIPE, networks_in
    from reelwise.models.wheel import fetch_wheel

    kept = {name: person_models / f"{name}.tflite" for name in ("general", "landscape")}
    if not all(path.exists() for path in kept.values()):
        try:
            found = networks_in(fetch_wheel(MEDIAPIPE), "wheel", {})
        except InputError as error:
            if os.environ.get("REELWISE_NEED_MODELS"):
                raise
            pytest.skip(f"the wheel cannot be fetched here: {error.message}")
        for name, (raw, _) in found.items():
            kept[name].write_bytes(raw)
    return {name: path.read_bytes() for name, path in kept.items()}


@pytest.fixture(scope="session")
def shared_pictures():
    """Pictures of people, float32 0..1 of a size, from the clips beside the checkout; none where there are none."""
    from pathlib import Path

    import cv2

    from reelwise import video

    clips = Path(__file__).resolve().parents[3] / "shared" / "clips"

    def pictures(height, width):
        found = []
        for name in ("intel_asl_again.mkv", "intel_asl_walk.mkv", "intel_one-by-one_first60s.mp4"):
            if (clips / name).exists():
                found += [one for _, one in video.pictures(clips / name, [1.0, 8.0], long_side=640)]
        return [cv2.resize(one, (width, height)).astype(np.float32) / 255 for one in found]

    return pictures


@pytest.fixture(scope="session")
def server():
    """The address of the small endpoint of `server.py`, on this machine."""
    import subprocess
    import sys
    from pathlib import Path

    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "server.py")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait(timeout=10)
    process.stdout.close()
