"""Every way keeps exactly its budget, in order and in the stretches, and sees what it is made to see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.video import (
    choose,
    gate,
    judge,
    sample_adaptive_budget,
    sample_question,
    sample_shots,
    sample_uniform_budget,
    scores_of,
    shots,
    with_scores,
)
from reelwise.video.seen import WAYS


def with_shots(track: Any, cuts: list[int], flat: tuple[int, int] = (0, 0)) -> Any:
    """Say where the shots of a track of numbers are."""
    differs = np.linspace(0.001, 0.002, track.frames, dtype=np.float32)
    differs[cuts] = 1.0
    second = np.concatenate(([0.0], differs[:-1])).astype(np.float32)
    contrast = np.full(track.frames, 50, np.float32)
    contrast[flat[0] : flat[1]] = 0
    columns = {"shots.differs": differs, "shots.differs_from_second": second, "shots.contrast": contrast}
    track.extra.update(columns)
    return track


@settings(max_examples=60, deadline=None)
@given(
    change=st.lists(st.floats(0, 0.5, width=32), min_size=2, max_size=200),
    budget=st.integers(1, 250),
    cuts=st.lists(st.integers(1, 199), max_size=6),
    spans=st.lists(st.tuples(st.floats(0, 15), st.floats(0.2, 10)), min_size=1, max_size=4),
    values=st.lists(st.floats(-1, 1), min_size=1, max_size=20),
)
def test_a_budget_is_kept_exactly(  # noqa: PLR0917 - hypothesis passes by name
    synthetic: Any,
    change: list[float],
    budget: int,
    cuts: list[int],
    spans: list[tuple[float, float]],
    values: list[float],
) -> None:
    track = with_shots(synthetic(change), [cut for cut in cuts if cut < len(change)])
    stretches = [(start, start + length) for start, length in spans]
    inside = {i for i, t in enumerate(track.times) if any(a - 1e-9 <= t < b - 1e-9 for a, b in stretches)}
    scores = scores_of(enumerate(values))
    for kept in (
        sample_uniform_budget(track, stretches, budget),
        sample_adaptive_budget(track, stretches, budget),
        sample_shots(track, stretches, budget),
        sample_question(track, stretches, budget, scores),
    ):
        assert len(kept) == min(budget, len(inside))
        assert (np.diff(kept) > 0).all()
        assert set(kept.tolist()) <= inside
        assert kept.dtype == np.int64


def test_an_even_pace_takes_the_middle_of_equal_parts(synthetic: Any) -> None:
    track = synthetic([0.0] * 100)
    assert sample_uniform_budget(track, [(0.0, 10.0)], 5).tolist() == [9, 29, 49, 69, 89]
    assert len(sample_uniform_budget(track, [], 3)) == 0
    for sample in (sample_uniform_budget, sample_shots):
        with pytest.raises(InputError, match="budget"):
            sample(track, [(0.0, 10.0)], 0)


def test_each_event_gets_a_frame_before_any_gets_two(synthetic: Any) -> None:
    change = [0.0] * 1200
    for start, strength in ((100, 0.01), (500, 0.2), (905, 0.005)):
        change[start : start + 20] = [strength] * 20
    track = synthetic(change)
    for budget in (3, 4, 8):
        choice = choose(with_shots(track, []), budget, by="change")
        assert choice.seen.events_share == 1.0
        assert choice.verdict == "better", "the events last two seconds of two minutes"
        assert choice.uniform.frames == budget
    kept = sample_adaptive_budget(track, [(0.0, 120.0)], 12)
    assert ((kept >= 500) & (kept < 520)).sum() >= 4, "where most changes there are most frames"


def test_each_shot_gets_a_frame_and_longer_ones_more(synthetic: Any) -> None:
    track = with_shots(synthetic([0.01] * 600), [10, 20, 30, 300], flat=(570, 600))
    parts = shots(track)
    assert [shot.start for shot in parts] == [0.0, 1.0, 2.0, 3.0, 30.0, 57.0]
    assert parts[-1].flat
    kept = sample_shots(track, [(0.0, 60.0)], 5)
    assert [sum(s.start <= t < s.stop for t in track.times[kept]) for s in parts] == [1, 1, 1, 1, 1, 0]
    more = sample_shots(track, [(0.0, 60.0)], 15)
    counts = [sum(s.start <= t < s.stop for t in track.times[more]) for s in parts]
    assert counts[:3] == [1, 1, 1]
    assert counts[3] + counts[4] == 12
    assert abs(counts[3] - counts[4]) <= 1
    assert sample_shots(track, [(0.0, 60.0)], 1)[0] in range(30, 570), "the longest first"
    choice = choose(track, 5, by="shot")
    assert (choice.seen.shots_share, choice.verdict) == (1.0, "better")
    assert choice.uniform.shots_share is not None
    assert choice.uniform.shots_share < 1


def test_a_question_sees_its_peaks_and_not_one_moment_twice(synthetic: Any) -> None:
    seconds = np.arange(120)
    values = 0.2 + 0.3 * np.exp(-(((seconds - 31) / 2) ** 2)) + 0.25 * np.exp(-(((seconds - 90) / 2) ** 2))
    scores = scores_of(zip(seconds, values, strict=True))
    track = with_shots(synthetic([0.0] * 1200), [])
    two = sample_question(track, [(0.0, 120.0)], 2, scores)
    assert track.times[two].tolist() == pytest.approx([31, 90], abs=1.0), "both peaks, not the higher one twice"
    choice = choose(track, 6, by="question", scores=scores)
    assert choice.verdict == "better"
    assert choice.seen.top_score_share is not None
    assert choice.seen.top_score_share > 0.6
    asked = choose(track, 6, by="question", scores=lambda second: float(values[int(second)]))
    assert asked.seconds == choice.seconds
    flat = choose(track, 6, by="question", scores=scores_of([(0, 1), (60, 1)]))
    assert flat.verdict == "level", "scores that say nothing"
    assert flat.seen == flat.uniform
    with pytest.raises(InputError, match="scores"):
        choose(track, 6, by="question")


def test_scores_on_the_track_choose_as_scores_beside_it(synthetic: Any) -> None:
    from reelwise.video import track_scores

    track = with_shots(synthetic([0.0] * 600), [])
    assert track_scores(track) is None
    scored = with_scores(track, lambda second: float(20 <= second < 24))
    found = track_scores(scored)
    assert found is not None
    kept = sample_question(scored, [(0.0, 60.0)], 3, found)
    assert all(19 <= time <= 25 for time in track.times[kept])
    assert "question.score" not in track.extra, "the track itself stays"


def test_the_figures_are_what_they_say(synthetic: Any) -> None:
    change = [0.0] * 300
    change[100:110] = [0.1] * 10
    change[200:210] = [0.3] * 10
    track = with_shots(synthetic(change), [150])
    seen = judge(track, np.array([105]), [(0.0, 30.0)])
    assert len(gate(track, pad_seconds=0.0)) == 2
    assert (seen.frames, seen.events_share, seen.active_share, seen.shots_share) == (1, 0.5, 0.5, 0.5)
    assert seen.change_share == pytest.approx(0.25)
    assert seen.largest_gap_seconds == pytest.approx(19.5)
    assert seen.largest_unseen_change == pytest.approx(0.75 + 0.25 * 0.4)
    assert seen.top_score_share is None
    part = judge(track, np.array([105]), [(9.0, 12.0)])
    assert (part.events_share, part.change_share, part.largest_gap_seconds) == (1.0, pytest.approx(1.0), 1.5)
    empty = judge(synthetic([0.0] * 10), np.zeros(0, np.int64), [(0.0, 1.0)])
    assert (empty.events_share, empty.change_share, empty.shots_share) == (None, None, None)


@pytest.mark.parametrize("by", WAYS)
def test_the_even_pace_has_as_many_frames(by: Any, demo_track: Any) -> None:
    scores = scores_of([(0, 0.1), (10, 0.9), (20, 0.1)])
    for budget in (1, 7, 50):
        choice = choose(demo_track, budget, by=by, scores=scores)
        assert choice.seen.frames == choice.uniform.frames == budget == len(choice.seconds)
    with pytest.raises(InputError, match="no way"):
        choose(demo_track, 3, by="chance")  # type: ignore[arg-type]


def test_by_change_the_project_s_own_clip_loses_no_event_at_a_frame_each(demo_track: Any) -> None:
    events = len(gate(demo_track, pad_seconds=0.0))
    choice = choose(demo_track, events, by="change")
    assert choice.seen.events_share == 1.0
    assert choice.verdict == "better"


@pytest.mark.parametrize(("name", "budget"), [("intel_car-detection.mp4", 4), ("intel_one-by-one_first60s.mp4", 4)])
def test_by_change_no_event_of_a_real_camera_is_lost_where_an_even_pace_loses_some(
    name: str, budget: int, shared_clips: Any
) -> None:
    from reelwise.video import track

    choice = choose(track(shared_clips / name, audio=False), budget, by="change")
    assert choice.seen.events_share == 1.0
    assert choice.uniform.events_share is not None
    assert choice.uniform.events_share < 1.0
    assert choice.verdict == "better"
