from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "tests" / "models" / "server.py"

pytest.importorskip("onnxruntime")
assert importlib.util.find_spec("reelwise") is not None


def run(*arguments, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "reelwise", *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def server():
    process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.kill()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def function(tmp_path):
    (tmp_path / "slow_model.py").write_text(
        "import time\ndef mask(rgb):\n    time.sleep(0.004)\n    return rgb[:, :, 0] / 255\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_what_is_measured_is_what_a_price_rests_on(function, tmp_path):
    """The whole way: measured here, written down, and the bill of the hosts changes and says that it is measured."""
    folder = tmp_path / "evidence"
    case = ROOT / "examples" / "self-hosted.yaml"
    before = json.loads(run("price", case, "--json").stdout)

    found = json.loads(
        run("bench-model", "slow_model:mask", "--seconds", "0.5", "--batch", "1", "--host", "cutout", "--evidence", folder,
            "--json", **function).stdout
    )  # fmt: skip

    speed = found["fact"]["fact"]
    assert found["fact"]["name"] == "host.cutout.frames_per_second"
    assert speed["low"] <= speed["value"] <= speed["high"]
    assert speed["kind"] == "measured"
    assert speed["value"] <= 250
    assert Path(found["written"]).parent == folder
    after = json.loads(run("price", case, "--evidence", folder, "--json").stdout)
    hosts = [[one for one in bill["line_items"] if one["stage"] == "host"] for bill in (before, after)]
    assert [one["evidence"] for one in hosts[1]] == ["measured"]
    assert [one["evidence"] for one in hosts[0]] == ["given"]
    # whole machines for the peak, one to spare: faster than the 15 a second of the file, so fewer of them
    assert hosts[1][0]["quantity"] < hosts[0][0]["quantity"]


def test_it_prints_a_table_for_people(function):
    said = run("bench-model", "slow_model:mask", "--seconds", "0.3", "--batch", "1,8", "--streams", "1,2", **function)

    assert "frames/s" in said.stdout
    assert "batch 8: a function takes 1 frame, not 8" in said.stdout
    assert "From nothing to the first answer" in said.stdout
    assert "written" not in said.stdout


def test_a_latency_that_none_keeps_writes_nothing(function, tmp_path):
    found = json.loads(
        run("bench-model", "slow_model:mask", "--seconds", "0.3", "--batch", "1", "--p95-ms", "1", "--host", "x", "--evidence",
            tmp_path / "evidence", "--json", **function).stdout
    )  # fmt: skip

    assert found["best"] is None
    assert found["fact"] is None
    assert not (tmp_path / "evidence").exists()


def test_the_embedded_network(installed_person):
    found = json.loads(
        run("bench-model", "person-segmentation:landscape", "--seconds", "0.3", "--batch", "1,2", "--streams", "1", "--size",
            "640x360", "--json", REELWISE_CACHE=str(installed_person)).stdout
    )  # fmt: skip

    assert [one["batch"] for one in found["runs"]] == [1, 2]
    assert found["cold"]["first_answer_seconds"] > 0
    assert "640x360" in found["takes"]


def test_an_endpoint_is_driven_at_rates(server, tmp_path):
    done = run(
        "bench-model", f"{server}/serial", "--rate", "10", "--rate", "120", "--seconds", "1.5", "--timeout", "0.5", "--in-flight",
        "4", "--size", "320x180", "--host", "api", "--evidence", tmp_path, "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)

    slow, fast = found["loads"]
    assert not fast["kept_up"]
    assert fast["dropped"] > 0
    assert found["first_answer_seconds"] >= 0.02
    if slow["kept_up"]:
        assert found["fact"]["fact"]["value"] == pytest.approx(
            10, rel=0.3
        )  # 12 requests, give or take those at the edges
        assert "kept up with 10 requests" in found["fact"]["fact"]["source"]


def test_an_endpoint_for_people(server):
    said = run(
        "bench-model", f"{server}/some?key=secret", "--rate", "20", "--seconds", "1", "--header", "X-Key: hidden"
    )

    assert "HTTP 503" in said.stdout
    assert "did not keep up" in said.stdout or "this client's limit" in said.stdout
    assert "secret" not in said.stdout + said.stderr
    assert "hidden" not in said.stdout + said.stderr


def test_frames_of_a_clip_and_a_body_are_sent(server, drawn_clip, tmp_path):
    found = json.loads(
        run("bench-model", f"{server}/fast", "--rate", "20", "--seconds", "0.5", "--clip", drawn_clip, "--json").stdout
    )
    assert len(found["bytes_sent"]) == 8
    body = tmp_path / "body.json"
    body.write_text("{}")
    found = json.loads(
        run("bench-model", f"{server}/fast", "--rate", "20", "--seconds", "0.5", "--body", body, "--json").stdout
    )
    assert found["bytes_sent"] == [2]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "not a model"),
        (["http://127.0.0.1:9/x"], 2, "--rate 30"),
        (["slow_model:mask", "--rate", "3"], 2, "a rate is for endpoints"),
        (["http://a:b@127.0.0.1:9/", "--rate", "3"], 2, "password"),
        (["http://127.0.0.1:9/", "--rate", "3", "--header", "nonsense"], 2, "is no header"),
        (["http://127.0.0.1:9/", "--rate", "3", "--header", "A: $NO_SUCH_VARIABLE"], 2, "not set"),
        (["http://127.0.0.1:9/", "--rate", "3", "--metrics", "http://127.0.0.1:9/m"], 2, "go together"),
        (["http://127.0.0.1:9/", "--rate", "3", "--body", "nowhere"], 2, "nowhere"),
        (["slow_model:mask", "--size", "big"], 2, "not a size"),
        (["slow_model:mask", "--batch", "0"], 2, "not whole numbers"),
        (["slow_model:mask", "--host", " "], 2, "no name of a host"),
        (["slow_model:mask", "--batch", "8"], 2, "takes 1 frame"),
    ],
)
def test_bad_input(arguments, code, says, function):
    done = run("bench-model", *arguments, code=code, **function)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_an_endpoint_that_is_not_there_exits_with_4():
    with socket.socket() as taken:  # nobody else gets its port meanwhile, and it does not listen
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        done = run("bench-model", url, "--rate", "3", "--size", "64x64", code=4)

    assert "Connection refused" in done.stderr


def test_an_endpoint_that_refuses_exits_with_4(server):
    assert "X-Key" not in run("bench-model", f"{server}/key", "--rate", "3", "--size", "64x64", code=4).stderr
    assert "HTTP 500" in run("bench-model", f"{server}/turn", "--rate", "50", "--size", "64x64", code=4).stderr


def test_without_the_network_it_says_how_to_install_it(tmp_path):
    done = run("bench-model", "person-segmentation", code=2, REELWISE_CACHE=str(tmp_path))

    assert "reelwise models install person-segmentation" in done.stderr


def test_a_folder_that_cannot_be_written_to(function, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(
        "bench-model", "slow_model:mask", "--seconds", "0.2", "--batch", "1", "--host", "x", "--evidence", tmp_path / "file",
        code=5, **function,
    )  # fmt: skip

    assert "cannot write" in done.stderr


def test_ctrl_c_in_the_middle_exits_with_130(installed_person, started):
    assert installed_person.exists()
    command = [
        sys.executable,
        "-m",
        "reelwise",
        "bench-model",
        "person-segmentation",
        "--seconds",
        "120",
        "--batch",
        "1",
    ]
    restored = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - a background shell ignores it
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=restored) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("measuring")
        time.sleep(2.5)  # past the cold start
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=240)
    assert process.returncode == 130, said
    assert "terminate" not in said
