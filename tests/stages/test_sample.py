"""Sampling bounds the frames by a rate, and by what was measured under just these settings."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.errors import DocumentError, InputError
from reelwise.evidence import ASSUMED, MEASURED, Fact
from reelwise.facts import Entry, Facts, settings_hash
from reelwise.flow import Item, Out, Piece
from reelwise.run.footage import part_of, piece_of
from reelwise.stages import Sample
from reelwise.workload import Demand, Workload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = dt.date(2026, 11, 22)


@given(fps=st.floats(0.01, 240), seconds=st.floats(0.1, 1e4), rate=st.floats(0.1, 120))
def test_never_more_frames_than_there_are_nor_than_the_rate_allows(
    expect: Callable[..., Any], fps: float, seconds: float, rate: float
) -> None:
    one = Item(count=1.0, seconds=seconds, frames=seconds * rate, width_px=10, height_px=10)
    (after,), out = expect(Sample(fps=fps), one)
    assert after.frames <= one.frames
    assert after.frames < seconds * fps + 1
    assert after.sampled
    assert not out.usages, "choosing by the clock needs no look at the picture"


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_many_rates_at_once_are_each_rate_alone(expect: Callable[..., Any], rates: list[float]) -> None:
    one = Item(count=1.0, seconds=61.7, frames=1800.0, width_px=10, height_px=10)
    (after,), _ = expect(Sample(fps=np.array(rates)[:, None]), one)
    alone = [expect(Sample(fps=rate), one)[0][0].frames for rate in rates]
    assert after.frames[:, 0].tolist() == alone


def test_adaptive_pays_for_looking_and_takes_what_changed(expect: Callable[..., Any], item: Item) -> None:
    (after,), out = expect(Sample(adaptive=True), item, sample__frames_per_second=0.25)
    assert after.frames == 16, "the first frame, and one every four seconds"
    assert len(out.usages) == 1
    (bounded,), _ = expect(Sample(adaptive=True), item, sample__frames_per_second=9.0)
    assert bounded.frames == 61, "never over the rate, but for the first frame"


def test_a_uniform_rate_is_measured_under_exactly_these_settings_or_is_arithmetic(item: Item) -> None:
    stage = Sample(fps=0.5)
    entry = Entry(
        name="sample.uniform_frames_per_second", settings=settings_hash(stage), prefix="behind a gate", source_class="doors",
        fact=Fact(value=0.4, kind="measured"),
    )  # fmt: skip
    out = Out(None, None)  # type: ignore[arg-type] - nothing is billed
    out.prefix = lambda: "behind a gate"
    (exact,) = stage.expect(item, Facts([entry]), out)
    (other,) = Sample(fps=0.25).expect(item, Facts([entry]), out)
    assert exact.frames == pytest.approx(25), "the first frame, and 0.4 a second"
    assert other.frames == 15
    assert other.basis & MEASURED == 0


# Ways and budgets


@pytest.fixture(scope="module")
def piece(drawn_clip: Path) -> Piece:
    from reelwise import video

    return piece_of(Workload(feature="yard", demand=Demand(hours=1)), video.track(drawn_clip))


def chosen(stage: Sample, piece: Piece) -> list[float]:
    out = Out(None, DAY)  # type: ignore[arg-type] - nothing is billed
    out.prefix = lambda: "start"
    facts = Facts([Entry(name="decode.cpu_seconds_per_second", fact=Fact(value=0.03))])
    (after,) = stage.process([piece], facts, out)
    assert after.item.frames == len(after.frames)
    return [float(piece.track.times[index]) for index in after.frames]


def test_a_budget_is_kept_by_every_way(piece: Piece) -> None:
    for way in ("uniform", "change", "shot"):
        assert len(chosen(Sample(fps=10.0, by=way, budget=5, gap_max_seconds=0.5), piece)) == 5
        assert len(chosen(Sample(fps=0.1, by=way, budget=50, gap_max_seconds=0.5), piece)) <= 2, "the rate holds too"
    assert len(chosen(Sample(by="shot"), piece)) == 2, "one shot of 12 s: one frame for each ten seconds"
    assert chosen(Sample(by="change"), piece) == chosen(Sample(adaptive=True), piece)


def test_by_shot_spends_its_budget_as_the_command_does(piece: Piece) -> None:
    from reelwise import video

    for budget in (3, 4, 7):
        there = video.choose(piece.track, budget, by="shot").seconds
        assert chosen(Sample(by="shot", budget=budget), piece) == list(there)
    assert len(chosen(Sample(by="shot", budget_tokens=1020, budget_model="gpt-4o"), piece)) == 4
    assert len(chosen(Sample(by="shot", gap_max_seconds=3.0), piece)) == 4, "without one, the gap decides"


def test_a_budget_in_tokens_buys_whole_pictures_and_one_at_least(piece: Piece, item: Item) -> None:
    at = {"fps": 10.0, "budget_model": "gpt-4o"}
    assert len(chosen(Sample(budget_tokens=1000, **at), piece)) == 3, "255 tokens for 320x180"
    assert len(chosen(Sample(budget_tokens=1, **at), piece)) == 1
    assert len(chosen(Sample(budget_tokens=1000, budget=2, **at), piece)) == 2
    (after,) = Sample(budget_tokens=11_050, **at).expect(item, Facts(), Out(None, DAY))  # type: ignore[arg-type]
    assert after.frames == 10, "1,105 tokens for 1080p"


def test_a_budget_on_longer_clips_than_were_measured_counts_as_assumed(item: Item) -> None:
    stage = Sample(by="change", budget=8)
    known = Fact(value=0.1, kind="measured")
    entries = [
        Entry(name="sample.frames_per_second", settings=settings_hash(stage), source_class="doors", fact=known),
        Entry(name="decode.cpu_seconds_per_second", fact=known),
    ]
    out = Out(None, DAY)  # type: ignore[arg-type] - nothing is billed
    out.prefix = lambda: "start"
    (like_it,) = stage.expect(replace(item, decoded=True), Facts(entries), out)
    assert (like_it.frames, like_it.basis & ASSUMED) == (7.0, 0)
    (hour,) = stage.expect(replace(item, decoded=True, seconds=3600.0, frames=1e5), Facts(entries), out)
    assert (hour.frames, hour.basis & ASSUMED) == (8.0, ASSUMED)


def test_a_question_takes_scores_from_the_track_a_file_or_a_folder(piece: Piece, tmp_path: Path) -> None:
    from reelwise import video

    stage = Sample(fps=10.0, by="question", budget=2)
    with pytest.raises(InputError, match="no scores") as error:
        chosen(stage, piece)
    assert error.value.where == piece.track.info.path
    scored = replace(piece, track=video.with_scores(piece.track, lambda second: -abs(second - 7)))
    assert all(5 <= second <= 9 for second in chosen(stage, scored))
    (tmp_path / "bay.csv").write_text("".join(f"{second},{int(second == 3)}\n" for second in range(12)))
    for where in (tmp_path, tmp_path / "bay.csv"):
        assert 3.0 in chosen(replace(stage, scores=str(where)), piece)
    (tmp_path / "bay.csv").unlink()
    with pytest.raises(InputError, match="no scores for bay"):
        chosen(replace(stage, scores=str(tmp_path)), piece)
    with pytest.raises(DocumentError, match="no such file"):
        chosen(replace(stage, scores=str(tmp_path / "bay.csv")), piece)


def test_a_file_of_scores_is_of_the_clip_and_not_of_its_parts(piece: Piece, tmp_path: Path) -> None:
    file = tmp_path / "bay.csv"
    stage = Sample(fps=10.0, by="question", budget=1, scores=str(file))
    file.write_text("".join(f"{second},{int(second == 9)}\n" for second in (8, 9, 10)))
    late, early = (replace(piece, track=part_of(piece.track, *span)) for span in ((6, 12), (0, 6)))
    late, early = (replace(one, stretches=((0.0, 6.0),)) for one in (late, early))
    assert chosen(stage, late) == pytest.approx([3.0], abs=0.11)
    assert len(chosen(stage, early)) == 1, "none of the scores is of this part"
    file.write_text("9000,1\n10000,2\n")
    for one in (piece, late, early):
        with pytest.raises(InputError, match="none of the scores lies in the clip") as error:
            chosen(stage, one)
        assert error.value.where == str(file)


@pytest.mark.parametrize(
    "settings",
    [
        {"adaptive": True, "by": "shot"},
        {"budget_tokens": 100},
        {"budget_model": "gpt-4o"},
        {"scores": "a.csv"},
        {"scores": "a.csv", "by": "change"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DocumentError) as error:
        Sample(**settings).check("plan")
    assert error.value.hint
