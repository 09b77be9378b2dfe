from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError, InputError
from reelwise.models.bench import Run, best_of, cold_start, measure
from reelwise.models.latencies import Latencies, Rate, latencies, rate_of
from reelwise.models.memory import memory_megabytes
from reelwise.models.targets import target_of

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SIZE = (320, 180)


class Sleeper:
    """A target that takes 20 ms, and counts who calls it."""

    name, takes = "sleeper", "nothing"

    def __init__(self, seconds=0.02):
        self.seconds, self.opens, self.threads = seconds, 0, set()

    def opened(self, batch, threads):
        assert batch * threads > 0
        self.opens += 1

        def call():
            self.threads.add(threading.current_thread().name + str(threading.get_ident()))
            time.sleep(self.seconds)

        return call


def run_of(fps, p95):
    speed = Rate(value=fps, low=fps, high=fps)
    late = Latencies(latency_ms_p50=p95 / 2, latency_ms_p95=p95, latency_ms_p99=p95, latency_ms_max=p95)
    return Run(
        batch=1, streams=1, threads=1, seconds=1, calls=1, frames_per_second=speed, latency=late, cpu_seconds_per_frame=0.1,
        rss_megabytes=1,
    )  # fmt: skip


def write_network(path, *, shape=("batch", 3, 8, 12), kind=None, inputs=1):
    helper = onnx.helper
    kind = onnx.TensorProto.FLOAT if kind is None else kind
    names = [f"x{number}" for number in range(inputs)]
    nodes = [helper.make_node("Identity" if inputs == 1 else "Add", names, ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name in names],
        [helper.make_tensor_value_info("y", kind, list(shape))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))
    return str(path)


# numbers


def test_percentiles():
    found = latencies([0.001] * 90 + [0.1] * 10)
    assert (found.latency_ms_p50, found.latency_ms_p95, found.latency_ms_max) == (1.0, 100.0, 100.0)
    assert latencies([]).latency_ms_p99 is None


@given(st.lists(st.floats(0, 10), max_size=400), st.integers(1, 64))
def test_low_and_high_hold_the_rate(ends, frames):
    found = rate_of(ends, frames, 0.0, 10.0)
    assert 0 <= found.low <= found.value <= found.high
    assert found.value == pytest.approx(len(ends) * frames / 10, abs=1e-3)
    assert found.high >= found.value + frames / 10 - 1e-3  # few calls say little


def test_the_fastest_that_answers_soon_enough():
    runs = [run_of(100, 5), run_of(300, 40), run_of(200, 20)]
    assert best_of(runs) is runs[1]
    assert best_of(runs, 20) is runs[2]
    assert best_of(runs, 1) is None


def test_memory_is_known():
    assert 5 < memory_megabytes() < 100_000
    assert memory_megabytes(peak=True) >= memory_megabytes() * 0.5


# closed loop


def test_streams_call_at_once_each_its_own():
    target = Sleeper()
    found = measure(target, batch=4, streams=3, seconds=0.4)

    assert target.opens == 3
    assert len({one for one in target.threads if one.startswith("bench-stream")}) == 3
    assert found.latency.latency_ms_p50 >= 20
    assert found.calls <= 3 * 20
    assert found.frames_per_second.value <= 4 * 3 * 50 * 1.05
    assert found.cpu_seconds_per_frame < 0.02  # it sleeps


