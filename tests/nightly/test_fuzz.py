"""Longer fuzzing of the two readers than every commit can afford."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reelwise.case import load
from reelwise.errors import MediaError, ReelwiseError
from reelwise.video import track

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.nightly


def mangled(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat or drop a few bytes."""
    raw = bytearray(data)
    for _ in range(rng.randint(1, 12)):
        if not raw:
            break
        at = rng.randrange(len(raw))
        kind = rng.randrange(4)
        if kind == 0:
            raw[at] = rng.randrange(256)
        elif kind == 1:
            del raw[at : at + rng.randint(1, 200)]
        elif kind == 2:
            raw[at:at] = raw[at : at + rng.randint(1, 200)]
        else:
            raw = raw[: max(1, at)]
    return bytes(raw) or b"\0"


@pytest.mark.parametrize("seed", range(300))
def test_mangled_clips_are_read_or_refused(seed, drawn_clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(mangled(drawn_clip.read_bytes(), random.Random(seed)))  # noqa: S311 - no secret
    found, hint = None, ""
    try:
        found = track(path)
    except MediaError as error:
        hint = error.hint

    assert hint or found is not None
    if found is not None:
        assert found.frames > 0
        assert (found.times[1:] > found.times[:-1]).all()


@pytest.mark.parametrize("seed", range(1000))
def test_mangled_workloads_are_opened_or_refused(seed, tmp_path):
    rng = random.Random(seed)  # noqa: S311 - no secret
    source = rng.choice(sorted((ROOT / "examples").glob("*.yaml")))
    path = tmp_path / "workload.yaml"
    path.write_bytes(mangled(source.read_bytes(), rng))
    case, refused = None, None
    try:
        case = load(path, day="2026-11-22")
    except ReelwiseError as error:
        refused = error

    assert case is not None or (refused is not None and refused.exit_code == 2 and refused.hint)
