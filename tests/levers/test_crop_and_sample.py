"""What the levers of sampling and cropping say of a workload, with the tokens that decide."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from reelwise.evidence import Fact
from reelwise.facts import Facts
from reelwise.levers.process_less.crop import Crop
from reelwise.levers.process_less.sample_frames import SampleFrames
from reelwise.plan import Plan
from reelwise.rates import Book
from reelwise.stages import Call, Sample, Scale
from reelwise.stages import Crop as CropStage
from reelwise.workload import Demand, Workload

if TYPE_CHECKING:
    from reelwise.levers.base import Verdict

BOOK = Book.load(dt.date(2026, 11, 22))
JOB = Workload(feature="yard", demand=Demand(hours=100))
STRIP = Facts.load({"crop.width_share": Fact(value=0.6), "crop.height_share": Fact(value=0.35)})


def verdict(
    lever: Crop | SampleFrames, model: str = "gpt-4o", facts: Facts = STRIP, *before: Scale, **call: str
) -> Verdict:
    plan = Plan(stages=(*before, Call(model=model, **call)))  # type: ignore[arg-type]
    return lever.applies(JOB, plan, facts, BOOK)


def test_a_crop_says_what_a_picture_costs_before_and_after() -> None:
    found = verdict(Crop(), part="images")
    assert found.ok
    assert found.reason == "a picture of 1,105 tokens becomes one of 595 on gpt-4o"
    snapped = verdict(Crop(), "gemini-2.5-pro", part="images")
    assert snapped.reason == "a picture of 1,548 tokens becomes one of 1,032 on gemini-2.5-pro"


@pytest.mark.parametrize(
    ("model", "call", "says"),
    [
        ("gemini-2.5-pro", {}, "a minute of video is 15,480 tokens, cropped 15,480"),
        ("gpt-4o", {"part": "images", "detail": "low"}, "a picture is 85 tokens, cropped 85"),
    ],
)
def test_a_crop_that_saves_nothing_is_refused_with_the_tokens(model: str, call: dict[str, str], says: str) -> None:
    found = verdict(Crop(), model, STRIP, **call)
    assert not found.ok
    assert says in found.reason


def test_a_picture_that_is_scaled_down_anyway_may_gain_nothing() -> None:
    small = verdict(Crop(), "gpt-4o", STRIP, Scale(long_side=400), part="images")
    assert (small.ok, small.reason) == (False, "cropping saves nothing on gpt-4o: a picture is 255 tokens, cropped 255")


def test_what_is_not_known_or_not_given_is_asked_for() -> None:
    unknown = Facts.load()
    assert "not measured" in verdict(Crop(), facts=unknown).reason
    assert "no polygon" in verdict(Crop(mode="fixed")).reason
    assert "detector" in verdict(Crop(mode="detector"), facts=unknown).reason
    assert verdict(Crop(mode="detector", detector="mine:find"), facts=unknown).ok
    assert "scores" in verdict(SampleFrames(by="question")).reason
    assert verdict(SampleFrames(by="question", scores="scores.csv")).ok
    assert "not measured" in verdict(SampleFrames(by="shot"), facts=unknown).reason
    assert "adaptive" in verdict(SampleFrames(by="shot", adaptive=True)).reason
    assert "add `lengths`" in verdict(SampleFrames(budget=100)).reason
    clips = Workload(feature="yard", demand=Demand(clips=100, seconds=30))
    speech = Plan(stages=(Call(model="openai/whisper-1", part="audio"),))
    assert "in frames" in SampleFrames(budget_tokens=100).applies(clips, speech, STRIP, BOOK).reason
    assert SampleFrames(budget=100).applies(clips, speech, STRIP, BOOK).ok


def test_a_crop_that_a_team_has_chosen_stays() -> None:
    chosen = CropStage(mode="detector", detector="mine:find")
    plan = Plan(stages=(chosen, Sample(), Call(model="gpt-4o")))
    assert Crop().apply(plan).of(CropStage) == (chosen,)
    (fixed,) = Crop(mode="fixed", polygon=((0, 0), (1, 0), (1, 0.5))).apply(plan).of(CropStage)
    assert (fixed.mode, fixed.detector, fixed.snap_model) == ("fixed", None, "gpt-4o")
    fixed.check("plan")
