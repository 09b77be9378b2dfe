"""Levers combine: any two that do not exclude each other make the same plan in either order, and each changes only what it owns."""

from __future__ import annotations

import datetime as dt
from itertools import combinations

import msgspec
import pytest

from reelwise.evidence import Fact
from reelwise.facts import Facts
from reelwise.hosts import Host
from reelwise.levers import Lever, apply_all, find, kinds
from reelwise.levers.base import language_calls
from reelwise.levers.beyond.tile_resize import TileResize
from reelwise.levers.process_less.crop import Crop as CropLever
from reelwise.levers.process_less.downscale import Downscale
from reelwise.levers.process_less.sample_frames import SampleFrames
from reelwise.levers.process_less.trim_prompt import TrimPrompt
from reelwise.levers.smaller_model.cascade import Cascade
from reelwise.levers.smaller_model.open_model import OpenModel
from reelwise.levers.smaller_model.route import Route as RouteLever
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.rates import Book
from reelwise.stages import (
    Audio,
    Call,
    Crop,
    Escalate,
    Gate,
    Prompt,
    Reuse,
    Route,
    Sample,
    Scale,
    Stage,
)
from reelwise.workload import Demand, Repetition, Workload
from reelwise.workload import Prompt as Text

BOOK = Book.load(dt.date(2026, 11, 22))
OWN = (Host(name="own", sku="aws/g4dn.xlarge"),)
POLYGON = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5))

PROBES: dict[str, Plan] = {
    "native video": Plan(stages=(Call(model="gemini-2.5-pro"),)),
    "pictures": Plan(stages=(Sample(fps=1.0), Call(model="gpt-4o", part="images"))),
    "pictures to a video model": Plan(stages=(Sample(fps=1.0), Call(model="gemini-2.5-pro", part="images"))),
    "no detail levels": Plan(stages=(Sample(fps=0.5), Call(model="claude-opus-5-5", part="images"))),
    "patches": Plan(stages=(Sample(fps=0.5), Call(model="gpt-5.4", part="images"))),
    "speech": Plan(stages=(Call(model="openai/whisper-1", part="audio"),)),
    "generate": Plan(stages=(Call(model="google/veo-3.1-fast", part="generate", resolution="1080p"),)),
    "routed": Plan(
        stages=(
            Sample(fps=1.0), Route(), Call(model="gemini-2.5-flash", lane="easy"), Call(model="gemini-2.5-pro", lane="main"),
        )
    ),
    "cascaded": Plan(
        stages=(
            Call(model="gemini-2.5-flash", lane="main"), Escalate(lane="main"), Call(model="gemini-2.5-pro", lane="doubt"),
        )
    ),
    "hosted": Plan(stages=(Sample(fps=1.0), Call(host="own")), hosts=OWN),
    "hosted and rented": Plan(
        stages=(Route(), Call(host="own", lane="easy"), Call(model="gpt-5.4", lane="main", part="images")), hosts=OWN
    ),
    "everything set": Plan(
        stages=(
            Gate(threshold=0.1), Reuse(duplicates=True), Crop(mode="fixed", polygon=POLYGON), Sample(fps=0.2),
            Scale(long_side=640), Audio(), Prompt(output=100.0), Call(model="gemini-2.5-pro", detail="low", chunk=600.0),
        )
    ),
}  # fmt: skip


def variants() -> list[Lever]:
    """Every priced lever as it comes, with each setting it offers, and with some that cross from one maker to another."""
    levers: list[Lever] = []
    for name, kind in kinds().items():
        if kind().is_priced:
            offered = [msgspec.convert({"lever": name, **settings}, kind) for settings in ({}, *kind.offers)]
            levers += dict.fromkeys(offered)
    levers += [
        RouteLever(to="claude-haiku-5-5"), RouteLever(to="gpt-4.1-mini"), RouteLever(to="gemini-2.5-flash"),
        Cascade(first="claude-haiku-5-5"), Cascade(first="gemini-2.5-flash"), TrimPrompt(prefix=500.0, output=None),
        CropLever(mode="fixed", polygon=POLYGON), TileResize(smallest=0.8), SampleFrames(by="shot", budget=8),
        OpenModel(scale="auto", network="yolo26n-seg"), SampleFrames(by="change", budget_tokens=5000), SampleFrames(by="question", scores="scores.csv", budget=4),
    ]  # fmt: skip
    return levers


