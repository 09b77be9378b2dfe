from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

PROBE = Path(__file__).resolve().parents[1] / "probe" / "conftest.py"


def run(*arguments, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "reelwise", "probe", *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("drawn_networks", PROBE)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.dense_network(tmp_path_factory.mktemp("net") / "dense.onnx", width=64, side=128)


def test_quantize_measures_writes_facts_and_keeps_what_is_accepted(dense, drawn_clip, tmp_path):
    out = tmp_path / "small.onnx"
    found = json.loads(
        run("quantize", dense, drawn_clip, "--frames", "40", "--seconds", "0.5", "--iou", "0", "--iou-p5", "0", "--evidence",
            tmp_path, "--out", out, "--json").stdout
    )  # fmt: skip

    verdict = found["verdict"]
    assert {one["name"]: one["fact"]["value"] for one in found["facts"]} == {
        "probe.quantize.speed_ratio": verdict["speed"]["ratio"],
        "quality.quantize": verdict["likeness"]["mean"],
    }
    assert all(one["fact"]["kind"] == "measured" for one in found["facts"])
    assert drawn_clip.name in found["facts"][0]["fact"]["on"]
    assert out.exists() == verdict["accepted"] == (verdict["speed"]["low"] > 1)
    assert Path(found["written"]).exists()


def test_a_refused_network_is_not_written_and_the_gate_says_no(dense, drawn_clip, tmp_path):
    out = tmp_path / "small.onnx"
    done = run(
        "quantize", dense, drawn_clip, "--frames", "40", "--seconds", "0.3", "--iou", "1", "--iou-p5", "1", "--evidence", tmp_path,
        "--out", out, "--gate", code=3,
    )  # fmt: skip

    assert "REFUSED" in done.stdout
    assert "is asked for" in done.stdout
    assert "was refused" in done.stderr
    assert not out.exists()
    assert list(tmp_path.glob("*.yaml"))  # what was measured is worth keeping


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["quantize", "nonsense"], "no network that can be quantized"),
        (["quantize", "nowhere.onnx"], "no such file"),
        (["distil", "os:system"], "no module of yours"),
        (["distil", "nowhere.onnx"], "no such file"),
    ],
)
def test_bad_input(arguments, says, drawn_clip, tmp_path):
    done = run(*arguments, drawn_clip, "--evidence", tmp_path, code=2)

    assert says in done.stderr
    assert not done.stdout


def test_no_such_clip(dense, tmp_path):
    assert "nowhere.mp4" in run("quantize", dense, "nowhere.mp4", "--evidence", tmp_path, code=2).stderr


def test_distilling_without_pytorch_says_what_to_install(dense, drawn_clip, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError\n")
    done = run("distil", dense, drawn_clip, "--evidence", tmp_path, code=2, PYTHONPATH=str(tmp_path))

    assert "PyTorch" in done.stderr
    assert "reelwise[live,train]" in done.stderr


def test_without_the_network_it_says_how_to_install_it(drawn_clip, tmp_path):
    done = run("quantize", "person-segmentation", drawn_clip, code=2, REELWISE_CACHE=str(tmp_path))

    assert "reelwise models install person-segmentation" in done.stderr
