"""The search is exact: it prices every combination, in bulk as one by one, and takes nothing unknown for good."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise import search as module
from reelwise.case import Case, make
from reelwise.errors import InputError
from reelwise.evidence import Fact
from reelwise.facts import Entry, settings_hash
from reelwise.levers import Lever, kinds
from reelwise.levers.pay_less.batch_api import BatchApi
from reelwise.levers.process_less.downscale import Downscale
from reelwise.levers.process_less.sample_frames import SampleFrames
from reelwise.levers.process_less.trim_prompt import TrimPrompt
from reelwise.levers.smaller_model.cascade import Cascade
from reelwise.levers.smaller_model.route import Route as RouteLever
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.search import price_many, search
from reelwise.stages import Call, Prompt, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence


def opened(**fields: Any) -> Case:
    tree: dict[str, Any] = {
        "feature": "search",
        "demand": {"hours": 100},
        "lengths": [{"seconds": 30, "share": 0.5}, {"seconds": 600, "share": 0.5}],
        "prompt": {"prefix": 2000, "question": 100, "output": 400},
        "model": "gemini-2.5-pro",
        "latency": "day",
        "day": "2026-11-22",
        **fields,
    }
    return make(tree, where="job.yaml")


def quality(**values: float) -> dict[str, float]:
    return {f"quality.{name}": value for name, value in values.items()}


KNOWN = quality(downscale=0.97, sample_frames=0.9, route=0.95, trim_prompt=0.99, cascade=0.98)
OFFERED: tuple[Lever, ...] = (SampleFrames(), Downscale(), TrimPrompt(), RouteLever(), Cascade(), BatchApi())


def brute_force(case: Case, levers: Sequence[Lever]) -> list[tuple[float, float | None, bool, Plan]]:
    """Price each combination one by one, each lever where it applies in place."""
    found = []
    for picks in product([False, True], repeat=len(levers)):
        pulled: list[Lever] = []
        plan = case.plan
        fits = True
        for lever, picked in zip(levers, picks, strict=True):
            if not picked:
                continue
            fits &= lever.applies(case.workload, plan, case.facts, case.book).ok
            fits &= not any(o.name in lever.excludes or lever.name in o.excludes for o in pulled)
            plan = lever.apply(plan)
            pulled.append(lever)
        if not fits:
            continue
        bill = price_one(case.workload, plan, case.facts, case.book, case.account)
        kept: float | None = 1.0
        for lever in pulled:
            known = module.quality_of(case, lever)
            kept = None if kept is None or known is None else kept * known
        found.append((float(bill.total_usd), kept, bill.feasible, plan))
    return found


@pytest.mark.parametrize("floor", [None, 0.8, 0.93, 0.999])
@pytest.mark.parametrize("latency", ["day", "minutes"])
@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gpt-4o"])
def test_the_best_is_the_best_of_all_combinations(floor: float | None, latency: str, model: str) -> None:
    case = opened(facts=KNOWN, latency=latency, model=model)
    every = brute_force(case, OFFERED)
    result = search(case, OFFERED, quality_floor=floor)
    allowed = [usd for usd, kept, feasible, _ in every if feasible and kept is not None and kept >= (floor or 0)]
    assert result.looked_at == len({plan for *_, plan in every})
    assert result.infeasible == len({plan for _, _, feasible, plan in every if not feasible})
    if not allowed:
        assert result.best is None
        return
    assert result.best is not None
    assert result.best.usd_month == pytest.approx(min(allowed))
    own = price_one(case.workload, result.best.plan, case.facts, case.book, case.account)
    assert float(own.total_usd) == pytest.approx(result.best.usd_month)
    assert own.feasible


def test_no_combination_beats_one_of_the_front_and_none_of_it_is_missing() -> None:
    case = opened(facts=KNOWN)
    every = [(usd, kept) for usd, kept, feasible, _ in brute_force(case, OFFERED) if feasible and kept is not None]
    front = [(choice.usd_month, choice.quality) for choice in search(case, OFFERED).front]
    assert front == sorted(front), "cheapest first"
    for usd, kept in front:
        assert kept is not None
        assert not [one for one in every if one[0] <= usd - 1e-9 and one[1] >= kept]
        assert not [one for one in every if one[0] <= usd + 1e-9 and one[1] > kept + 1e-12]
    for usd, kept in every:
        assert any(one[0] <= usd + 1e-9 and (one[1] or 0) >= kept - 1e-12 for one in front)


def test_of_two_that_cost_the_same_only_the_better_is_on_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(facts=KNOWN)
    real = module.price_many

    def flat(*args: Any) -> Any:
        usd, feasible, ms = real(*args)
        return usd * 0 + 5.0, feasible, ms

    monkeypatch.setattr(module, "price_many", flat)
    (only,) = search(case, OFFERED).front
    assert only.quality == 1


# What nobody knows


def test_unknown_quality_is_left_out_under_a_floor_and_named() -> None:
    case = opened(facts=quality(downscale=0.97))
    result = search(case, OFFERED, quality_floor=0.5)
    assert result.best is not None
    names = {name for name, _ in result.best.levers}
    assert names <= {"downscale", "batch_api"}
    assert result.cheapest_unknown is not None
    assert result.cheapest_unknown.quality is None
    assert result.cheapest_unknown.usd_month < result.best.usd_month
    assert all(choice.quality is not None for choice in result.front)


def test_without_a_floor_the_cheapest_wins_and_says_that_its_quality_is_unknown() -> None:
    best = search(opened(), OFFERED).best
    assert best is not None
    assert best.quality is None


def test_levers_that_change_no_answer_need_no_measurement() -> None:
    best = search(opened(), (BatchApi(),), quality_floor=1.0).best
    assert best is not None
    assert best.quality == 1
    assert [name for name, _ in best.levers] == ["batch_api"]


def test_quality_is_known_for_the_setting_it_was_measured_at() -> None:
    case = opened(
        facts=quality(downscale=0.97) | {"quality.downscale.long_side=512": 0.8, "quality.sample_frames": 0.9}
    )
    assert module.quality_of(case, Downscale()) == 0.97
    assert module.quality_of(case, Downscale(long_side=512)) == 0.8
    assert module.quality_of(case, Downscale(long_side=1280)) is None
    assert module.quality_of(case, SampleFrames()) == 0.9
    assert module.quality_of(case, SampleFrames(fps=0.1)) is None


def test_a_floor_in_the_file_holds() -> None:
    case = opened(facts=KNOWN, quality_floor=0.96)
    best = search(case, OFFERED).best
    assert best is not None
    assert best.quality is not None
    assert best.quality >= 0.96


def test_all_levers_with_all_their_offers_can_be_searched() -> None:
    result = search(opened())
    assert result.looked_at > 100
    assert result.best is not None
    assert result.best.usd_month <= result.naive_usd_month
    assert {name for name, _ in result.left_out} >= {name for name, kind in kinds().items() if not kind().is_priced}


def test_too_many_combinations_are_an_error_and_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 40)
    with pytest.raises(InputError, match="more than 40 combinations") as caught:
        search(opened())
    assert "--levers" in caught.value.hint
    assert search(opened(), OFFERED[:3]).looked_at == 8


# Many at once

RATES = st.floats(0.01, 30)
CAPS = st.none() | st.floats(1, 5000)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    plan = Plan(
        stages=(
            Call(
                model=draw(st.sampled_from(["gemini-2.5-pro", "gpt-4o", "gemini-2.5-flash"])),
                part=draw(st.sampled_from(["auto", "images"])),
                mode=draw(st.sampled_from(["standard", "batch"])),
                cache=draw(st.sampled_from(["none", "prefix"])),
                chunk=draw(st.sampled_from(["none", "below_cliff", 60.0])),
            ),
        )
    )
    if draw(st.booleans()):
        plan = plan.put(Sample(fps=draw(RATES), adaptive=draw(st.booleans())))
    if draw(st.booleans()):
        plan = plan.put(Prompt(prefix=draw(CAPS), output=draw(CAPS)))
    return plan


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(plans(), min_size=1, max_size=12), st.sampled_from(["day", "seconds"]))
def test_plans_priced_together_cost_what_each_costs_alone(many: list[Plan], latency: str) -> None:
    case = opened(latency=latency, facts={"sample.frames_per_second": 0.3})
    usd, feasible, ms = price_many(case.workload, many, case.facts, case.book, case.account)
    for index, plan in enumerate(many):
        bill = price_one(case.workload, plan, case.facts, case.book, case.account)
        assert usd[index] == pytest.approx(float(bill.total_usd), rel=1e-12)
        assert ms[index] == pytest.approx(bill.latency_ms, rel=1e-12)
        assert bool(feasible[index]) == bill.feasible


def test_a_rate_that_was_measured_is_used_in_bulk_too() -> None:
    case = opened()
    measured = [
        Entry(
            name="sample.uniform_frames_per_second", settings=settings_hash(Sample(fps=fps)), source_class="search",
            fact=Fact(value=fps * 0.8, kind="measured"),
        )
        for fps in (0.5, 1.0)
    ]  # fmt: skip
    facts = case.facts.with_entries(measured)
    many = [case.plan.put(Sample(fps=fps)) for fps in (0.5, 1.0, 2.0)]
    usd, _, _ = price_many(case.workload, many, facts, case.book, case.account)
    assert usd == pytest.approx([float(price_one(case.workload, p, facts, case.book).total_usd) for p in many])
    plain, _, _ = price_many(case.workload, many, case.facts, case.book, case.account)
    assert list(usd < plain) == [True, True, False]


def test_hosts_are_priced_in_bulk_as_alone() -> None:
    case = opened(
        kind="segment",
        plan={"stages": [{"stage": "call", "host": "own"}], "hosts": [{"name": "own", "sku": "aws/g4dn.xlarge"}]},
        facts={"host.own.frames_per_second": 15},
        model=None,
    )
    many = [case.plan.put(Sample(fps=fps)) for fps in (0.5, 5.0, 30.0)]
    usd, _, _ = price_many(case.workload, many, case.facts, case.book, case.account)
    assert list(usd) == [float(price_one(case.workload, p, case.facts, case.book).total_usd) for p in many]
