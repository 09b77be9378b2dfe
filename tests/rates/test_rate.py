"""`amount`: free units, graduated tiers, sum-then-round, on floats and arrays."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import UnpricedError
from reelwise.rates import Book, Rate, Tier, amount

BOOK = Book.load(dt.date(2026, 11, 22))


def steps(*pairs: tuple[float, float], **more: float) -> Rate:
    tiers = tuple(Tier(up_to, usd) for up_to, usd in pairs)
    return Rate(sku="x/y", unit="image", usd=tiers[0].usd if tiers else 1.0, tiers=tiers, **more)


@pytest.mark.parametrize(
    ("sku", "images", "usd"),
    [
        ("aws/rekognition/group1", 900_000, 900.0),
        ("aws/rekognition/group1", 5_000_000, 4200.0),
        ("aws/rekognition/group1", 35_000_000, 22_200.0),
        ("aws/rekognition/group1", 50_000_000, 28_200.0),
        ("aws/rekognition/group2", 50_000_000, 25_950.0),
        ("aws/rekognition/image-properties", 50_000_000, 19_462.5),
    ],
)
def test_rekognition_is_graduated_over_the_month(sku: str, images: float, usd: float) -> None:
    rate = BOOK.rate(sku)
    assert amount(rate, images, free_tiers=False) == pytest.approx(usd, abs=1e-6)
    assert amount(rate, np.array([images, 0.0]), free_tiers=False) == pytest.approx([usd, 0.0], abs=1e-6)


def test_free_units_are_the_first_of_the_month() -> None:
    rate = BOOK.rate("aws/rekognition/group1")
    assert amount(rate, 900_000.0) == pytest.approx(899.0)
    assert amount(rate, 400.0) == 0.0


@pytest.mark.parametrize(
    ("sku", "requests", "seconds", "usd"),
    [
        ("google/video-intelligence/label", 1000, 82.0, 36.67),
        ("google/video-intelligence/label-streaming", 200, 555.2, 102.08),
    ],
)
def test_video_intelligence_published_examples(sku: str, requests: int, seconds: float, usd: float) -> None:
    assert round(amount(BOOK.rate(sku), requests * seconds / 60), 2) == usd


def test_the_sum_is_rounded_and_not_each_call() -> None:
    rate = steps(round_to=1.0)
    assert amount(rate, 3 * 0.4) == 2.0
    assert amount(rate, 0.4, used_before=0.5) == 0.0
    assert amount(rate, np.array([0.4, 1.2]), used_before=0.5) == pytest.approx([0.0, 1.0])


def test_beyond_the_last_sourced_tier_is_an_error_and_never_zero() -> None:
    s3 = BOOK.rate("aws/s3-standard")
    assert amount(s3, 50_000.0) == pytest.approx(1150.0)
    with pytest.raises(UnpricedError, match="no sourced price above 50,000"):
        amount(s3, 50_001.0)
    with pytest.raises(UnpricedError):
        amount(s3, np.array([1.0, 60_000.0]))
    with pytest.raises(UnpricedError):
        amount(s3, 30_000.0, used_before=30_000.0)


def test_egress_tiers_with_free_gigabytes() -> None:
    # 100 free, 9,900 at 0.09, 40,000 at 0.085, 10,000 at 0.07
    assert amount(BOOK.rate("aws/egress-us"), 60_000.0) == pytest.approx(9_900 * 0.09 + 40_000 * 0.085 + 700.0)


LADDER = st.lists(st.tuples(st.floats(1, 1e4), st.floats(0, 10)), min_size=1, max_size=5)


def ladder(parts: list[tuple[float, float]], free: float, round_to: float = 0.0) -> Rate:
    low, pairs = 0.0, []
    for width, usd in parts:
        low += width
        pairs.append((low, usd))
    pairs[-1] = (math.inf, pairs[-1][1])
    return steps(*pairs, free_month=free, round_to=round_to)


@given(LADDER, st.floats(0, 2e4), st.floats(0, 6e4), st.floats(0, 6e4), st.sampled_from([0.0, 1.0, 7.5]))
def test_more_never_costs_less(
    parts: list[tuple[float, float]], free: float, a: float, b: float, round_to: float
) -> None:
    rate = ladder(parts, free, round_to)
    low, high = sorted((a, b))
    assert amount(rate, low) <= amount(rate, high) + 1e-6
    assert amount(rate, low) <= amount(rate, low, free_tiers=False) + 1e-6


@given(LADDER, st.floats(0, 2e4), st.floats(0, 6e4), st.floats(0, 1))
def test_there_are_no_jumps(parts: list[tuple[float, float]], free: float, quantity: float, step: float) -> None:
    rate = ladder(parts, free)
    dearest = max(tier.usd for tier in rate.tiers)
    assert amount(rate, quantity + step) - amount(rate, quantity) <= dearest * step + 1e-6


@given(LADDER, st.floats(0, 2e4), st.floats(0, 6e4), st.floats(0, 6e4))
def test_a_month_in_two_parts_costs_what_the_whole_does(
    parts: list[tuple[float, float]], free: float, first: float, second: float
) -> None:
    rate = ladder(parts, free)
    parts_usd = amount(rate, first) + amount(rate, second, used_before=first)
    assert parts_usd == pytest.approx(amount(rate, first + second), rel=1e-9, abs=1e-6)


@given(LADDER, st.floats(0, 6e4))
def test_the_tiers_add_up(parts: list[tuple[float, float]], quantity: float) -> None:
    rate = ladder(parts, 0.0)
    low = expected = 0.0
    for tier in rate.tiers:
        expected += max(0.0, min(quantity, tier.up_to) - low) * tier.usd
        low = tier.up_to
    assert amount(rate, quantity) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert amount(rate, np.array([[quantity]])) == pytest.approx(np.array([[expected]]), rel=1e-9, abs=1e-9)
