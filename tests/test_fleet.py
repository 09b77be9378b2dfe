"""How many machines are on: whole ones for the peak, those that come and go held against a simulation, and devices."""

from __future__ import annotations

import datetime as dt
import heapq
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.errors import DocumentError, InputError, UnpricedError
from reelwise.evidence import ASSUMED, MEASURED, PUBLISHED, Fact
from reelwise.facts import Facts
from reelwise.fleet import Fleet, Work, fleet_of, speed_of
from reelwise.hosts import Device, Host
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.rates import Book
from reelwise.stages import Call
from reelwise.units import HOURS_A_MONTH
from reelwise.workload import Demand, Source, Workload

BOOK = Book.load(dt.date(2026, 11, 22))
MONTH = HOURS_A_MONTH * 3600
RUNS = 15_000
JETSON = "nvidia/jetson-orin-nano-super"


def facts(fps: float = 30.0, **more: Fact) -> Facts:
    return Facts.load(
        {"host.h.frames_per_second": Fact(value=fps), **{k.replace("__", "."): v for k, v in more.items()}}
    )


def live(streams: Any, seconds: float = 10.0, fps: float = 30.0, **more: Any) -> Work:
    """A month in which so many live streams run at a time on average."""
    sessions = streams * MONTH / seconds
    work = Work(
        frames=sessions * seconds * fps, sessions=sessions, stream_seconds=sessions * seconds, fps=fps, live=True
    )
    return replace(work, **more)


def on(host: Host, work: Work, known: Facts | None = None, sku: str = "") -> Fleet:
    return fleet_of(host, work, known or facts(), BOOK.card(sku) if sku else None)


def simulated(  # noqa: PLR0917 - what there is to vary
    streams: float, seconds: float, places: int, start: float, kept: float, minimum: int = 0
) -> tuple[float, float]:
    """Let streams come at random to machines that start on demand and stop when idle; count what is on, and who waits."""
    rate, now, billed, started = streams / seconds, 0.0, 0.0, 0
    machines: list[list[float]] = [
        [0.0, math.inf, 0.0] for _ in range(minimum)
    ]  # streams on it, end of its last, start
    ends: list[tuple[float, int, list[float]]] = []
    for number, gap in enumerate(np.random.default_rng(4).exponential(1 / rate, RUNS)):
        now += float(gap)
        while ends and ends[0][0] <= now:
            end, _, machine = heapq.heappop(ends)
            machine[0], machine[1] = machine[0] - 1, max(end, machine[1])
        for machine in [one for one in machines if not one[0] and one[1] + kept <= now]:
            billed += machine[1] + kept - machine[2]
            machines.remove(machine)
        free = [one for one in machines if one[0] < places]
        machine = max(free, key=lambda one: (one[0], one[1])) if free else [0.0, now, now]
        if not free:
            machines.append(machine)
            started += 1
        machine[0] += 1
        heapq.heappush(ends, (now + seconds + (0 if free else start), number, machine))
    return (billed + sum(now - one[2] for one in machines)) / now, started / RUNS


@pytest.mark.parametrize("places", [1, 4, 15])
@pytest.mark.parametrize("streams", [0.01, 0.3, 3.0, 30.0])
@pytest.mark.parametrize(("seconds", "start", "kept"), [(600, 3, 60), (10, 3, 60), (60, 9, 5)])
def test_machines_that_come_and_go_are_never_too_cheap(
    places: int, streams: float, seconds: float, start: float, kept: float
) -> None:
    host = Host(name="h", sku="x", scale="serverless", streams=places, cold_start_seconds=start, idle_seconds=kept)
    fleet = on(host, live(streams, seconds, fps=30.0 / places))
    true, waited = simulated(streams, seconds, places, start, kept)
    assert 0.97 <= float(fleet.hours) / HOURS_A_MONTH / true <= 1.6
    assert float(fleet.cold_share) >= waited - 0.02
    if streams <= 0.01 and seconds > kept:
        assert float(fleet.hours) / HOURS_A_MONTH == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize("places", [1, 4, 15])
@pytest.mark.parametrize("streams", [0.03, 0.3, 1.0, 3.0])
@pytest.mark.parametrize(("seconds", "start", "kept"), [(5, 60, 0), (60, 180, 0), (5, 180, 60), (60, 300, 60)])
def test_machines_that_start_for_longer_than_they_work_are_never_too_cheap(
    places: int, streams: float, seconds: float, start: float, kept: float
) -> None:
    """While one starts it serves nobody else: with one stream a machine that nothing keeps, each session pays its start."""
    host = Host(name="h", sku="x", scale="serverless", streams=places, cold_start_seconds=start, idle_seconds=kept)
    fleet = on(host, live(streams, seconds, fps=30.0 / places))
    true, waited = simulated(streams, seconds, places, start, kept)
    assert 0.97 <= float(fleet.hours) / HOURS_A_MONTH / true <= 2.7
    assert float(fleet.cold_share) >= waited - 0.02
    if places == 1 and not kept:
        assert float(fleet.hours) / HOURS_A_MONTH == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize("minimum", [1, 2])
