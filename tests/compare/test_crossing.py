"""Break-even points really are crossings: on drawn curves, and on the bills of drawn options."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise.case import make, with_option
from reelwise.compare import compare
from reelwise.compare.crossing import MOST, crossings, signs
from reelwise.compare.curve import Curve, Prices
from reelwise.price import price_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reelwise.case import Case

    Floats = NDArray[np.float64]


def found(
    a: Callable[[Floats], Floats], b: Callable[[Floats], Floats], low: float = 0.1, high: float = 100.0
) -> list[Any]:
    points = np.unique(
        np.concatenate([np.geomspace(low, high, 400), np.arange(1.0, 100.0), np.arange(1.0, 100.0) * (1 + 1e-6)])
    )
    return list(crossings(points, a(points), b(points), a, b))


def test_a_line_through_another() -> None:
    (one,) = found(lambda x: x, lambda x: np.full_like(x, 7.3))
    assert one.at == pytest.approx(7.3, rel=1e-7)
    assert (one.first_below, one.step) == (True, False)
    assert one.usd == pytest.approx(7.3)


def test_a_step_over_a_line_is_said_to_be_one() -> None:
    (one,) = found(lambda x: np.where(x > 5, 10.0, 1.0), lambda x: np.full_like(x, 4.0))
    assert one.at == pytest.approx(5, rel=1e-5)
    assert one.step


def test_whole_machines_against_a_line_cross_at_each_step() -> None:
    several = found(np.ceil, lambda x: x * 1.05)
    assert len(several) == 39
    assert [one.first_below for one in several[:4]] == [False, True, False, True]
    assert several[-1].at == pytest.approx(20 / 1.05, rel=1e-6), "from 20 machines on, a whole one is no more than 5 %"


def test_equal_for_a_while_counts_where_the_other_becomes_cheaper() -> None:
    (one,) = found(
        lambda x: np.minimum(x, 10.0) + np.maximum(x - 20, 0), lambda x: np.minimum(np.full_like(x, 10.0), 10.0)
    )
    assert one.at == pytest.approx(20, rel=1e-5)


def test_what_is_equal_never_crosses_and_touching_is_no_crossing() -> None:
    assert found(lambda x: x, lambda x: x * (1 + 1e-12)) == []
    assert found(lambda x: np.abs(x - 5), np.zeros_like) == []
    assert signs(np.array([1.0, np.nan, 2.0]), np.array([2.0, 1.0, 2.0])) == pytest.approx([-1, 0, 0])


def test_the_number_of_crossings_has_a_bound() -> None:
    many = found(np.ceil, lambda x: x + 0.5)
    assert len(many) == MOST


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5), st.integers(0, 1)), min_size=2, max_size=2))
def test_between_two_crossings_the_same_one_is_cheaper(curves: list[tuple[float, float, int]]) -> None:
    def curve(fixed: float, slope: float, steps: int) -> Callable[[Floats], Floats]:
        return lambda x: fixed + slope * (np.ceil(x * (1 - 1e-9)) if steps else x)

    a, b = (curve(*one) for one in curves)
    places = found(a, b)
    assert [one.first_below for one in places[1:]] == [not one.first_below for one in places[:-1]]
    ends = [0.1, *(one.at for one in places), 100.0]
    for at, (low, high) in enumerate(itertools.pairwise(ends)):
        inside = np.linspace(low * (1 + 1e-5), high * (1 - 1e-5), 50)
        sign = set(signs(a(inside), b(inside))) - {0.0} if high > low * (1 + 1e-4) else set()
        if places and at < len(places) < MOST:
            assert sign <= {-1.0 if places[at].first_below else 1.0}


# On real bills

JOB: dict[str, Any] = {
    "feature": "blur", "kind": "segment", "latency": "seconds", "day": "2026-11-22",
    "source": {"width": 640, "height": 480, "fps": 30, "audio": False},
}  # fmt: skip
HOSTS = st.one_of(
    st.builds(
        lambda scale, spare, minimum, use: {
            "name": "h", "sku": "aws/g4dn.xlarge", "scale": scale, "spare": spare, "minimum": minimum, "utilisation": use,
        },
        st.sampled_from(["fixed", "auto"]), st.integers(0, 2), st.integers(0, 3), st.sampled_from([0.5, 1.0]),
    ),
    st.builds(
        lambda idle, cold, sku: {"name": "h", "sku": sku, "scale": "serverless", "idle_seconds": idle, "cold_start_seconds": cold},
        st.integers(0, 300), st.integers(0, 60), st.sampled_from(["modal/t4", "runpod/flex-l4"]),
    ),
    st.just({"name": "h", "sku": "nvidia/jetson-orin-nano-super", "scale": "device"}),
)  # fmt: skip
OPTIONS = st.one_of(
    st.builds(
        lambda model, fps, fee: {
            "model": model, **({"fps": fps} if fps else {}), **({"fees": [{"name": "fee", "usd_month": fee, "minimum_of": "aws"}]} if fee else {}),
        },
        st.sampled_from(["aws/rekognition/group1", "aws/rekognition/video-stored", "fal/sam-3", "google/video-intelligence/label"]),
        st.sampled_from([None, 1, 15]), st.sampled_from([None, 20.0, 700.0]),
    ),
    st.builds(lambda host, fps: {"host": host, **({"fps": fps} if fps else {})}, HOSTS, st.sampled_from([None, 5])),
)  # fmt: skip
JOBS = st.builds(
    lambda users, seconds, peak, latency, options: {
        **JOB, "demand": {"users": users, "sessions": 30, "seconds": seconds}, "peak_over_mean": peak, "latency": latency,
        "facts": {"host.h.frames_per_second": 45},
        "options": [{**one, "name": f"option {at}"} for at, one in enumerate(options)],
    },
    st.integers(1, 100_000), st.sampled_from([2, 10, 600]), st.sampled_from([1.0, 4.0]), st.sampled_from(["realtime", "seconds"]),
    st.lists(OPTIONS, min_size=2, max_size=3, unique_by=repr),
)  # fmt: skip
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def curve_of(case: Case, at: int) -> Curve:
    own = with_option(case, case.options[at])
    return Curve(own, price_one(own.workload, own.plan, own.facts, own.book, own.account))


@SLOW
@given(JOBS)
def test_just_below_a_break_even_one_is_cheaper_and_just_above_the_other(tree: dict[str, Any]) -> None:
    case = make(tree, where="job.yaml")
    curves = {option.name: curve_of(case, at) for at, option in enumerate(case.options)}
    result = compare(case)
    for even in result.break_even:
        if even.axis != "volume" or even.a not in curves or even.b not in curves:
            continue
        factor = even.at / result.volume
        below, above = factor * (1 - 2e-6), factor * (1 + 2e-6)
        assert float(curves[even.a].at(below).total_usd) <= float(curves[even.b].at(below).total_usd) * (1 + 1e-9)
        assert float(curves[even.b].at(above).total_usd) <= float(curves[even.a].at(above).total_usd) * (1 + 1e-9)


@SLOW
@given(JOBS, st.lists(st.floats(-3, 3), min_size=5, max_size=5))
def test_every_change_of_the_cheaper_one_is_found(tree: dict[str, Any], exponents: list[float]) -> None:
    case = make(tree, where="job.yaml")
    result = compare(case)
    first, second = case.options[0].name, case.options[1].name
    one, other = curve_of(case, 0), curve_of(case, 1)
    evens = [even for even in result.break_even if even.axis == "volume" and {even.a, even.b} == {first, second}]
    if len(evens) >= MOST:
        return
    never = next(
        (one for one in result.no_break_even if one.axis == "volume" and {one.a, one.b} == {first, second}), None
    )
    for exponent in exponents:
        factor = 10.0**exponent
        at = factor * result.volume
        if any(abs(at / even.at - 1) < 1e-5 for even in evens):
            continue
        sign = float(
            signs(np.array([float(one.at(factor).total_usd)]), np.array([float(other.at(factor).total_usd)]))[0]
        )
        if sign == 0:
            continue
        passed = [even for even in evens if even.at <= at]
        cheaper = passed[-1].b if passed else evens[0].a if evens else never.cheaper if never else ""
        assert cheaper == (first if sign < 0 else second)


@SLOW
@given(JOBS, st.floats(-2.5, 2.5), st.floats(1, 5))
def test_a_month_never_costs_less_for_more(tree: dict[str, Any], exponent: float, factor: float) -> None:
    case = make(tree, where="job.yaml")
    for at in range(len(case.options)):
        curve = curve_of(case, at)
        less, more = curve.at_volume(np.array([10.0**exponent, 10.0**exponent * factor]))
        assert more >= less * (1 - 1e-9)


@SLOW
@given(JOBS)
def test_a_curve_is_the_bill_at_that_volume(tree: dict[str, Any]) -> None:
    case = make(tree, where="job.yaml")
    for at in range(len(case.options)):
        curve = curve_of(case, at)
        factors = np.array([0.013, 1.0, 7.7])
        assert curve.at_volume(factors) == pytest.approx([float(curve.at(factor).total_usd) for factor in factors])
        assert curve.at_volume(factors)[1] == pytest.approx(float(curve.bill.total_usd))


def test_points_are_a_spread_with_both_sides_of_each_step() -> None:
    points = Prices.spread(0.1, 10.0, 5, iter([2.0, 50.0]))
    assert points[0] == pytest.approx(0.1)
    assert points[-1] == pytest.approx(10.0)
    assert {1.0, 2.0} <= set(points)
    assert ((points > 2) & (points < 2.00001)).any()
    assert (np.diff(points) > 0).all()