LEVERS = variants()


def label(lever: Lever) -> str:
    return repr(lever).replace("=", " ")[:60]


def fits(lever: Lever, plan: Plan) -> bool:
    """A model by name stands in for a language model only; the lever itself refuses all else."""
    named = getattr(lever, "to", None) or getattr(lever, "first", None)
    return named is None or bool(language_calls(plan, BOOK))


def excluded(a: Lever, b: Lever) -> bool:
    return a.name in b.excludes or b.name in a.excludes


@pytest.mark.parametrize("probe", list(PROBES))
def test_every_pair_commutes_or_is_declared_exclusive(probe: str) -> None:
    plan = PROBES[probe]
    plan.check()
    levers = [lever for lever in LEVERS if fits(lever, plan)]
    differ = []
    for a, b in combinations(levers, 2):
        if excluded(a, b) or (a.name == b.name and a.name not in {"sample_frames", "downscale", "trim_prompt"}):
            continue
        one, two = a.apply(b.apply(plan)), b.apply(a.apply(plan))
        one.check()
        if one != two or one.hash != two.hash:
            differ.append((a, b))
    assert not differ


@pytest.mark.parametrize("probe", list(PROBES))
def test_a_lever_pulled_twice_is_pulled_once_and_leaves_the_plan_it_was_given(probe: str) -> None:
    plan = PROBES[probe]
    before = plan.hash
    for lever in LEVERS:
        if fits(lever, plan):
            once = lever.apply(plan)
            assert lever.apply(once) == once, lever
            assert plan.hash == before, lever


def changed(before: Plan, after: Plan) -> set[str]:
    """Name the settings that differ as `owns` names them; of a new stage, those that are not its defaults."""
    names: set[str] = set() if len(before.hosts) == len(after.hosts) else {"hosts"}
    for host in after.hosts:
        for old in (one for one in before.hosts if one.name == host.name):
            names |= {f"host.{name}" for name in host.__struct_fields__ if getattr(host, name) != getattr(old, name)}
    for stage in after.stages:
        tag = type(stage).__name__.lower()
        same_kind = [old for old in before.stages if type(old) is type(stage)]
        same_lane = [old for old in same_kind if (old.lane or "main") == (stage.lane or "main")]
        if same_lane:
            moved = fields_that_differ(stage, same_lane[0])
            names |= {f"{tag}.{name}" for name in moved}
        elif isinstance(stage, Call):
            names.add(f"call[{stage.lane}].model")
        else:
            names |= {f"{tag}.{name}" for name in fields_that_differ(stage, type(stage)())} or {tag}
    gone = {type(old) for old in before.stages} - {type(stage) for stage in after.stages}
    return names | {f"{kind.__name__.lower()} is gone" for kind in gone}


def fields_that_differ(stage: Stage, other: Stage) -> set[str]:
    return {name for name in stage.__struct_fields__ if getattr(stage, name) != getattr(other, name)}


def is_owned(setting: str, owns: tuple[str, ...]) -> bool:
    tag, _, field = setting.partition(".")
    lanes = {own.partition(".")[0] for own in owns if own.startswith("call[")}
    if field == "lane" and (lanes or tag in owns):  # whoever makes lanes says who is in them
        return True
    return (
        setting in owns
        or tag in owns
        or f"{tag}[main]" in owns
        or f"{tag}[main].{field}" in owns
        or any(o.startswith(setting + ".") for o in owns)
    )


@pytest.mark.parametrize("probe", list(PROBES))
def test_a_lever_changes_only_what_it_owns(probe: str) -> None:
    plan = PROBES[probe]
    for lever in LEVERS:
        if fits(lever, plan):
            foreign = {one for one in changed(plan, lever.apply(plan)) if not is_owned(one, lever.owns)}
            if getattr(lever, "to", None) or getattr(lever, "first", None):
                foreign -= {"call.detail", "call.part"}  # what the model that stands in does not have
            assert not foreign, lever


def test_exclusions_name_levers_and_not_themselves() -> None:
    for name, kind in kinds().items():
        assert set(kind.excludes) <= set(kinds()) - {name}


# What the order must not undo