@pytest.mark.parametrize("places", [1, 4])
@pytest.mark.parametrize("streams", [0.01, 0.2, 1.0, 3.0])
@pytest.mark.parametrize("seconds", [10, 600])
def test_machines_that_are_on_in_any_case_are_not_always_enough(
    minimum: int, places: int, streams: float, seconds: float
) -> None:
    host = Host(name="h", sku="x", scale="auto", streams=places, cold_start_seconds=9, idle_seconds=60, minimum=minimum)
    fleet = on(host, live(streams, seconds, fps=30.0 / places))
    true, waited = simulated(streams, seconds, places, 9, 60, minimum)
    assert 0.97 <= float(fleet.hours) / HOURS_A_MONTH / true <= 1.6
    assert float(fleet.cold_share) >= waited - 0.005
    assert float(fleet.hours) >= minimum * HOURS_A_MONTH


def test_a_second_session_waits_where_one_machine_of_one_stream_is_on() -> None:
    host = Host(name="h", sku="x", scale="auto", streams=1, cold_start_seconds=180, idle_seconds=600, minimum=1)
    assert float(on(host, live(0.05)).cold_share) == pytest.approx(0.05 / 1.05)
    assert float(on(replace(host, spare=1), live(0.05)).cold_share) == 0
    jobs = replace(live(0.05), live=False)
    assert float(on(replace(host, streams=None), jobs).cold_share) == 0  # jobs queue


def test_a_lonely_session_is_billed_from_start_to_stop() -> None:
    host = Host(name="h", sku="x", scale="serverless", cold_start_seconds=3, idle_seconds=60)
    fleet = on(host, live(1e-6))
    assert float(fleet.hours) * 3600 / (1e-6 * MONTH / 10) == pytest.approx(10 + 3 + 60, rel=1e-3)


def test_jobs_wait_for_a_busy_machine_and_one_idle_machine_waits_for_them() -> None:
    host = Host(name="h", sku="x", scale="serverless", cold_start_seconds=3, idle_seconds=60)
    few = Work(frames=3000.0, sessions=10.0, stream_seconds=100.0)  # 10 jobs of 10 busy seconds
    many = replace(few, frames=5.5 * MONTH * 30, sessions=5.5 * MONTH / 10, stream_seconds=5.5 * MONTH)
    assert float(on(host, few).hours) * 3600 == pytest.approx(10 * 73, rel=1e-3)
    assert float(on(host, many).hours) / HOURS_A_MONTH == pytest.approx(5.5, rel=1e-2)


def test_each_run_is_rounded_up_where_the_platform_does() -> None:
    host = Host(name="h", sku="runpod/flex-l4", scale="serverless", cold_start_seconds=2.3)
    fleet = on(host, live(1e-6, seconds=10.2), sku="runpod/flex-l4")
    assert float(fleet.hours) * 3600 / (1e-6 * MONTH / 10.2) == pytest.approx(18.0, rel=1e-3)  # 10.2 + 2.3 + 5 idle


@pytest.mark.parametrize(
    ("sku", "known", "seconds", "bit"),
    [
        ("modal/t4", {}, 3.0, PUBLISHED),
        ("runpod/flex-l4", {}, 9.0, PUBLISHED),
        ("modal/t4", {"host__h__cold_start_seconds": Fact(value=1.5, kind="measured")}, 1.5, MEASURED),
    ],
)
def test_where_a_cold_start_comes_from(sku: str, known: dict[str, Fact], seconds: float, bit: int) -> None:
    fleet = on(Host(name="h", sku=sku, scale="serverless"), live(0.1), facts(**known), sku)
    assert float(fleet.cold_seconds) == seconds
    assert fleet.basis & bit
    given = on(Host(name="h", sku=sku, scale="serverless", cold_start_seconds=7), live(0.1), facts(**known), sku)
    assert float(given.cold_seconds) == 7


def test_streams_keep_their_machine_and_the_slowest_of_the_two_bounds_counts() -> None:
    work = live(45 / 15, fps=15.0)
    assert on(Host(name="h", sku="x"), work, facts(15)).machines == 3
    assert on(Host(name="h", sku="x", streams=1), work, facts(30)).machines == 3, "one stream each, however fast"
    assert on(Host(name="h", sku="x", streams=8), work, facts(30)).machines == 2, (
        "two streams each, whatever it may take"
    )
    assert on(Host(name="h", sku="x"), work, facts(30)).machines == 2


