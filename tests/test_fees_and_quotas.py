"""What is paid whatever is used, and how much a provider lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reelwise.account import Account, Limit
from reelwise.case import Case, make
from reelwise.edits import edits
from reelwise.errors import DocumentError
from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.fee import Fee
from reelwise.price import price, price_one
from reelwise.search import price_many

if TYPE_CHECKING:
    from reelwise.bill import Bill

JOB: dict[str, Any] = {
    "feature": "f", "day": "2026-11-22", "kind": "segment", "account": {"free_tiers": False}, "source": {"fps": 30, "audio": False},
    "demand": {"users": 100, "sessions": 30, "seconds": 10}, "latency": "seconds",
}  # fmt: skip
CALL = {"stage": "call", "model": "fal/sam-3"}


def opened(tree: dict[str, Any] | None = None, **more: Any) -> Case:
    return make({**JOB, **(tree or {}), **more}, where="job.yaml")


def bill(case: Case) -> Bill:
    return price_one(case.workload, case.plan, case.facts, case.book, case.account)


def with_fees(*fees: dict[str, Any]) -> Case:
    return opened(plan={"stages": [CALL], "fees": list(fees)})


def test_a_subscription_is_paid_on_top_and_said_to_be_one() -> None:
    plain, more = bill(opened(plan={"stages": [CALL]})), bill(with_fees({"name": "support plan", "usd_month": 50}))
    assert float(more.total_usd) == pytest.approx(float(plain.total_usd) + 50)
    (line,) = [line for line in more.lines if line.stage == "fee"]
    assert (line.sku, line.unit, line.calls) == ("fee/support plan", "month", 0)
    assert "fee/support plan" in line.explain()


@pytest.mark.parametrize(("least", "total"), [(100, 285), (285, 285), (500, 500)])
@pytest.mark.parametrize("of", ["fal", "fal/sam-3"])
def test_a_least_spend_bills_what_is_missing_to_it(least: float, total: float, of: str) -> None:
    case = with_fees({"name": "commitment", "usd_month": least, "minimum_of": of})
    assert float(bill(case).total_usd) == pytest.approx(total)


def test_spending_elsewhere_does_not_count_towards_a_least_spend() -> None:
    case = with_fees({"name": "commitment", "usd_month": 500, "minimum_of": "fa"})
    assert float(bill(case).total_usd) == pytest.approx(285 + 500), "fa is not fal"


def test_two_features_share_a_fee() -> None:
    case = with_fees(
        {"name": "support plan", "usd_month": 50}, {"name": "commitment", "usd_month": 600, "minimum_of": "fal"}
    )
    found = price(((case.workload, case.plan), (case.workload, case.plan)), case.facts, case.book, case.account)
    assert float(found.total_usd) == pytest.approx(600 + 50)


def test_fees_are_drawn_with_the_rest() -> None:
    case = with_fees({"name": "commitment", "usd_month": 500, "minimum_of": "fal"})
    factor = Entry(name="demand.factor", fact=Fact(value=1.0))
    facts = Facts((*case.facts.entries, factor), {factor: np.array([[0.5], [1.0], [4.0]])})
    assert price_one(case.workload, case.plan, facts, case.book, case.account).total_usd == pytest.approx(
        [500, 500, 1140]
    )


def test_a_changed_fee_is_a_step_of_its_own() -> None:
    before, after = opened(plan={"stages": [CALL]}).plan, with_fees({"name": "support plan", "usd_month": 50}).plan
    (step,) = edits(before, after)
    assert (step.setting, step.text, step.plan) == ("fees", "fees none -> support plan 50", after)


@pytest.mark.parametrize(
    "fees",
    [
        [{"name": "a", "usd_month": -1}],
        [{"name": "a/b", "usd_month": 1}],
        [{"name": "a", "usd_month": 1}, {"name": "a", "usd_month": 2}],
        [{"name": "a"}],
        [{"name": "a", "usd_month": 1, "each": 2}],
    ],
)
def test_fees_that_cannot_be(fees: list[dict[str, Any]]) -> None:
    with pytest.raises(DocumentError) as caught:
        with_fees(*fees)
    assert "fees" in caught.value.where
    assert caught.value.hint


def test_a_fee_covers_a_provider_or_a_card() -> None:
    fee = Fee(name="a", usd_month=1, minimum_of="fal")
    assert fee.covers("fal/sam-3")
    assert fee.covers("fal")
    assert not fee.covers("falcon/x")
    assert not Fee(name="a", usd_month=1).covers("fal")


# Quotas


def limited(model: str, **limit: float) -> dict[str, Any]:
    return {"model": model, "account": {"free_tiers": False, "limits": [{"model": model, **limit}]}}


@pytest.mark.parametrize(("quota", "fits"), [(1.37, True), (1.36, False)])
def test_pictures_a_second_in_the_busiest_hour_must_be_within_the_quota(quota: float, fits: bool) -> None:
    """900,000 pictures a month are 0.342 a second, four times as many at the peak: 1.3699."""
    case = opened(limited("aws/rekognition/group1", calls_per_second=quota), peak_over_mean=4)
    found = bill(case)
    assert found.feasible == fits
    assert fits or "1.37 calls a second at the peak, the quota of aws/rekognition/group1 is 1.36" in found.why[0]


def test_a_live_stream_sends_its_frames_even_when_it_is_alone() -> None:
    case = opened(limited("aws/rekognition/group1", calls_per_second=20), latency="realtime")
    assert any("30 calls a second" in reason for reason in bill(case).why)
    more = opened(limited("aws/rekognition/group1", calls_per_second=80), latency="realtime", peak_streams=3)
    assert any("90 calls a second" in reason for reason in bill(more).why)


def test_a_video_is_one_call_and_tokens_are_counted_by_the_minute() -> None:
    assert bill(opened(limited("aws/rekognition/video-stored", calls_per_second=0.002))).feasible
    tree = limited("gemini-2.5-flash", tokens_per_minute=100)
    assert "tokens a minute" in bill(opened(tree, kind="understand")).why[0]


def test_features_share_a_quota() -> None:
    case = opened(limited("aws/rekognition/group1", calls_per_second=0.5))
    assert bill(case).feasible
    both = price(((case.workload, case.plan), (case.workload, case.plan)), case.facts, case.book, case.account)
    assert not both.feasible


def test_a_search_knows_quotas_too() -> None:
    case = opened(limited("aws/rekognition/group1", calls_per_second=0.2))
    sampled = opened(
        plan={"stages": [{"stage": "sample", "fps": 15}, {"stage": "call", "model": "aws/rekognition/group1"}]}
    ).plan
    _, feasible, _ = price_many(case.workload, [case.plan, sampled], case.facts, case.book, case.account)
    assert list(feasible) == [False, True]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(DocumentError) as caught:
        opened(account={"limits": [{"model": "fal/sam-3"}]})
    assert caught.value.where == "job.yaml $.account.limits[0]"
    assert not Account().limits
    assert Limit(model="a", calls_per_second=1).source == ""


# Whether frames come in time


def test_a_live_stream_waits_for_what_one_call_covers() -> None:
    def answer(model: str, **call: Any) -> float:
        return bill(opened(plan={"stages": [{"stage": "call", "model": model, **call}]}, latency="realtime")).latency_ms

    assert answer("aws/rekognition/group1") == pytest.approx(400)
    assert answer("fal/sam-3") == pytest.approx(10_400), "a file is answered when all of it is there"
    assert answer("fal/sam-3", chunk=1) == pytest.approx(1400)
    assert answer("google/video-intelligence/label-streaming") == pytest.approx(400)
    later = opened(plan={"stages": [{"stage": "call", "model": "fal/sam-3"}]}, latency="seconds")
    assert bill(later).latency_ms == pytest.approx(400), "an upload is there already"


def test_pieces_of_a_video_are_calls_each_with_whole_blocks() -> None:
    usd = [
        float(bill(opened(plan={"stages": [{"stage": "call", "model": "fal/sam-3", "chunk": chunk}]})).total_usd) / 3000
        for chunk in ("none", 5, 1)
    ]
    assert usd == pytest.approx([19 * 0.005, 2 * 10 * 0.005, 10 * 2 * 0.005])


def hosted(**host: Any) -> dict[str, Any]:
    return {
        "plan": {
            "stages": [{"stage": "call", "host": "h"}],
            "hosts": [{"name": "h", "sku": "aws/g4dn.xlarge", **host}],
        },
        "facts": {"host.h.frames_per_second": 15},
        "latency": "realtime",
    }


def test_a_stream_that_stays_on_a_machine_needs_one_that_keeps_up() -> None:
    slow = bill(opened(hosted(streams=1)))
    assert "the source's 30 frames a second are not reached: one aws/g4dn.xlarge does 15" in slow.why[0]
    assert bill(opened(hosted())).feasible, "spread over two machines it is"
    assert bill(opened(hosted(streams=1), source={"fps": 15})).feasible
    assert bill(opened(hosted(streams=1), latency="seconds")).feasible, "what is no live stream may take longer"


def test_a_frame_to_the_cloud_and_back_takes_its_time() -> None:
    device = hosted(sku="nvidia/jetson-orin-nano-super", scale="device")
    assert bill(opened(hosted(), source={"fps": 15})).latency_ms == pytest.approx(1000 / 15 + 50)
    assert bill(opened(device, source={"fps": 15})).latency_ms == pytest.approx(1000 / 15)


def test_a_machine_that_starts_when_it_is_needed_is_late_for_a_live_frame() -> None:
    cold = opened(hosted(scale="serverless", sku="modal/t4"))
    assert "wait about 3 s for a machine to start" in bill(cold).why[0]
    one = bill(opened(hosted(scale="auto", sku="modal/t4", minimum=1), source={"fps": 15}))
    assert "1.1% of sessions wait" in one.why[0], "one is always on, and sometimes taken"
    assert "minimum: 2" in one.why[0]
    assert bill(opened(hosted(scale="auto", sku="modal/t4", minimum=2), source={"fps": 15})).feasible
    wide = bill(opened(hosted(scale="auto", sku="modal/t4", minimum=2)))
    assert "minimum: 4" in wide.why[0], "a stream of 30 frames a second takes two machines of 15"
    assert bill(opened(hosted(scale="auto", sku="modal/t4", minimum=4))).feasible
    busy = {"users": 1e7, "sessions": 30, "seconds": 10}
    assert bill(
        opened(hosted(scale="serverless", sku="modal/t4", streams=1000), demand=busy, source={"fps": 0.01})
    ).feasible


def test_traffic_by_the_frame_follows_what_is_sampled() -> None:
    tree = {
        "plan": {
            "stages": [
                {"stage": "sample", "fps": 15},
                {"stage": "send", "frame_megabytes": 0.02},
                {"stage": "call", "model": "aws/rekognition/group1"},
            ]
        }
    }
    (line,) = [line for line in bill(opened(tree)).lines if line.stage == "send"]
    assert float(line.quantity) == pytest.approx(3000 * 150 * 0.02 / 1000)