def test_adaptive_does_not_undo_a_lower_rate_nor_the_other_way_round() -> None:
    plan = PROBES["native video"]
    for levers in (
        (SampleFrames(fps=0.1), SampleFrames(fps=1.0, adaptive=True)),
        (SampleFrames(fps=1.0, adaptive=True), SampleFrames(fps=0.1)),
    ):
        (sample,) = apply_all(plan, levers).of(Sample)
        assert (sample.fps, sample.adaptive) == (0.1, True)


def test_the_way_that_looks_closer_wins_and_the_smaller_budget() -> None:
    plan = PROBES["pictures"]
    levers = (SampleFrames(by="shot", budget=9), SampleFrames(adaptive=True, budget=5, budget_tokens=9000))
    for order in (levers, levers[::-1]):
        (sample,) = apply_all(plan, order).of(Sample)
        assert (sample.way, sample.adaptive, sample.budget) == ("shot", False, 5)
        assert (sample.budget_tokens, sample.budget_model) == (9000, "gpt-4o")
        sample.check("here")


def test_settings_a_team_has_chosen_stay() -> None:
    plan = PROBES["everything set"]
    after = apply_all(
        plan, [find("gate"), find("crop"), Downscale(), SampleFrames(), find("trim_prompt"), find("chunk_below_cliff")]
    )
    assert after.of(Gate) == plan.of(Gate)
    assert after.of(Crop) == plan.of(Crop)
    assert after.of(Sample) == plan.of(Sample)
    assert after.of(Scale) == plan.of(Scale)
    assert after.of(Prompt) == plan.of(Prompt)
    assert after.of(Call) == plan.of(Call)


@pytest.mark.parametrize(
    ("now", "then"), [("4k", "720p"), ("1080p", "720p"), ("720p", "720p"), ("480p", "480p"), ("", "720p")]
)
def test_a_generated_video_never_gets_larger(now: str, then: str) -> None:
    plan = Plan(stages=(Call(model="google/veo-3.1-fast", part="generate", resolution=now),))
    assert Downscale().apply(plan).of(Call)[0].resolution == then


def test_a_model_that_stands_in_is_asked_for_nothing_it_does_not_have() -> None:
    plan = Plan(stages=(Call(model="gemini-2.5-pro", part="video", detail="medium"),))
    easy = RouteLever(to="gpt-4.1-mini").apply(plan).of(Call, lambda call: call.lane == "easy")[0]
    assert (easy.part, easy.detail) == ("auto", "")
    (main,) = RouteLever(to="gpt-4.1-mini").apply(plan).of(Call, lambda call: call.lane == "main")
    assert (main.part, main.detail) == ("video", "medium")


def test_frames_are_fitted_to_the_dearer_model_of_a_cascade() -> None:
    plan = PROBES["cascaded"]
    (scale,) = TileResize().apply(plan).of(Scale)
    assert scale.snap_model == "gemini-2.5-pro"


# Prices follow

JOB = Workload(
    feature="search", demand=Demand(hours=100), latency="day", prompt=Text(prefix=3000, question=100, output=400),
    repetition=Repetition(questions=3, views=2, duplicates=2),
)  # fmt: skip
FACTS = Facts.load(
    {
        "gate.active_share": Fact(value=0.1), "crop.area_share": Fact(value=0.3), "sample.frames_per_second": Fact(value=0.2),
        "audio.speech_share": Fact(value=0.5),
    }
)  # fmt: skip


@pytest.mark.parametrize("probe", ["native video", "pictures", "routed"])
def test_all_that_apply_together_cost_the_same_in_any_order(probe: str) -> None:
    plan = PROBES[probe]
    chosen: list[Lever] = []
    for name in kinds():
        lever = find(name)
        if lever.is_priced and not any(excluded(lever, other) for other in chosen):
            now = apply_all(plan, chosen)
            if lever.applies(JOB, now, FACTS, BOOK).ok:
                chosen.append(lever)
    assert len(chosen) > 6
    forwards, backwards = apply_all(plan, chosen), apply_all(plan, chosen[::-1])
    assert forwards.hash == backwards.hash
    usd = price_one(JOB, forwards, FACTS, BOOK).total_usd
    assert usd == price_one(JOB, backwards, FACTS, BOOK).total_usd
    assert usd < price_one(JOB, plan, FACTS, BOOK).total_usd