def test_a_peak_that_is_known_is_taken() -> None:
    host = Host(name="h", sku="x", spare=1)
    quiet = live(0.01, fps=15.0, peak=4.0)
    assert on(host, quiet, facts(15)).machines == 2, "one stream at a time, and a spare"
    assert on(host, replace(quiet, peak_streams=3.0), facts(15)).machines == 4
    assert on(host, live(5.0, fps=15.0, peak_streams=3.0), facts(15)).machines == 6, (
        "never fewer than the mean keeps busy"
    )


def test_a_stream_alone_needs_all_its_machines() -> None:
    host = Host(name="h", sku="x")
    assert on(host, live(0.001, fps=30.0), facts(15)).machines == 2, "its frames are spread over two"
    assert on(host, live(0.0, fps=30.0), facts(15)).machines == 0


@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=4),
    st.sampled_from(["fixed", "auto", "serverless", "device"]),
    st.sampled_from([None, 1, 7]),
    st.booleans(),
    st.sampled_from([(1, 0), (0, 2), (0, 0)]),
)
def test_arrays_are_taken_one_by_one(
    streams: list[float], scale: Any, places: int | None, is_live: bool, beyond: tuple[int, int]
) -> None:
    more = {"cold_start_seconds": 5.0, "idle_seconds": 30.0} if scale in {"auto", "serverless"} else {}
    host = Host(name="h", sku="x", scale=scale, streams=places, spare=beyond[0], minimum=beyond[1], **more)
    together = on(host, replace(live(np.array(streams)), live=is_live))
    for name in ("hours", "machines", "busy_share", "cold_share"):
        alone = [float(getattr(on(host, replace(live(one), live=is_live)), name)) for one in streams]
        assert np.broadcast_to(getattr(together, name), len(streams)) == pytest.approx(np.array(alone)), name


@given(
    st.floats(0.001, 100),
    st.floats(1.0, 3.0),
    st.floats(1, 3600),
    st.sampled_from(["fixed", "auto", "serverless", "device"]),
    st.sampled_from([(None, True), (1, True), (5, True), (None, False)]),
)
def test_more_streams_never_take_fewer_machines(
    streams: float, factor: float, seconds: float, scale: Any, sort: tuple[int | None, bool]
) -> None:
    more = {"cold_start_seconds": 5.0, "idle_seconds": 30.0} if scale in {"auto", "serverless"} else {}
    host = Host(name="h", sku="x", scale=scale, streams=sort[0], **more)
    few = on(host, replace(live(streams, seconds), live=sort[1]))
    many = on(host, replace(live(streams * factor, seconds), live=sort[1]))
    assert float(many.hours) >= float(few.hours) * (1 - 1e-9)
    assert float(few.hours) * (1 + 1e-9) >= float(few.busy_hours) or scale == "device"


# Speeds


def test_a_published_speed_counts_for_each_accelerator_until_one_is_known() -> None:
    one = Host(name="h", sku="aws/g4dn.xlarge", network="yolo26n-seg")
    four = replace(one, sku="aws/g4dn.12xlarge")
    assert speed_of(one, Facts.load(), BOOK.card(one.sku)) == (476, PUBLISHED)
    assert speed_of(four, Facts.load(), BOOK.card(four.sku)) == (4 * 476, PUBLISHED)
    assert speed_of(one, facts(99), BOOK.card(one.sku))[0] == 99
    sam = Host(name="h", sku="modal/a100-80", network="sam2.1_tiny")
    assert speed_of(sam, Facts.load(), BOOK.card(sam.sku))[0] == 47.2, "an A100 is one of either size"
    with pytest.raises(InputError, match=r"host\.h\.frames_per_second") as caught:
        speed_of(replace(one, sku="aws/inf1.xlarge"), Facts.load(), BOOK.card("aws/inf1.xlarge"))
    assert "bench-model" in caught.value.hint


@pytest.mark.parametrize(("variant", "probe"), [("quantized", "quantize"), ("distilled", "distil")])
def test_a_smaller_network_runs_at_the_speed_that_was_probed(variant: Any, probe: str) -> None:
    host = Host(name="h", sku="x", variant=variant)
    known = facts(10, **{f"probe__{probe}__speed_ratio": Fact(value=1.5, kind="measured")})
    assert speed_of(host, known, None)[0] == 15
    with pytest.raises(InputError) as caught:
        speed_of(host, facts(10), None)
    assert f"`reelwise probe {probe} MODEL CLIP`" in caught.value.hint


# Devices


