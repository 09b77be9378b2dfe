"""What must hold after a crash: a part of what the benches and `make nightly` run in full."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the folder is no package
import killing
import simulation


def test_simulated_crashes_lose_and_double_nothing():
    found = simulation.run_many(0, 80, simulation.memory())

    assert found["failed"] == []
    assert found["seeds"] == 80
    assert min(found[name] for name in ("crashes", "cuts", "faults", "denials", "overruns", "late")) > 0


def test_a_power_cut_after_each_frame_of_the_log():
    assert simulation.run_many(100_000, 12, simulation.memory(), cuts=1000)["failed"] == []


def test_killed_writers_lose_and_double_nothing():
    found = killing.kill(0, 3)

    assert found["failed"] == []
    assert found["acknowledged"] > 0
