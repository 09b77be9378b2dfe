"""Machines by the hour: whole ones for the peak, spare ones, only busy ones, and busy seconds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.account import Account
from reelwise.errors import InputError
from reelwise.evidence import ASSUMED, GIVEN, Fact
from reelwise.facts import Entry, Facts
from reelwise.fleet import Work, fleet_of
from reelwise.hosts import Host
from reelwise.plan import Plan
from reelwise.price import price, price_one
from reelwise.rates import Book
from reelwise.sensitivity import band
from reelwise.stages import Call, Gate, Sample
from reelwise.units import HOURS_A_MONTH
from reelwise.workload import Demand, Length, Source, Workload

BOOK = Book.load(dt.date(2026, 11, 22))
T4_USD = 0.526
HOST = Host(name="own", sku="aws/g4dn.xlarge")


def facts(fps: float) -> Facts:
    return Facts.load({"host.own.frames_per_second": Fact(value=fps)})


def hours(host: Host, frames_a_second: Any, *, fps: float = 15.0, peak: float = 1.0, unit: str = "hour") -> Any:
    fleet = fleet_of(host, Work(frames=frames_a_second * 3600 * HOURS_A_MONTH, peak=peak), facts(fps))
    (usage,) = fleet.usages(None, unit)
    return usage.quantity


def test_34_machines_for_30_000_images_a_minute() -> None:
    assert BOOK.rate("aws/g4dn.xlarge").usd == T4_USD
    running = hours(HOST, 30_000 / 60) / HOURS_A_MONTH
    assert running == 34
    assert running * T4_USD == pytest.approx(17.884)


def test_3_for_45_frames_a_second_and_a_spare_one() -> None:
    assert hours(HOST, 45.0) == 3 * HOURS_A_MONTH
    assert hours(replace(HOST, spare=1), 45.0) == 4 * HOURS_A_MONTH


def test_a_million_frames_at_full_use() -> None:
    (usage,) = fleet_of(replace(HOST, scale="auto"), Work(frames=1e6, peak=9), facts(15)).usages(None, "hour")
    assert float(usage.quantity) * T4_USD == pytest.approx(9.7407, abs=1e-4)


def test_the_peak_the_planned_use_and_the_minimum_count() -> None:
    assert hours(HOST, 45.0, peak=1.5) == 5 * HOURS_A_MONTH
    assert hours(replace(HOST, utilisation=0.5), 45.0) == 6 * HOURS_A_MONTH
    assert hours(replace(HOST, minimum=9), 45.0) == 9 * HOURS_A_MONTH
    assert hours(replace(HOST, minimum=2), 0.0) == 2 * HOURS_A_MONTH
    assert hours(HOST, 0.0) == 0


def test_serverless_bills_busy_seconds_only() -> None:
    host = replace(HOST, scale="serverless", spare=3, minimum=3)
    assert hours(host, 30.0, peak=5, unit="second") == pytest.approx(2 * HOURS_A_MONTH * 3600)
    assert hours(host, 30.0, peak=5) == pytest.approx(2 * HOURS_A_MONTH)
    assert hours(host, 0.0) == 0


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=5), st.sampled_from(["fixed", "auto", "serverless"]))
def test_draws_are_scaled_one_by_one(rates: list[float], scale: Any) -> None:
    host = replace(HOST, scale=scale, spare=1, minimum=2)
    together = hours(host, np.array(rates), peak=1.3)
    assert together == pytest.approx(np.array([hours(host, rate, peak=1.3) for rate in rates]))


def test_the_evidence_of_speed_joins_that_of_the_frames() -> None:
    (usage,) = fleet_of(HOST, Work(frames=1.0, basis=ASSUMED), facts(15)).usages(None, "hour")
    assert usage.basis == ASSUMED | GIVEN
    assert (usage.sku, usage.unit, usage.stage, usage.lane) == ("aws/g4dn.xlarge", "hour", "host", "own")


def test_a_speed_nobody_knows_is_an_error() -> None:
    with pytest.raises(InputError, match=r"host\.own\.frames_per_second"):
        fleet_of(HOST, Work(frames=1.0), Facts.load())


# In a bill

JOB = Workload(feature="a", demand=Demand(hours=HOURS_A_MONTH), source=Source(fps=10.0), kind="segment")
PLAN = Plan(stages=(Call(host="own"),), hosts=(HOST,))


def test_features_share_machines() -> None:
    two = price(((JOB, PLAN), (replace(JOB, feature="b"), PLAN)), facts(15), BOOK)
    (line,) = two.lines
    assert line.quantity == 2 * HOURS_A_MONTH, "20 frames a second need two machines together, not one each"
    assert float(two.total_usd) == pytest.approx(2 * HOURS_A_MONTH * T4_USD)


def test_fewer_frames_need_fewer_machines() -> None:
    busy = replace(JOB, source=Source(fps=30.0))
    before = price_one(busy, PLAN, facts(15), BOOK)
    after = price_one(busy, PLAN.put(Sample(fps=15.0)), facts(15), BOOK)
    assert float(before.total_usd) / float(after.total_usd) == pytest.approx(2)


def test_a_drawn_speed_draws_the_bill() -> None:
    drawn = Facts((Entry(name="host.own.frames_per_second", fact=Fact(value=15, low=10, high=20)),)).draw(100)
    bill = price_one(
        JOB, replace(PLAN, hosts=(replace(HOST, scale="auto"),)), drawn.with_entries(Facts.load().entries), BOOK
    )
    totals = np.asarray(bill.total_usd)
    assert totals.shape == (100,)
    assert np.median(totals) == pytest.approx(HOURS_A_MONTH * T4_USD * 10 / 15, rel=0.1)


def test_the_minimum_runs_even_where_a_gate_leaves_nothing() -> None:
    plan = replace(PLAN, hosts=(replace(HOST, minimum=2),)).put(Gate())
    idle = Facts.load({"host.own.frames_per_second": Fact(value=15), "gate.active_share": Fact(value=0.0)})
    idle = idle.with_entries([Entry(name="gate.kept_share", fact=Fact(value=0.0))])
    bill = price_one(JOB, plan, idle, BOOK)
    assert {line.stage: float(line.quantity) for line in bill.lines if line.stage == "host"} == {
        "host": 2 * HOURS_A_MONTH
    }


def test_drawn_demand_and_drawn_speed_draw_one_bill_a_draw() -> None:
    plan = replace(PLAN, hosts=(replace(HOST, scale="auto"),))
    own = [
        Entry(name="host.own.frames_per_second", fact=Fact(value=15, low=12, high=20)),
        Entry(name="demand.factor", fact=Fact(value=1, low=0.8, high=1.2)),
    ]
    for lengths in ((), (Length(seconds=10, share=0.5), Length(seconds=50, share=0.5))):
        job = replace(JOB, lengths=lengths)
        for entries in (own, own[:1], [replace(own[0], fact=Fact(value=15)), own[1]]):
            known = Facts([*entries, *Facts.load().entries])
            whole = float(price_one(job, plan, known, BOOK).total_usd)
            found = band(job, plan, known, BOOK, Account(), draws=500)
            assert found.p10 < found.p50 < found.p90
            assert found.p50 == pytest.approx(whole, rel=0.05)
