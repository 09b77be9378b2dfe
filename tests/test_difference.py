"""Causes of a change sum to the change, and every lever is recognised."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reelwise.account import Account
from reelwise.case import Case, load
from reelwise.difference import Difference, above, difference
from reelwise.errors import UnpricedError
from reelwise.levers import find, kinds
from reelwise.plan import Plan
from reelwise.rates import Book
from reelwise.stack import stack
from reelwise.stages import Call, Gate, Prompt, Route, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[1] / "examples"
WORKLOADS = sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.endswith("-rates"))


def opened(name: str, *settings: str) -> Case:
    return load(FOLDER / f"{name}.yaml", settings=settings)


def causes(found: Difference) -> dict[str, float]:
    assert sum(cause.change_usd for cause in found.by_lever) == pytest.approx(found.change_usd, rel=1e-9, abs=1e-9)
    return {cause.name: cause.change_usd for cause in found.by_lever}


def pulled() -> Iterator[tuple[str, str, dict[str, object]]]:
    for name in WORKLOADS:
        case = opened(name)
        for lever, kind in kinds().items():
            for offer in kind.offers:
                one = kind(**offer)
                if one.is_priced and one.applies(case.workload, case.plan, case.facts, case.book).ok:
                    yield name, lever, offer


def test_nothing_changed() -> None:
    found = difference(opened("moderation"), opened("moderation"))
    assert found.change_usd == 0
    assert found.by_lever == found.without_effect == ()


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(WORKLOADS, 2)))
def test_causes_and_parts_sum_to_the_change_between_any_two_examples(before: str, after: str) -> None:
    found = difference(opened(before), opened(after))
    assert causes(found)
    for parts in (found.by_stage, found.by_model):
        assert sum(part.change_usd for part in parts) == pytest.approx(found.change_usd)
        assert sum(part.before_usd for part in parts) == pytest.approx(found.before.total_usd)


def test_every_lever_is_recognised_pulled_and_let_go() -> None:
    tried = set()
    for name, lever, offer in pulled():
        case = opened(name)
        plan = find(lever).__class__(**offer).apply(case.plan)
        if plan == case.plan:
            continue
        there = replace(case, plan=plan)
        for found, word in ((difference(case, there), "pulled"), (difference(there, case), "let go")):
            (cause,) = (*found.by_lever, *found.without_effect)
            assert cause.lever == lever, (name, offer, cause)
            assert cause.direction in {word, "changed"}, (name, offer, cause)
            causes(found)
        tried.add(lever)
    assert {
        "sample_frames",
        "downscale",
        "gate",
        "route",
        "cascade",
        "batch_api",
        "prompt_cache",
        "precompute",
    } <= tried


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_stack_of_levers_comes_apart_again(name: str) -> None:
    case = opened(name)
    result = stack(case)
    found = difference(case, replace(case, plan=result.plan))
    assert set(causes(found)) == {step.lever for step in result.steps}
    assert found.after.total_usd == pytest.approx(result.final_usd_month)


def test_the_article_in_one_diff() -> None:
    case = opened("moderation")
    found = difference(case, replace(case, plan=stack(case).plan))
    assert (found.before.total_usd, found.after.total_usd) == (pytest.approx(135_000), pytest.approx(4_680))
    assert {(part.name, part.lane) for part in found.by_stage} == {("call", "main"), ("call", "easy")}
    assert {part.name for part in found.by_model} == {"gemini-2.5-pro", "gemini-2.5-flash"}
    assert found.change_share == pytest.approx(4680 / 135000 - 1)


def test_demand_prices_facts_and_plan_are_told_apart() -> None:
    before = opened("surveillance", "plan.stages=[{stage: gate}, {stage: call, model: gemini-3.8-flash, part: video}]")
    after = opened(
        "surveillance",
        "plan.stages=[{stage: gate}, {stage: sample, fps: 0.5}, {stage: call, model: gemini-3.8-flash, part: video}]",
        "demand.cameras=80", "facts.gate.kept_share=0.16", "facts.gate.active_share=0.04", "day=2027-01-01",
    )  # fmt: skip
    amounts = causes(difference(before, after))
    assert set(amounts) == {
        "prices",
        "workload: demand",
        "fact: gate.active_share",
        "fact: gate.kept_share",
        "sample_frames",
    }
    found = difference(before, after)
    first = found.by_lever[0]
    assert (first.name, first.changes) == ("prices", ("prices of 2026-11-22 -> 2027-01-01",))
    calls = next(part.before_usd for part in found.by_stage if part.name == "call")
    assert first.change_usd == pytest.approx(calls), "gemini-3.8-flash doubles, the machine that decodes does not"
    assert amounts["workload: demand"] == pytest.approx(found.before.total_usd + calls), "and then twice the cameras"
    assert amounts["sample_frames"] < 0


def test_a_fact_that_goes_is_a_cause_of_its_own() -> None:
    before = opened("elearning", "plan.stages=[{stage: route}, {stage: call, lane: main, model: gemini-2.5-pro},"
                    " {stage: call, lane: easy, model: gemini-2.5-flash}]")  # fmt: skip
    after = opened("elearning", "facts={}", "plan.stages=[{stage: route}, {stage: call, lane: main, model: gemini-2.5-pro},"
                   " {stage: call, lane: easy, model: gemini-2.5-flash}]")  # fmt: skip
    found = difference(before, after)
    assert list(causes(found)) == ["fact: route.easy_share"]
    assert found.by_lever[0].changes == ("route.easy_share 0.7 (given, 0.5 to 0.9) -> 0.9 (published, 0.6 to 0.95)",)


def test_a_host_that_takes_over_needs_its_fact_before_and_leaves_it_behind() -> None:
    hosted = opened("self-hosted")
    billed = replace(hosted, plan=Plan(stages=(*hosted.plan.stages[:2], Call(model="aws/rekognition/group2"))))
    billed = replace(billed, facts=opened("speech").facts)
    for before, after in ((hosted, billed), (billed, hosted)):
        assert "open_model" in causes(difference(before, after)), "a machine of your own in place of a rented model"


def test_what_cannot_be_priced_alone_shares_a_row() -> None:
    before = replace(opened("speech"), plan=Plan(stages=(Call(model="openai/whisper-1", part="audio"),)))
    wrong = replace(before, plan=Plan(stages=(Call(model="openai/whisper-1", part="audio", mode="batch"),)))
    with pytest.raises(UnpricedError, match="no batch price") as stop:
        difference(before, wrong)
    assert stop.value.where.startswith(before.where)
    after = replace(before, plan=Plan(stages=(Call(model="groq/whisper-large-v3", part="audio", mode="batch"),)))
    names = list(causes(difference(before, after)))
    assert names == ["plan: call.model", "batch_api"]
    names = list(causes(difference(after, before)))
    assert names == ["plan: call.model + batch_api"]


def test_free_tiers_and_private_prices_are_causes() -> None:
    case = opened("self-hosted")
    paid = replace(case, account=Account(free_tiers=False))
    assert set(causes(difference(case, paid))) == {"account"}
    moderation = opened("moderation")
    (cause,) = difference(moderation, replace(moderation, book=Book(moderation.day))).without_effect
    assert cause.name == "prices: private"


def test_a_lever_that_is_only_set_otherwise_is_changed() -> None:
    case = opened("telemedicine")
    plan = Plan(stages=(Sample(fps=0.05), *case.plan.stages[1:]))
    (cause,) = difference(case, replace(case, plan=plan)).by_lever
    assert (cause.lever, cause.direction, cause.changes) == ("sample_frames", "changed", ("sample.fps 0.1 -> 0.05",))


def test_a_mode_for_some_calls_only_is_still_that_lever() -> None:
    case = opened("moderation-today")
    calls = (
        Call(lane="main", model="gemini-2.5-pro", part="video"),
        Call(lane="easy", model="gemini-2.5-flash", part="video"),
    )
    routed = replace(case, plan=Plan(stages=(Route(), *calls)))
    batch = replace(case, plan=Plan(stages=(Route(), calls[0], replace(calls[1], mode="batch"))))
    (cause,) = difference(routed, batch).by_lever
    assert (cause.lever, cause.direction) == ("batch_api", "pulled")
    assert cause.changes == ("call[easy].mode standard -> batch",)
    (cause,) = difference(batch, routed).by_lever
    assert (cause.lever, cause.direction) == ("batch_api", "let go")


def test_settings_of_no_lever_are_named_as_such() -> None:
    case = opened("surveillance")
    gated = Plan(stages=(Gate(), *case.plan.stages))
    padded = Plan(stages=(Gate(join_seconds=9.0), *case.plan.stages))
    (cause,) = difference(replace(case, plan=gated), replace(case, plan=padded)).without_effect
    assert (cause.kind, cause.lever, cause.name) == ("plan", None, "plan: gate.join_seconds")
    asked = Plan(stages=(case.plan.stages[0], Prompt(question=10.0), case.plan.stages[1]))
    (cause,) = difference(case, replace(case, plan=asked)).by_lever
    assert cause.kind in {"plan", "lever"}
    assert cause.changes == ("prompt added: question 10",)


def test_an_infeasible_plan_is_said() -> None:
    case = opened("conferencing")
    late = replace(case, plan=find("batch_api").apply(case.plan))
    found = difference(case, late)
    assert found.became_infeasible
    assert found.after.why
    assert not difference(late, case).became_infeasible


def test_a_dated_price_ahead_is_said() -> None:
    case = opened("conferencing")
    (step,) = difference(opened("moderation-today"), case).ahead
    assert step.day == "2027-01-01"
    assert step.total_usd == pytest.approx(2 * step.change_usd)
    later = replace(case, book=Book(dt.date(2027, 1, 2)), day=dt.date(2027, 1, 2))
    assert difference(case, later).ahead == ()


def test_a_feature_comes_and_goes() -> None:
    case = opened("speech")
    new = difference(None, case)
    assert causes(new) == {"feature: new": pytest.approx(new.after.total_usd)}
    assert new.change_share is None
    gone = difference(case, None)
    assert gone.change_usd == -new.change_usd
    assert gone.change_share == -1
    assert difference(None, None).change_share == 0


def test_the_gate() -> None:
    found = difference(opened("speech"), opened("speech", "demand.hours=8800"))
    assert above(found) == ()
    assert above(found, share=0.1) == (), "a tenth more is not more than a tenth"
    assert "+10.00% is above the 9% allowed" in above(found, share=0.09)[0]
    assert above(found, usd=found.change_usd) == ()
    assert len(above(found, share=0.0, usd=0.0)) == 2
    assert above(difference(opened("speech", "demand.hours=8800"), opened("speech")), share=0.0, usd=0.0) == ()
    assert "from nothing" in above(difference(None, opened("speech")), share=1000.0)[0]
    empty = opened("speech", "demand.hours=0")
    assert "from nothing" in above(difference(empty, opened("speech")), share=0.1)[0]
    assert above(difference(empty, empty), share=0.0, usd=0.0) == ()
