from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.video import sample_adaptive, sample_adaptive_budget, sample_uniform


def test_uniform_counts_are_exact(synthetic: Any) -> None:
    track = synthetic([0.0] * 300, fps=30)
    for fps, count in ((0.1, 1), (0.5, 5), (1, 10), (3, 30), (30, 300), (100, 300)):
        assert len(sample_uniform(track, [(0.0, 10.0)], fps)) == count, fps
    assert sample_uniform(track, [(0.0, 10.0)], 1).tolist() == list(range(0, 300, 30))


def test_uniform_starts_each_stretch_with_its_first_frame(synthetic: Any) -> None:
    track = synthetic([0.0] * 100)
    assert sample_uniform(track, [(1.0, 2.0), (5.0, 5.05), (8.04, 10.0)], 1).tolist() == [10, 50, 81, 91]
    assert len(sample_uniform(track, [], 1)) == 0
    with pytest.raises(InputError):
        sample_uniform(track, [(0, 1)], 0)


def test_adaptive_keeps_where_it_changes(synthetic: Any) -> None:
    change = [0.0] * 100
    change[40:60] = [0.01] * 20
    kept = sample_adaptive(synthetic(change), [(0.0, 10.0)], change=0.045, fps_max=10, gap_max_seconds=100)
    assert kept.tolist() == [0, 44, 49, 54, 59, 99]


def test_adaptive_obeys_its_limits(synthetic: Any) -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        track = synthetic((rng.random(300) ** 6).tolist(), fps=25)
        kept = sample_adaptive(track, [(0.0, 3.0), (4.0, 12.0)], change=0.2, fps_max=4, gap_max_seconds=1.5)
        assert kept[0] == 0
        assert 100 in kept
        for first, last in ((0, 75), (100, 300)):
            times = track.times[kept[(kept >= first) & (kept < last)]]
            gaps = np.diff(times)
            assert gaps.min() >= 0.25 - 1e-6 or len(gaps) == 0
            assert gaps.max() <= 1.5 + 0.04 + 1e-6
            assert track.times[last - 1] - times[-1] <= 1.5 + 1e-6
        assert not ((kept >= 75) & (kept < 100)).any()


def test_adaptive_sees_slow_drift(synthetic: Any) -> None:
    activity = np.linspace(0, 0.3, 200).tolist()
    kept = sample_adaptive(
        synthetic([0.0] * 200, activity=activity), [(0, 20.0)], change=0.03, fps_max=5, gap_max_seconds=60
    )
    assert 9 <= len(kept) <= 12


def test_budget_is_kept_and_spent_where_it_changes(synthetic: Any) -> None:
    change = [0.0] * 400
    change[100:140] = [0.02] * 40
    track = synthetic(change)
    stretches = [(0.0, 20.0), (30.0, 40.0)]
    for budget in (1, 2, 5, 37, 299, 300, 1000):
        kept = sample_adaptive_budget(track, stretches, budget)
        assert len(kept) == min(budget, 300)
        assert (np.diff(kept) > 0).all()
        assert not ((kept >= 200) & (kept < 300)).any()
    kept = sample_adaptive_budget(track, stretches, 20)
    assert {0, 300} <= set(kept.tolist())
    assert ((kept >= 100) & (kept < 140)).sum() >= 10
    with pytest.raises(InputError):
        sample_adaptive_budget(track, stretches, 0)
    assert len(sample_adaptive_budget(track, [], 5)) == 0


def test_settings_out_of_range(synthetic: Any) -> None:
    with pytest.raises(InputError):
        sample_adaptive(synthetic([0.0]), [(0, 1)], change=0.0)