def test_the_worked_example_of_a_device() -> None:
    """249 USD over three years and 25 W at 0.146 USD a kWh: 0.013125 an hour, 0.1215 a million frames at 30 a second."""
    job = Workload(feature="f", kind="segment", demand=Demand(cameras=1, hours_a_day=24), source=Source(fps=30.0))
    plan = Plan(stages=(Call(host="h"),), hosts=(Host(name="h", sku=JETSON, scale="device"),))
    usd = float(price_one(job, plan, facts(30), BOOK).total_usd)
    assert usd / HOURS_A_MONTH == pytest.approx(0.013125, abs=5e-7)
    assert usd / (job.seconds_month * 30) * 1e6 == pytest.approx(0.1215, abs=5e-5)


def test_devices_follow_cameras_users_or_the_peak() -> None:
    host = Host(name="h", sku=JETSON, scale="device")
    assert on(host, live(10, cameras=10.0), facts(90)).machines == 4, "three cameras each"
    assert on(replace(host, streams=2), live(10, cameras=10.0), facts(90)).machines == 5
    assert on(host, live(0.1, users=100.0), facts(90)).machines == 100
    assert on(host, live(5.0), facts(90)).machines == 2
    stream = replace(host, device=Device(each="stream"), spare=1)
    assert on(stream, live(0.1, users=100.0), facts(90)).machines == 2


@pytest.mark.parametrize("each", ["user", "camera"])
def test_devices_nobody_counts_are_not_free(each: Any) -> None:
    host = Host(name="h", sku=JETSON, scale="device", device=Device(each=each))
    with pytest.raises(UnpricedError, match="how many devices") as caught:
        on(host, live(0.1))
    assert caught.value.hint == f"say the demand in {each}s, or set device.each: stream"
    assert on(host, live(0.0)).machines == 0, "nothing to do"


def test_power_and_years_are_paid_by_whoever_owns_the_device() -> None:
    host = Host(name="h", sku=JETSON, scale="device", device=Device(hours_a_day=8, watts=10, years=2))
    fleet = on(host, live(0.1, users=6.0))
    bought, power = fleet.usages(BOOK.card(JETSON), "device")
    assert (bought.unit, float(bought.quantity)) == ("device", 6 / 24)
    assert (power.unit, float(power.quantity)) == ("kwh", pytest.approx(6 * HOURS_A_MONTH / 3 * 0.010))
    theirs = replace(host, device=Device(owner="user"))
    assert on(theirs, live(0.1, users=6.0)).usages(BOOK.card(JETSON), "device") == ()
    assert fleet.basis & (PUBLISHED | ASSUMED) == 0


def test_a_device_whose_power_nobody_knows_is_an_error() -> None:
    host = Host(name="h", sku="nvidia/jetson-agx-thor", scale="device")
    with pytest.raises(DocumentError, match="power") as caught:
        on(host, live(1.0)).usages(BOOK.card(host.sku), "device")
    assert caught.value.hint == "give device.watts"


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        (Host(name="h", sku=JETSON, scale="fixed"), "scale: device"),
        (Host(name="h", sku="aws/g4dn.xlarge", scale="device"), "scale: fixed"),
    ],
)
def test_what_is_bought_is_not_rented(host: Host, hint: str) -> None:
    job = Workload(feature="f", demand=Demand(hours=1))
    with pytest.raises(DocumentError) as caught:
        price_one(job, Plan(stages=(Call(host="h"),), hosts=(host,)), facts(), BOOK)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "host",
    [
        Host(name="h", sku="x", device=Device()),
        Host(name="h", sku="x", idle_seconds=5),
        Host(name="h", sku="x", scale="device", cold_start_seconds=5),
    ],
)
def test_settings_that_mean_nothing_are_refused(host: Host) -> None:
    plan = Plan(stages=(Call(host="h"),), hosts=(host,))
    with pytest.raises(DocumentError, match="machine") as caught:
        plan.check("job.yaml $.plan")
    assert caught.value.where == "job.yaml $.plan $.hosts[0]"
    assert caught.value.hint


def test_the_formula_for_streams_has_its_limits() -> None:
    """One stream a machine: streams and those waiting. Any number on one machine: it is on unless all have gone."""
    waits = 63.0
    alone = on(Host(name="h", sku="x", scale="auto", streams=1, cold_start_seconds=3, idle_seconds=60), live(0.001))
    shared = on(
        Host(name="h", sku="x", scale="auto", streams=10_000, cold_start_seconds=3, idle_seconds=60),
        live(0.05, fps=0.001),
    )
    arrivals = 0.05 / 10
    assert float(alone.hours) / HOURS_A_MONTH == pytest.approx(0.001 * (10 + waits) / 10, rel=1e-6)
    assert float(shared.hours) / HOURS_A_MONTH == pytest.approx(1 - math.exp(-arrivals * (10 + waits)), rel=1e-3)
