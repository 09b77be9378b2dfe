"""Rounding that forgives float errors, helpers that treat arrays as they treat numbers, and money that is exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.units import NANO, ceil, is_array, maximum, minimum, nano_from_usd, total, usd_from_nano, where

if TYPE_CHECKING:
    from collections.abc import Callable

amounts = st.floats(0, 1e12, allow_nan=False)


@pytest.mark.parametrize(("value", "up"), [(0.1 * 30, 3), (0.7 * 10, 7), (1.1 * 10, 11), (0, 0), (2, 2), (2.001, 3)])
def test_ceil_forgives_float_errors(value: float, up: int) -> None:
    assert ceil(value) == up
    assert ceil(np.array([value]))[0] == up


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_whole_frames_stay_whole_whatever_the_rate(frames: int, tenths: int) -> None:
    fps = tenths / 10
    assert ceil(frames / fps * fps) == frames


@given(amounts)
def test_ceil_is_the_next_integer_within_a_billionth(value: float) -> None:
    up = ceil(value)
    assert up == int(up)
    assert value - 1e-9 * value <= up <= value + 1


@given(st.lists(amounts, min_size=1, max_size=8), amounts)
def test_arrays_are_numbers_elementwise(values: list[float], other: float) -> None:
    array = np.array(values)
    helpers: list[Callable[[Any], Any]] = [
        ceil,
        lambda value: minimum(value, other),
        lambda value: minimum(other, value),
        lambda value: maximum(value, other),
        lambda value: maximum(other, value),
    ]
    for helper in helpers:
        assert helper(array).tolist() == [helper(value) for value in values]
    chosen = where(array > other, array, other)
    assert chosen.tolist() == [where(value > other, value, other) for value in values]


def test_plain_numbers_stay_plain() -> None:
    for value in (ceil(1.5), minimum(1.0, 2.0), maximum(1.0, 2.0), where(1 > 2, 1.0, 2.0), total(3.0)):  # noqa: PLR0133
        assert type(value) is float
        assert not is_array(value)


def test_total_sums_classes_and_keeps_draws() -> None:
    assert total(np.ones((5, 3))).tolist() == [3.0] * 5
    assert total(np.arange(4.0)) == 6.0
    assert total(2.5) == 2.5


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("0.0000000005", 0),  # half to even
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("-0.0000000015", -2),
        ("0.005", 5_000_000),
        (0.1, 100_000_000),
        (Decimal("123456789.123456789"), 123_456_789_123_456_789),
    ],
)
def test_nano_usd_round_half_to_even(usd: str | float | Decimal, nano: int) -> None:
    assert nano_from_usd(usd) == nano


@given(st.integers(-(10**17), 10**17))
def test_nano_usd_come_back_exactly(nano: int) -> None:
    assert nano_from_usd(usd_from_nano(nano)) == nano
    assert usd_from_nano(nano) * NANO == nano
