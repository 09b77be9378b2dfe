"""No budget is overspent, and no call denied that fits: a part of what bench/ledger.py runs with a million operations."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the folder is no package
import overshoot


@pytest.mark.parametrize("callers", [1, 16, 64, 256])
def test_every_decision_is_the_one_an_exact_account_makes(callers, path):
    found = overshoot.callers(callers, 2500, callers, path)

    assert found["overshoot_nano"] == found["let_through_above"] == found["false_denials"] == found["problems"] == 0
    assert found["denied"] > 0
    assert found["overrun_nano"] > 0


@pytest.mark.parametrize("threads", [16, 64])
def test_threads_do_not_overspend(threads, path):
    found = overshoot.threads(threads, 2000, threads, path)

    assert found["overshoot_nano"] == found["problems"] == found.get("seen_above", 0) == 0
    assert found["denied"] > 0


def test_processes_use_a_budget_up_to_the_last_call_and_no_further(path):
    found = overshoot.processes(3, 4, path, limit=2_000_000)

    assert (found["overshoot_nano"], found["false_denials"], found["problems"]) == (0, 0, 0)
    assert found["passed"] == found["fit"]
