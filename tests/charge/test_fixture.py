"""The published figure: what is held for the calls of bench/holds_calls.yaml, against what they truly cost."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from reelwise.charge import hold

ROOT = Path(__file__).resolve().parents[2]


def _bench():
    spec = importlib.util.spec_from_file_location("bench_holds", ROOT / "bench" / "holds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCH = _bench()
FILE = yaml.safe_load((ROOT / "bench" / "holds_calls.yaml").read_text(encoding="utf-8"))


def test_the_fixture_is_as_wide_as_it_says(book):
    rows = [row for row in FILE["calls"] if row["rule"] not in BENCH.NOT_VIDEO]
    units = {part.unit for row in FILE["calls"] for part in _held(row, book).parts}

    assert len(rows) >= 60
    assert len({row["rule"] for row in rows}) >= 8
    assert len(units) >= 12
    assert len({row["id"] for row in FILE["calls"]}) == len(FILE["calls"])
    assert all(row["source"] in FILE["sources"] for row in (*FILE["calls"], *FILE["wide"]))


def _held(row, book):
    return hold(BENCH.asked(row, FILE["media"], book), book, position=BENCH.position_of(row))


@pytest.mark.parametrize("row", FILE["calls"], ids=lambda row: row["id"])
def test_never_below_and_at_most_a_tenth_above(row, book):
    held, true = _held(row, book), BENCH.true_nano(row)

    assert true <= held.nano <= true * 110 / 100


@pytest.mark.parametrize("row", FILE["wide"], ids=lambda row: row["id"])
def test_a_wide_hold_is_wide_for_its_reason_and_never_below(row, book):
    assert _held(row, book).nano > BENCH.true_nano(row) * 110 / 100


def test_clips_are_given_by_what_decoding_counted():
    for name, (frames, seconds) in FILE["decoded"].items():
        said = FILE["media"][name]
        assert said["seconds"] >= seconds - 0.001
        assert said.get("frames", frames) == frames


def test_nothing_here_needs_a_folder_beside_the_checkout():
    beside = "shar" + "ed"
    files = [*Path(__file__).parent.glob("*.py"), *(ROOT / "src" / "reelwise" / "charge").glob("*.py")]
    files += [ROOT / "bench" / "holds.py", ROOT / "bench" / "holds_calls.yaml"]

    assert not [
        path.name for path in files if f"../{beside}" in path.read_text() or f"{beside}_clips" in path.read_text()
    ]
