"""The ledger's crashes and races in full: ten thousand seeds, two hundred kills, a million operations."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ledger"))  # the folder is no package
import killing
import overshoot
import simulation

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("first", range(0, 10_000, 1_000))
def test_ten_thousand_seeds(first):
    assert simulation.run_many(first, 1_000, simulation.memory())["failed"] == []


@pytest.mark.parametrize("first", range(200_000, 200_400, 100))
def test_power_cuts_after_each_frame(first):
    assert simulation.run_many(first, 100, simulation.memory(), cuts=10_000)["failed"] == []


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_two_hundred_kills(first):
    assert killing.kill(first, 50)["failed"] == []


def test_a_million_operations():
    found = overshoot.measure(1_000_000)

    assert (found["overshoot_nano_usd"], found["false_denials"], found["problems"]) == (0, 0, 0)
