"""What every stage promises: priced under the facts counted on a clip, it says what was counted on that clip.

This holds by construction for one clip. Over several clips of different lengths it holds for sums of amounts, and not for
what is rounded in each (frames on a sheet, pixels of a region): there the mean of rounded is not the rounded mean.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from msgspec.structs import replace

from reelwise.facts import Facts, settings_hash
from reelwise.flow import Item, Out
from reelwise.plan import Plan, fold
from reelwise.rates import Book
from reelwise.run.footage import part_of, piece_of
from reelwise.run.measure import collect, entries_of
from reelwise.stages import (
    AnyStage,
    Audio,
    Call,
    Crop,
    Escalate,
    Gate,
    Keep,
    Pack,
    Prompt,
    Reuse,
    Route,
    Sample,
    Scale,
    Send,
    Stage,
)
from reelwise.workload import Demand, Repetition, Workload
from reelwise.workload import Prompt as Text

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.video import Track

DAY = dt.date(2026, 11, 22)
BOOK = Book.load(DAY)
JOB = Workload(
    feature="yard",
    demand=Demand(hours=1),
    prompt=Text(prefix=2000, question=100, output=300),
    repetition=Repetition(questions=2, views=3, duplicates=4),
)
CALL = Call(model="gemini-2.5-pro")
AMOUNTS = (
    "count", "seconds", "frames", "audio_seconds", "megabytes", "width_px", "height_px", "tokens_prefix", "tokens_prompt",
    "tokens_output", "sheet", "questions", "views", "duplicates",
)  # fmt: skip

ALONE: tuple[AnyStage, ...] = (
    Keep(),
    Gate(),
    Gate(pad_seconds=0.2, join_seconds=0.0),
    Gate(threshold=0.9),
    Gate(at="edge"),
    Reuse(views=True, duplicates=True, answers=True),
    Reuse(questions=True, error_most=0.05),
    Crop(),
    Crop(margin=0.0, multiple=16),
    Crop(snap_model="gemini-2.5-pro", multiple=8),
    Crop(mode="fixed", polygon=((0.013, 0.1), (0.657, 0.1), (0.6, 0.917)), snap_model="gpt-4o", multiple=1),
    Crop(mode="fixed", polygon=((0.1, 0.1), (0.6, 0.1), (0.6, 0.9))),
    Sample(fps=1.0),
    Sample(fps=0.7),
    Sample(fps=2.0, adaptive=True),
    Sample(fps=1.0, adaptive=True, change=0.2, gap_max_seconds=60.0),
    Sample(fps=5.0, budget=7),
    Sample(fps=5.0, by="change", budget=7),
    Sample(by="shot"),
    Sample(fps=5.0, by="shot", gap_max_seconds=1.0, budget_tokens=1300, budget_model="gpt-4o"),
    Scale(long_side=100),
    Scale(snap_model="gpt-4o"),
    Audio(keep=False),
    Audio(trim_silence=True),
    Pack(columns=2, rows=3),
    Prompt(prefix=100.0, output=10.0),
    Send(),
    Route(),
    Route(router="gpt-5-mini"),
    Escalate(),
    Escalate(samples=3),
    Escalate(second="gpt-4o-mini"),
    Escalate(verifier="gpt-4.1-mini"),
    CALL,
)
TOGETHER: tuple[Plan, ...] = (
    Plan(stages=(Gate(pad_seconds=0.3), Sample(fps=1.0), Pack(), CALL)),
    Plan(stages=(Gate(pad_seconds=0.3), Crop(), Sample(fps=3.0, adaptive=True), Scale(long_side=64), Audio(trim_silence=True), CALL)),
    Plan(stages=(Gate(threshold=0.9), Crop(), Sample(adaptive=True), Audio(trim_silence=True), CALL)),
    Plan(stages=(Reuse(frames=True, frames_different=3.0), Sample(fps=4.0), CALL)),
    Plan(stages=(Gate(pad_seconds=0.3), Reuse(frames=True, frames_seconds=1.5), Sample(fps=4.0, by="change"), Pack(), CALL)),
    Plan(stages=(Gate(at="edge"), Sample(fps=0.3), Call(model="gpt-4o", part="images"))),
    Plan(
        stages=(
            Gate(), Sample(), Route(), Call(model="gpt-4.1-mini", lane="easy", part="images"),
            Call(model="gpt-4o", lane="main", part="images"),
        )
    ),
    Plan(stages=(Sample(), Call(model="gpt-5-mini", lane="main"), Escalate(lane="main"), Call(model="gpt-5", lane="doubt"))),
    Plan(
        stages=(
            Sample(), Call(model="gpt-5-mini", lane="main", ask="once"), Escalate(lane="main", verifier="gpt-4o"),
            Call(model="gpt-5", lane="doubt"),
        )
    ),
)  # fmt: skip


def plan_with(stage: AnyStage) -> Plan:
    if isinstance(stage, Call):
        return Plan(stages=(stage,))
    if isinstance(stage, Escalate):
        return Plan(stages=(CALL, stage, Call(model="gpt-4o", part="images", lane=stage.to)))
    return Plan(stages=(CALL,)).put(stage)


@pytest.fixture(scope="module")
def track(drawn_clip: Path) -> Track:
    from reelwise import video

    return video.track(drawn_clip)


def counted(plan: Plan, tracks: list[Track]) -> tuple[Out, list[Item], Facts]:
    """Run a plan on footage; the facts are those counted, on top of the ones that ship."""
    facts = Facts.load()
    out, left, tally = collect(plan, [piece_of(JOB, one) for one in tracks], facts, BOOK)
    measured = entries_of(tally, None, footage=JOB.footage, on="clip", day=DAY)
    return out, [piece.item for piece in left], facts.with_entries(measured)


def expected(plan: Plan, item: Item, facts: Facts) -> tuple[Out, tuple[Item, ...]]:
    out = Out(BOOK, DAY)
    return out, fold(plan, (item,), facts, out)


def same_bill(one: Out, two: Out) -> None:
    for counted_one, expected_one in ((one.requests, two.requests), (one.usages, two.usages)):
        billed = [[record for record in records if record_size(record) > 0] for records in (counted_one, expected_one)]
        assert len(billed[0]) == len(billed[1])
        for a, b in zip(*billed, strict=True):
            for name in a.__struct_fields__:
                if isinstance(getattr(a, name), str):
                    assert getattr(a, name) == getattr(b, name)
                elif name != "basis":
                    assert float(getattr(a, name)) == pytest.approx(float(getattr(b, name)), rel=1e-9, abs=1e-9), name


def record_size(record: Any) -> float:
    return float(getattr(record, "count", getattr(record, "quantity", 0.0)))


def test_every_stage_is_tried() -> None:
    assert {type(stage) for stage in ALONE} == set(get_args(AnyStage))


@pytest.mark.parametrize(
    "plan", [*map(plan_with, ALONE), *TOGETHER], ids=lambda plan: "-".join(type(s).__name__ for s in plan.stages)
)
def test_expected_is_counted(plan: Plan, track: Track) -> None:
    plan.check()
    out, items, facts = counted(plan, [track])
    said, predicted = expected(plan, piece_of(JOB, track).item, facts)
    same_bill(out, said)
    predicted = tuple(item for item in predicted if item.count > 0)
    assert len(items) == len(predicted)
    for one, other in zip(items, predicted, strict=True):
        assert (one.lane, one.place, one.sampled, one.decoded) == (
            other.lane,
            other.place,
            other.sampled,
            other.decoded,
        )
        for name in AMOUNTS:
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-9), name


SUMMED: tuple[AnyStage, ...] = (
    Gate(),
    Gate(pad_seconds=0.1),
    Sample(fps=1.0),
    Sample(fps=3.0, adaptive=True),
    Audio(trim_silence=True),
)


@pytest.mark.parametrize("stage", SUMMED, ids=lambda stage: repr(stage)[:60])
def test_sums_over_clips_of_different_lengths_are_expected_too(stage: AnyStage, track: Track) -> None:
    """One class of items with the mean length has the sums of all clips, whatever happens in each."""
    clips = [part_of(track, 0.0, 4.0), part_of(track, 4.0, 7.0), part_of(track, 7.0, track.seconds)]
    plan = plan_with(stage)
    _, items, facts = counted(plan, clips)
    wholes = [piece_of(JOB, clip).item for clip in clips]
    names = ("seconds", "frames", "audio_seconds")
    mean = {name: sum(getattr(one, name) for one in wholes) / len(wholes) for name in (*names, "megabytes")}
    _, (predicted,) = expected(plan, replace(wholes[0], count=wholes[0].count * len(wholes), **mean), facts)
    for name in names[:1] if isinstance(stage, Gate) else names:  # a gate keeps the mean share of what is not time
        assert predicted.count * getattr(predicted, name) == pytest.approx(
            sum(one.count * getattr(one, name) for one in items)
        )


@pytest.mark.parametrize("stage", ALONE, ids=lambda stage: repr(stage)[:60])
def test_classes_on_the_last_axis_are_each_class_alone(stage: AnyStage) -> None:
    seconds = np.array([2.0, 60.0, 3000.0])
    facts = Facts.load(
        {
            name: facts_value(value)
            for name, value in {
                "gate.active_share": 0.2, "gate.kept_share": 0.5, "crop.width_share": 0.5, "crop.height_share": 0.4,
                "audio.speech_share": 0.3, "sample.frames_per_second": 0.4,
            }.items()
        }
    )  # fmt: skip

    def sized(length: Any) -> Item:
        return Item(
            count=3.0, seconds=length, frames=length * 25, audio_seconds=length, megabytes=length / 4, width_px=1280,
            height_px=720, tokens_prefix=2000.0, questions=2.0, views=3.0, duplicates=2.0, footage="yard",
        )  # fmt: skip

    together = stage.expect(sized(seconds), facts, Out(BOOK, DAY))
    for index, length in enumerate(seconds):
        alone = stage.expect(sized(float(length)), facts, Out(BOOK, DAY))
        for one, many in zip(alone, together, strict=True):
            for name in AMOUNTS:
                value = np.broadcast_to(np.asarray(getattr(many, name), float), 3)[index]
                assert value == pytest.approx(float(getattr(one, name))), name


def facts_value(value: float) -> Any:
    from reelwise.evidence import Fact

    return Fact(value=value)


@pytest.mark.parametrize("kind", get_args(AnyStage))
def test_a_stage_is_a_value_with_a_place(kind: type[Stage]) -> None:
    stages = [stage for stage in ALONE if type(stage) is kind]
    for stage in stages:
        assert hash(stage) == hash(replace(stage))
        assert settings_hash(stage) == settings_hash(replace(stage))
        assert set(stage.vector) <= set(stage.__struct_fields__)
    assert 0 <= kind.slot <= Escalate.slot
    assert kind.__doc__
