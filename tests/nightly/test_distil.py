"""Training a student, where PyTorch is installed (extra `train`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.nightly

CLIPS = Path(__file__).resolve().parents[3] / "shared" / "clips"


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed: extra train")


def test_onnx_computes_what_pytorch_computes(torch):
    from reelwise.models import MaskNetwork
    from reelwise.probe.student import drawn, student, to_onnx
    from reelwise.probe.train import _Torch

    class Answers(_Torch):
        """As trained, and not while."""

        def _normal(self, one, name):
            given = [self._weights[f"{name}.{what}"] for what in ("mean", "variance", "gain", "shift")]
            return self._functional.batch_norm(one, *given, training=False, eps=1e-5).relu()

    weights = drawn(5)
    picture = np.random.default_rng(6).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    given = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None] / 255.0
    expected = torch.sigmoid(student(Answers(torch, {k: torch.from_numpy(v) for k, v in weights.items()}), given))
    mask = MaskNetwork(to_onnx(weights), name="student")(picture)

    assert np.abs(mask - expected.numpy()[0, 0]).max() < 1e-4


def test_a_closed_scene_is_learned(torch, person_clip, person_models):
    from reelwise.models import PersonSegmentation
    from reelwise.probe import footage_of, probe_distil

    assert torch.__version__
    said = []
    found = probe_distil(
        PersonSegmentation(folder=person_models),
        footage_of([person_clip], frames=200, hold=0.2),
        seconds=2,
        say=said.append,
    )

    assert found.verdict.likeness.mean > 0.93
    assert found.verdict.speed.ratio > 1
    assert 10_000 < found.weights < 13_000
    assert any("step 500 of 500" in one for one in said)


def test_equal_seeds_train_equal_students(torch):
    from reelwise.probe.train import trained

    assert torch.__version__
    draw = np.random.default_rng(7)
    pictures = draw.integers(0, 256, (16, 3, 128, 128), dtype=np.uint8)
    masks = (pictures.mean(1) > 128).astype(np.float32)
    one, two = (trained(pictures, masks, steps=5, seed=3) for _ in range(2))

    assert all(np.allclose(one[name], two[name], atol=1e-4) for name in one)


@pytest.mark.skipif(not CLIPS.exists(), reason="the real clips are not beside this checkout")
def test_people_it_has_not_seen_are_refused(torch, person_models, tmp_path):
    """One camera, other people after the cut: the student does not carry over, and the probe says so."""
    assert torch.__version__
    done = subprocess.run(
        [
            sys.executable, "-m", "reelwise", "probe", "distil", "person-segmentation", str(CLIPS / "intel_one-by-one_first60s.mp4"),
            "--evidence", str(tmp_path), "--out", str(tmp_path / "student.onnx"), "--json", "--gate",
        ],
        capture_output=True, text=True, check=False, env={**os.environ, "REELWISE_CACHE": str(person_models)},
    )  # fmt: skip
    found = json.loads(done.stdout)

    assert found["verdict"]["accepted"] == (done.returncode == 0)
    assert (tmp_path / "student.onnx").exists() == found["verdict"]["accepted"]
    assert {one["name"] for one in found["facts"]} == {"probe.distil.speed_ratio", "quality.distil"}