def test_a_call_longer_than_the_run_counts_once():
    found = measure(Sleeper(0.15), batch=1, streams=1, seconds=0.1)

    assert found.calls == 1
    assert found.frames_per_second.value < 7


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_stream_that_dies_is_no_result():
    class Fragile(Sleeper):
        def opened(self, batch, threads):
            call = super().opened(batch, threads)

            def once():
                call()
                if threading.current_thread().name == "bench-stream":
                    raise KeyError("not thread-safe")

            return once

    with pytest.raises(InputError, match="a stream failed"):
        measure(Fragile(), batch=1, streams=2, seconds=0.1)


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"streams": 0}, {"streams": 1000}, {"seconds": 0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        measure(Sleeper(), **{"batch": 1, "streams": 1, "seconds": 0.1, **wrong})


# targets


def test_an_onnx_file_is_measured_in_batches(tmp_path):
    target = target_of(write_network(tmp_path / "net.onnx"), size=SIZE)

    assert target.opened(5, 1)()[0].shape == (5, 3, 8, 12)
    assert "float32 (batch, 3, 8, 12)" in target.takes
    assert measure(target, batch=2, streams=2, seconds=0.1).frames_per_second.value > 10


def test_an_open_shape_must_be_given(tmp_path):
    path = write_network(tmp_path / "net.onnx", shape=("n", 3, "h", "w"))
    with pytest.raises(InputError, match="shape of its input is open: n,3,h,w") as caught:
        target_of(path, size=SIZE)
    assert "--shape" in caught.value.hint
    assert target_of(path, size=SIZE, shape=(1, 3, 16, 24)).opened(2, 1)()[0].shape == (2, 3, 16, 24)
    for shape in ((1, 4, 16, 24), (3, 16, 24), (1, 3, 0, 24)):
        with pytest.raises(InputError, match="its input is n,3,h,w"):
            target_of(path, size=SIZE, shape=shape)


def test_a_network_of_one_picture_takes_no_batch(tmp_path):
    target = target_of(write_network(tmp_path / "net.onnx", shape=(1, 3, 8, 12)), size=SIZE)

    assert target.opened(1, 1)()[0].shape == (1, 3, 8, 12)
    with pytest.raises(InputError, match="takes 1 at once, not 8"):
        target.opened(8, 1)
    with pytest.raises(InputError, match="too large"):
        target_of(write_network(tmp_path / "wide.onnx", shape=("n", 3, 4096, 4096)), size=SIZE).opened(64, 1)


@pytest.mark.parametrize("kind", ["UINT8", "FLOAT16"])
def test_other_numbers_are_taken(tmp_path, kind):
    path = write_network(tmp_path / "net.onnx", kind=getattr(onnx.TensorProto, kind))

    assert target_of(path, size=SIZE).opened(1, 1)()[0].dtype == np.dtype(kind.lower())


def test_two_inputs_and_other_types_are_refused(tmp_path):
    for path in (
        write_network(tmp_path / "two.onnx", inputs=2),
        write_network(tmp_path / "int.onnx", kind=onnx.TensorProto.INT64),
    ):
        with pytest.raises(InputError, match="takes x0: tensor"):
            target_of(path, size=SIZE)


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="onnxruntime cannot run it"):
        target_of(str(tmp_path / "bad.onnx"), size=SIZE)
    with pytest.raises(InputError, match="no such file"):
        target_of(str(tmp_path / "nowhere.onnx"), size=SIZE)
    with pytest.raises(InputError, match="not a model"):
        target_of("nonsense", size=SIZE)


@pytest.fixture
def functions(tmp_path, monkeypatch):
    (tmp_path / "functions_to_measure.py").write_text(
        "import time\n"
        "def mean(rgb):\n    assert rgb.shape == (180, 320, 3)\n    return rgb.mean()\n"
        "def broken(rgb): return 1 / 0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield "functions_to_measure"
    sys.modules.pop("functions_to_measure", None)


def test_a_function_of_ones_own(functions):
    target = target_of(f"{functions}:mean", size=SIZE)

    assert target.opened(1, 1)() == pytest.approx(127.5, abs=2)
    with pytest.raises(InputError, match="takes 1 frame"):
        target.opened(8, 1)
    with pytest.raises(InputError, match="the function failed: ZeroDivisionError"):
        measure(target_of(f"{functions}:broken", size=SIZE), batch=1, streams=1, seconds=0.1)
    with pytest.raises(DocumentError, match="no function"):
        target_of(f"{functions}:nothing", size=SIZE)
    with pytest.raises(DocumentError, match="no module of yours"):
        target_of("os:system", size=SIZE)


@pytest.mark.parametrize("variant", ["", ":landscape"])
def test_the_embedded_network_from_frame_to_mask(installed_person, variant):
    assert installed_person.exists()
    target = target_of(f"person-segmentation{variant}", size=SIZE)

    assert target.opened(1, 1)().ndim == 2
    assert target.opened(3, 1)()[0].shape[:2] == (3, 1)


# from nothing


def test_a_cold_start_in_a_process_of_its_own(tmp_path, functions):
    found = cold_start(f"{functions}:mean", size=SIZE)
    assert 0 < found.first_call_seconds < found.first_answer_seconds < 60
    assert found.rss_megabytes > 5
    assert cold_start(write_network(tmp_path / "net.onnx"), size=SIZE).load_seconds > 0
    with pytest.raises(InputError, match="ZeroDivisionError"):
        cold_start(f"{functions}:broken", size=SIZE)
