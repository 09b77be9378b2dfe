"""Deployments side by side: what they cost, which can do the job, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reelwise.case import Case, load, make, with_option
from reelwise.compare import Comparison, Offer, compare
from reelwise.compare.defaults import default_options
from reelwise.compare.side_by_side import MOST_OPTIONS
from reelwise.errors import DocumentError, InputError, UnknownModelError
from reelwise.evidence import Fact
from reelwise.evidence_store import Measurement, write_measurement
from reelwise.facts import Entry
from reelwise.price import price_one

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "segmentation.yaml"
JOB: dict[str, Any] = {
    "feature": "blur", "kind": "segment", "latency": "realtime", "day": "2026-11-22", "account": {"free_tiers": False},
    "source": {"width": 1280, "height": 720, "fps": 15, "audio": False}, "demand": {"users": 100, "sessions": 30, "seconds": 10},
    "facts": {"host.t4.frames_per_second": {"value": 15, "low": 10, "high": 30}},
}  # fmt: skip
T4 = {"name": "t4", "sku": "aws/g4dn.xlarge"}


def opened(**more: Any) -> Case:
    return make({**JOB, **more}, where="job.yaml")


def compared(options: list[dict[str, Any]], **more: Any) -> Comparison:
    return compare(opened(options=options, **more))


def offer(found: Comparison, name: str) -> Offer:
    return next(one for one in found.options if one.name == name)


@pytest.fixture(scope="module")
def example() -> Comparison:
    return compare(load(EXAMPLE))


def test_every_sort_of_deployment_is_in_the_example(example: Comparison) -> None:
    assert {one.kind for one in example.options} == {
        "image_api", "video_api", "block_api", "token_model", "own_gpu", "accelerator", "serverless", "on_device", "hybrid",
    }  # fmt: skip


def test_each_reason_is_in_the_example(example: Comparison) -> None:
    reasons = " ".join(reason for one in example.options for reason in one.why)
    for part in (
        "latency class",
        "its quality is 0.93, the floor is 0.95",
        "for a machine to start",
        "assumed until measured",
    ):
        assert part in reasons
    assert offer(example, "image API, every frame").is_now


def test_what_can_do_the_job_comes_first_and_each_from_the_cheapest_up(example: Comparison) -> None:
    assert [one.feasible for one in example.options] == sorted((one.feasible for one in example.options), reverse=True)
    for able in (True, False):
        amounts = [one.usd_per_month or 0.0 for one in example.options if one.feasible is able]
        assert amounts == sorted(amounts)


def test_price_says_the_same_of_every_option(example: Comparison, tmp_path: Path) -> None:
    case = load(EXAMPLE)
    for option in case.options:
        found = offer(example, option.name)
        own = load(EXAMPLE, option=option.name)
        bill = price_one(own.workload, own.plan, own.facts, own.book, own.account)
        assert float(bill.total_usd) == found.usd_per_month, option.name
        assert own.plan.hash == found.plan_hash
        plan = tmp_path / "plan.yaml"
        plan.write_text(yaml.safe_dump(msgspec.to_builtins(found.plan)))
        whole = load(EXAMPLE, plan=plan)
        again = price_one(whole.workload, whole.plan, whole.facts, whole.book, whole.account)
        assert float(again.total_usd) == found.usd_per_month, "the plan alone has the same price"


def test_amounts_are_of_the_same_month(example: Comparison) -> None:
    for one in example.options:
        usd = one.usd_per_month or 0.0
        assert (one.usd_per_session or 0.0) * 3000 == pytest.approx(usd)
        assert (one.usd_per_minute or 0.0) * 500 == pytest.approx(usd)
        assert (one.usd_per_frame or 0.0) * 900_000 == pytest.approx(usd)
        assert (one.usd_per_user or 0.0) * 100 == pytest.approx(usd)
        assert sum(line[3] for line in one.line_items) == pytest.approx(usd)
        assert one.band is not None
        assert one.band.p10 <= one.band.p90


def test_the_cheapest_by_volume_has_no_gaps_and_is_the_cheapest(example: Comparison) -> None:
    assert example.cheapest[0].low == pytest.approx(example.low)
    assert example.cheapest[-1].high == pytest.approx(example.high)
    for one, after in zip(example.cheapest[:-1], example.cheapest[1:], strict=True):
        assert one.high == after.low
        assert one.option != after.option
    now = next(one for one in example.cheapest if one.low <= example.volume <= one.high)
    assert now.option == example.options[0].name


def test_the_plan_of_the_file_is_among_them_once() -> None:
    options = [{"name": "video", "model": "aws/rekognition/video-stored"}]
    assert [one.name for one in compared(options, model="fal/sam-3", latency="seconds").options] == [
        "video",
        "as it is",
    ]
    same = compared([{"name": "blocks", "model": "fal/sam-3"}, *options], model="fal/sam-3", latency="seconds")
    assert [(one.name, one.is_now) for one in same.options] == [("video", False), ("blocks", True)]


def test_what_has_no_price_is_listed_with_what_is_missing() -> None:
    found = compared([
        {"name": "own", "host": {"name": "inf2", "sku": "aws/inf2.xlarge"}},
        {"name": "streaming", "model": "aws/rekognition/video-streaming"},
        {"name": "quantized", "host": {**T4, "variant": "quantized"}},
        {"name": "video", "model": "aws/rekognition/video-stored"},
    ])  # fmt: skip
    assert "host.inf2.frames_per_second" in offer(found, "own").why[0]
    assert "`reelwise bench-model`" in offer(found, "own").why[0]
    assert "no source for the streaming rate" in offer(found, "streaming").why[0]
    assert "`reelwise probe quantize MODEL CLIP` measures it" in offer(found, "quantized").why[0]
    for name in ("own", "streaming", "quantized"):
        one = offer(found, name)
        assert (one.usd_per_month, one.feasible, one.band) == (None, False, None)
        assert not [even for even in found.break_even if name in {even.a, even.b}]
    assert {one.name for one in found.options[-3:]} == {"own", "streaming", "quantized"}


def test_a_price_that_ends_ends_the_curve() -> None:
    """S3 has no sourced price above 50 TB: volumes beyond are not priced, and the pair still crosses below."""
    keep = {"stage": "keep", "days": 365}
    found = compared(
        [{"name": "kept", "model": "aws/rekognition/video-stored", "stages": [keep]}, {"name": "own", "host": {**T4}}],
        source={"fps": 15, "audio": False, "megabits_per_second": 100}, latency="seconds",
    )  # fmt: skip
    kept = next(line for line in found.curves if line.option == "kept" and line.axis == "volume")
    assert kept.usd[0] is not None
    assert kept.usd[-1] is None
    assert [even for even in found.break_even if even.axis == "volume" and {even.a, even.b} == {"kept", "own"}]


def test_the_quality_floor_is_held_against_what_is_known() -> None:
    options = [
        {"name": "good", "model": "aws/rekognition/video-stored", "quality": 0.97},
        {"name": "poor", "model": "aws/rekognition/video-stored", "fps": 5, "quality": {"value": 0.9, "source": "us"}},
        {"name": "unknown", "model": "fal/sam-3"},
        {"name": "measured", "model": "fal/sam-3.1", "quality": 0.5},
    ]
    facts = {**JOB["facts"], "quality.option.measured": {"value": 0.99, "kind": "measured"}}
    found = compared(options, quality_floor=0.95, latency="seconds", facts=facts)
    assert offer(found, "good").feasible
    assert offer(found, "poor").why == ("its quality is 0.9, the floor is 0.95",)
    assert offer(found, "unknown").why == ("nobody has measured its quality, and the floor is 0.95",)
    assert (offer(found, "measured").feasible, offer(found, "measured").quality) == (True, 0.99)
    assert offer(found, "as it is").feasible, "quality is relative to it"
    assert offer(compared(options, latency="seconds"), "unknown").feasible


def test_facts_of_an_option_hold_for_it_only() -> None:
    near = {"name": "near", "model": "aws/rekognition/group1", "facts": {"latency.overhead_ms": 90}}
    found = compared([near, {"name": "far", "model": "aws/rekognition/group1", "fps": 14}])
    assert offer(found, "near").feasible
    assert not offer(found, "far").feasible


def test_limits_of_an_option_end_where_it_is_the_cheapest() -> None:
    limit = {"model": "aws/rekognition/group1", "calls_per_second": 5}
    found = compared(
        [{"name": "api", "model": "aws/rekognition/group1", "limits": [limit]}, {"name": "own", "host": {**T4, "spare": 9}}],
        latency="seconds", model="aws/bedrock/stability-remove-background",
    )  # fmt: skip
    quota = 5 * 2_628_000 / 150
    assert offer(found, "api").feasible
    assert [one.option for one in found.cheapest][:2] == ["api", "own"]
    beyond = compared(
        [{"name": "api", "model": "aws/rekognition/group1", "limits": [limit]}], latency="seconds", model="aws/rekognition/group1",
    )  # fmt: skip
    assert beyond.cheapest[0].high == pytest.approx(quota, rel=1e-4)
    assert beyond.cheapest[1].option == "", "and none can beyond it"


def test_a_fee_counts_in_the_comparison() -> None:
    fee = {"name": "plan", "usd_month": 70}
    found = compared([{"name": "video", "model": "aws/rekognition/video-stored", "fees": [fee]}])
    assert offer(found, "video").usd_per_month == pytest.approx(50 + 70)
    assert ("fee/plan", "month", 1.0, 70.0) in offer(found, "video").line_items


def test_machines_are_explained_by_differences_of_bills() -> None:
    found = compared(
        [{"name": "own", "host": {**T4, "spare": 1}}],
        peak_over_mean=4,
        demand={"users": 100_000, "sessions": 30, "seconds": 10},
    )
    (machines,) = offer(found, "own").machines
    rate = 0.526 * 730
    assert machines.machines == 47  # 11.4 streams, 45.7 at the peak, one spare
    assert machines.usd_month == pytest.approx(47 * rate)
    assert machines.peak_usd_month == pytest.approx((47 - 13) * rate)
    assert machines.spare_usd_month == pytest.approx(rate)
    assert machines.idle_usd_month == pytest.approx((47 - 3e7 * 15 / 15 / 3600 / 730) * rate)
    assert 0 < (machines.full_share or 0) < 0.2


def test_erlang_says_who_finds_every_machine_taken() -> None:
    """2 streams offered to 2 places: 40 % are turned away; to 3: 21 %."""
    demand = {"hours": 1460}
    for spare, full in ((0, 0.4), (1, 0.2105)):
        host = {**T4, "streams": 1, "spare": spare}
        found = compared([{"name": "own", "host": host}], demand=demand, lengths=[{"seconds": 60}])
        assert offer(found, "own").machines[0].full_share == pytest.approx(full, abs=1e-4)


def test_a_break_even_moves_with_the_speed_of_the_machines() -> None:
    found = compared(
        [{"name": "video", "model": "aws/rekognition/video-stored"}, {"name": "own", "host": {**T4, "scale": "auto", "minimum": 2}}],
        latency="seconds", demand={"users": 5000, "sessions": 30, "seconds": 60},
    )  # fmt: skip
    (even,) = [one for one in found.break_even if one.axis == "volume" and {one.a, one.b} == {"video", "own"}]
    assert (even.a, even.b) == ("video", "own")
    assert even.at_low is not None
    assert even.at_high is not None
    assert even.at_high <= even.at <= even.at_low, "a slower machine pays later"


def test_measured_speeds_come_from_the_evidence_folder(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(
        yaml.safe_dump({**JOB, "latency": "seconds", "options": [{"name": "own", "host": {**T4, "scale": "auto"}}]})
    )
    entry = Entry(name="host.t4.frames_per_second", fact=Fact(value=60, kind="measured", day="2026-11-22"))
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    write_measurement(
        evidence, Measurement(day="2026-11-22", machine="m", clips=(), seconds=1.0, entries=(entry,), days_valid=36_500)
    )
    given, measured = (offer(compare(load(path, evidence=folder)), "own") for folder in (None, evidence))
    assert (given.usd_per_month or 0) / (measured.usd_per_month or 1) == pytest.approx(4)
    assert measured.evidence_share["measured"] == pytest.approx(1)


def test_sampling_takes_the_rate_of_every_option() -> None:
    options = [
        {"name": "image", "model": "aws/rekognition/group1"},
        {"name": "image, slow", "model": "aws/rekognition/group1", "fps": 2},
        {"name": "video", "model": "aws/rekognition/video-stored"},
    ]
    found = compared(options, latency="seconds", model="fal/sam-3")
    on_axis = {line.option for line in found.curves if line.axis == "sampling"}
    assert on_axis == {"as it is", "image", "video"}, "two that differ in their rate only are one curve"
    looked = compared(
        [{"name": "by change", "plan": {"stages": [{"stage": "sample", "adaptive": True}, {"stage": "call", "model": "fal/sam-3"}]}}],
        latency="seconds",
    )  # fmt: skip
    assert "by change" not in {line.option for line in looked.curves if line.axis == "sampling"}


@pytest.mark.parametrize("kind", ["understand", "transcribe", "generate", "segment"])
def test_without_options_a_set_that_fits_the_job_is_compared(kind: str) -> None:
    case = make(
        {"feature": "f", "kind": kind, "demand": {"hours": 100}, "latency": "day", "day": "2026-11-22"},
        where="job.yaml",
    )
    found = compare(case)
    assert len(found.options) >= 4
    assert sum(one.usd_per_month is not None for one in found.options) >= 3
    assert {one.name for one in default_options(case.workload)} <= {one.name for one in found.options}


def test_volume_is_minutes_where_nobody_counts_sessions() -> None:
    found = compared(
        [{"name": "video", "model": "aws/rekognition/video-stored"}],
        demand={"cameras": 2, "hours_a_day": 12},
        latency="seconds",
    )
    assert (found.unit, found.volume) == ("minutes_month", pytest.approx(2 * 12 * 60 * 365 / 12))
    assert offer(found, "video").usd_per_session is None


# Options in short, and what cannot be


def plan_of(option: dict[str, Any], **more: Any) -> Any:
    case = opened(options=[{"name": "one", **option}], **more)
    return with_option(case, case.options[0]).plan


def test_an_option_in_short_is_a_plan() -> None:
    assert [type(stage).__name__ for stage in plan_of({"model": "fal/sam-3", "fps": 5, "stages": [{"stage": "send"}]}).stages] == [
        "Sample", "Send", "Call",
    ]  # fmt: skip
    hybrid = plan_of(
        {
            "first": {"name": "box", "sku": "nvidia/jetson-orin-nano-super", "scale": "device"},
            "host": T4,
            "stages": [{"stage": "send", "lane": "doubt"}],
        }
    )
    assert [(type(stage).__name__, stage.lane) for stage in hybrid.stages] == [
        ("Call", "main"), ("Escalate", "main"), ("Send", "doubt"), ("Call", "doubt"),
    ]  # fmt: skip
    assert {host.name for host in hybrid.hosts} == {"box", "t4"}
    token = plan_of({"model": "gemini-2.5-flash"})
    assert (token.stages[0].part, token.stages[0].pictures_a_call) == ("images", 1)
    assert plan_of({"model": "openai/whisper-1"}, kind="transcribe").stages[0].part == "audio"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([{"name": "a"}], "in one way"),
        ([{"name": "a", "model": "fal/sam-3", "host": T4}], "not in model and host"),
        ([{"name": "a", "first": T4}], "in one way"),
        ([{"name": "a", "model": "fal/sam-3"}, {"name": "a", "model": "fal/sam-3"}], "two options are named `a`"),
        ([{"name": "a", "plan": {"stages": [{"stage": "call", "model": "fal/sam-3"}]}, "fps": 3}], "short form"),
        ([{"name": "a", "plan": {"stages": []}}], "needs a call"),
        (
            [{"name": "a", "model": "fal/sam-3", "stages": [{"stage": "call", "model": "fal/sam-3"}]}],
            "a call is among them",
        ),
        ([{"name": "a", "first": T4, "host": T4}], "same name"),
        ([{"name": "", "model": "fal/sam-3"}], "length >= 1"),
        ([{"name": "a", "model": "fal/sam-3", "quality": 2}], "<= 1"),
        ([{"name": "a", "model": "fal/sam-3", "facts": {"latency.overheadms": 2}}], "nothing asks for"),
        ([{"name": "a", "model": "fal/sam-3", "modle": 1}], "unknown field"),
        ([{"name": "a", "model": "fal/sam-3", "limits": [{"model": "fal/sam-3"}]}], "no limit is given"),
        ([{"name": "a", "host": {**T4, "scale": "elastic"}}], "elastic"),
        ("all", "array"),
    ],
)
def test_options_that_cannot_be_are_refused_where_they_stand(options: Any, says: str) -> None:
    with pytest.raises(DocumentError, match=says) as caught:
        opened(options=options)
    assert "job.yaml $.options" in caught.value.where
    assert caught.value.hint


def test_a_typo_in_a_model_is_an_error_and_no_row() -> None:
    with pytest.raises(UnknownModelError):
        compared([{"name": "a", "model": "fal/sam-33"}])
    with pytest.raises(UnknownModelError):
        compared([{"name": "a", "host": {"name": "t4", "sku": "aws/g4dn.xlargest"}}])


def test_stages_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(DocumentError, match="lane"):
        compared([{"name": "a", "model": "fal/sam-3", "stages": [{"stage": "send", "lane": "doubt"}]}])


def test_nothing_to_do_and_too_much_to_compare_are_refused() -> None:
    with pytest.raises(DocumentError, match="nothing to do"):
        compare(opened(demand={"hours": 0}))
    many = [{"name": str(at), "model": "fal/sam-3"} for at in range(MOST_OPTIONS + 1)]
    with pytest.raises(DocumentError, match=f"more than {MOST_OPTIONS}"):
        compared(many)


def test_an_option_can_be_set_by_its_name_and_taken_as_the_plan() -> None:
    quiet = load(EXAMPLE, option="own T4, 15 fps, N+1", settings=["options.own T4, 15 fps, N+1.host.spare=0"])
    assert quiet.plan.hosts[0].spare == 0
    near = load(EXAMPLE, option="video API", settings=["options.video API.facts.latency.overhead_ms=50"])
    assert near.facts.get("latency.overhead_ms")[0] == 50
    with pytest.raises(DocumentError) as caught:
        load(EXAMPLE, option="video")
    assert "video API" in caught.value.hint
    with pytest.raises(InputError, match="no option is named"):
        load(EXAMPLE.parent / "speech.yaml", option="a")
