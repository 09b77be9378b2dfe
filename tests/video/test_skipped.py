from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reelwise.video import coverage, largest_skipped


def test_the_largest_changes_that_were_not_sent(synthetic: Any) -> None:
    change = [0.0] * 100
    change[30:33] = [0.1, 0.3, 0.1]
    change[70] = 0.2
    change[50] = 0.9
    found = largest_skipped(synthetic(change), np.array([0, 50, 99]))
    assert [(one.frame, pytest.approx(one.change, abs=1e-6)) for one in found] == [(31, 0.5), (70, 0.2)]
    assert found[0].time == pytest.approx(3.1)
    assert found[0].seconds == pytest.approx(5.0)
    assert len(largest_skipped(synthetic(change), np.array([0, 50, 99]), n=1)) == 1
    assert largest_skipped(synthetic(change), np.arange(100)) == ()
    assert largest_skipped(synthetic(change), np.zeros(0, np.int64))[0].frame == 50


def test_coverage_of_active_time(synthetic: Any) -> None:
    track = synthetic([0.0] * 100)
    assert coverage(track, np.array([20]), [(0.0, 4.0)], within_seconds=1.0) == pytest.approx(21 / 40)
    assert coverage(track, np.arange(0, 100, 10), [(0.0, 10.0)], within_seconds=1.0) == 1.0
    assert coverage(track, np.zeros(0, np.int64), [(0.0, 1.0)]) == 0.0
    assert coverage(track, np.array([3]), []) == 1.0
