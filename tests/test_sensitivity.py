"""How sure a bill is, and which fact moves it."""

from __future__ import annotations

from typing import Any

import pytest

from reelwise.case import Case, make
from reelwise.price import cost_per_user, price_one
from reelwise.sensitivity import Band, Swing, band, band_per_user, tornado


def opened(**fields: Any) -> Case:
    tree = {"feature": "search", "demand": {"hours": 100}, "model": "gemini-2.5-pro", "day": "2026-11-22", **fields}
    return make(tree, where="job.yaml")


def swings(case: Case) -> dict[str, Swing]:
    found = tornado(case.workload, case.plan, case.facts, case.book, case.account)
    widths = [abs(one.usd_high - one.usd_low) for one in found]
    assert widths == sorted(widths, reverse=True)
    return {one.fact: one for one in found}


def whole(case: Case) -> float:
    return float(price_one(case.workload, case.plan, case.facts, case.book, case.account).total_usd)


def bounds(case: Case, **options: Any) -> Band:
    return band(case.workload, case.plan, case.facts, case.book, case.account, **options)


GATED = {
    "plan": {
        "stages": [{"stage": "gate", "at": "edge"}, {"stage": "call", "model": "gemini-2.5-pro", "part": "video"}]
    },
    "facts": {"gate.active_share": {"value": 0.1, "low": 0.05, "high": 0.2}},
    "model": None,
}


def test_facts_that_do_nothing_are_no_bars() -> None:
    case = opened(facts={"gate.active_share": {"value": 0.5, "low": 0.1, "high": 0.9}})
    assert swings(case) == {}


def test_the_elasticity_of_demand_is_one() -> None:
    case = opened(demand={"hours": 100, "low": 0.5, "high": 2})
    bar = swings(case)["demand.factor"]
    assert bar.elasticity == pytest.approx(1)
    assert (bar.usd_low, bar.usd_high) == (pytest.approx(whole(case) / 2), pytest.approx(whole(case) * 2))


def test_a_bar_reaches_from_the_bill_at_low_to_the_bill_at_high() -> None:
    case = opened(**GATED)
    bar = swings(case)["gate.active_share"]
    for value, usd in ((0.05, bar.usd_low), (0.2, bar.usd_high)):
        fixed = opened(**{**GATED, "facts": {"gate.active_share": value}})
        assert usd == pytest.approx(whole(fixed))
    assert bar.elasticity == pytest.approx(1, abs=0.15), "whole frames: one percent more seconds may be two more frames"
    assert (bar.kind, bar.source) == ("given", "")


def test_a_fact_of_0_that_may_be_more_is_a_bar() -> None:
    case = opened(
        plan={"stages": [{"stage": "call", "model": "claude-opus-5-5", "part": "images", "cache": "prefix"}]},
        prompt={"prefix": 5000},
        facts={"cache.prefix_hit_share": {"value": 0.0, "low": 0.0, "high": 0.9}},
        model=None,
    )
    bar = swings(case)["cache.prefix_hit_share"]
    assert bar.usd_high < bar.usd_low == pytest.approx(whole(case))
    assert bar.elasticity == 0


def test_the_elasticity_of_a_share_of_1_is_taken_from_below() -> None:
    case = opened(**{**GATED, "facts": {"gate.active_share": {"value": 1.0, "low": 0.5}}})
    assert swings(case)["gate.active_share"].elasticity == pytest.approx(1, abs=0.05)


def test_without_uncertainty_the_band_is_the_total() -> None:
    case = opened()
    assert bounds(case) == Band(whole(case), whole(case), whole(case))


def test_a_band_holds_the_total_and_widens_with_what_is_not_known() -> None:
    def width(low: float, high: float) -> float:
        case = opened(demand={"hours": 100, "low": low, "high": high})
        found = bounds(case)
        assert found.p10 <= found.p50 <= found.p90
        assert found.p50 == pytest.approx(whole(case), rel=0.05)
        return found.p90 - found.p10

    assert 0 < width(0.9, 1.1) < width(0.7, 1.5)


def test_the_percentiles_are_those_of_the_fact() -> None:
    found = bounds(opened(demand={"hours": 100, "low": 0.5, "high": 1.5}))
    total = whole(opened())
    assert found.p90 == pytest.approx(total * (1 + 0.5 / 1.6448536 * 1.2815516), rel=0.03)
    assert found.p10 == pytest.approx(total * (1 - 0.5 / 1.6448536 * 1.2815516), rel=0.05)


def test_a_band_is_the_same_every_time() -> None:
    case = opened(**GATED)
    assert bounds(case, draws=200) == bounds(case, draws=200)


CLASSES = {
    "classes": [
        {"name": "free", "users": 1600, "sessions": 2, "seconds": 60, "spread": 1.0},
        {"name": "paying", "users": 100, "sessions": 40, "seconds": 600},
    ]
}


def users(case: Case) -> dict[str, Band]:
    return band_per_user(case.workload, case.plan, case.facts, case.book, case.account)


def test_each_class_of_users_has_its_own_band() -> None:
    case = opened(demand=CLASSES)
    found = users(case)
    assert set(found) == {"free", "paying"}
    assert found["paying"].p10 == pytest.approx(found["paying"].p90), "all alike, and nothing uncertain"
    assert found["free"].p90 > 5 * found["free"].p10, "light and heavy users"
    assert found["paying"].p50 > found["free"].p90


def test_classes_sum_to_the_bill() -> None:
    case = opened(demand=CLASSES)
    bill = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    per_user = cost_per_user(case.workload, bill)
    spent = per_user["free"][0].mean() * 1600 + float(per_user["paying"][0]) * 100  # type: ignore[union-attr]
    assert spent == pytest.approx(whole(case))


def test_what_is_not_known_widens_every_users_band() -> None:
    sure, unsure = opened(demand=CLASSES), opened(demand={**CLASSES, "low": 0.5, "high": 2})
    for name in ("free", "paying"):
        assert users(unsure)[name].p90 > users(sure)[name].p90
        assert users(unsure)[name].p10 < users(sure)[name].p10


def test_a_demand_without_classes_has_no_users_to_split() -> None:
    assert users(opened()) == {}


def test_a_slow_host_is_never_drawn_as_one_that_stands_still() -> None:
    case = opened(
        kind="segment",
        plan={
            "stages": [{"stage": "call", "host": "own"}],
            "hosts": [{"name": "own", "sku": "aws/g4dn.xlarge", "scale": "auto"}],
        },
        facts={"host.own.frames_per_second": {"value": 15, "low": 2, "high": 20}},
        model=None,
    )
    found = bounds(case)
    assert 0 < found.p10 < found.p90 < whole(case) * 75
