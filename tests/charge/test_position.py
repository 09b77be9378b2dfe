"""Graduated prices at a position of the month."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.charge.position import marginal, marginal_most
from reelwise.errors import UnpricedError
from reelwise.rates import Rate, Tier, amount

INF = float("inf")
# the vendor's four steps, and what articles work out for whole months without free units
GROUP1 = Rate(
    sku="aws/rekognition/group1",
    unit="image",
    usd=0.001,
    tiers=(Tier(1e6, 0.001), Tier(5e6, 0.0008), Tier(35e6, 0.0006), Tier(INF, 0.0004)),
    free_month=1000,
)
PLAIN = Rate(sku="a/b", unit="minute", usd=0.1)


@pytest.mark.parametrize(
    ("images", "usd"), [(900_000, 900), (5_000_000, 4200), (35_000_000, 22_200), (50_000_000, 28_200)]
)
def test_a_whole_month_costs_what_the_vendor_s_table_says(images, usd):
    assert marginal(GROUP1, Fraction(images), Fraction(0), free_tiers=False) == usd


def test_a_call_across_a_step_pays_both_prices():
    usd = marginal(GROUP1, Fraction(300), Fraction(4_999_900))

    assert usd == Fraction("0.08") + Fraction("0.12")


def test_free_units_come_off_a_charge_and_not_off_a_hold():
    assert marginal(GROUP1, Fraction(300), Fraction(900)) == Fraction("0.2")
    assert marginal_most(GROUP1, Fraction(300), Fraction(900)) == Fraction("0.3")


def test_an_unknown_position_is_the_dearest():
    rising = Rate(sku="a/b", unit="gb", usd=1.0, tiers=(Tier(10, 1.0), Tier(20, 3.0), Tier(INF, 2.0)))

    assert marginal_most(rising, Fraction(5), None) == 15
    assert marginal_most(rising, Fraction(15), None) == 10 * 3 + 5 * 2


def test_beyond_the_last_sourced_step_is_unpriced():
    rate = Rate(sku="aws/s3-standard", unit="gb_month", usd=0.023, tiers=(Tier(50_000, 0.023),))

    with pytest.raises(UnpricedError, match="no sourced price above"):
        marginal_most(rate, Fraction(2), Fraction(49_999))
    with pytest.raises(UnpricedError, match="no sourced price above"):
        marginal(rate, Fraction(2), Fraction(49_999))


prices = st.floats(1e-7, 10, allow_subnormal=False)
rates = st.builds(
    lambda ends, usd, free, step: Rate(
        sku="a/b",
        unit="image",
        usd=usd[0],
        tiers=tuple(Tier(float(end), price) for end, price in zip([*sorted(ends), INF], usd, strict=False))
        if ends
        else (),
        free_month=float(free),
        round_to=float(step),
    ),
    st.lists(st.integers(1, 500), max_size=3, unique=True),
    st.lists(prices, min_size=4, max_size=4),
    st.integers(0, 60),
    st.sampled_from([0, 0, 1, 10]),
)
numbers = st.fractions(0, 400, max_denominator=8)


@given(rate=rates, quantity=numbers, before=numbers, later=numbers, free=st.booleans())
def test_a_hold_covers_the_charge_from_any_later_position(rate, quantity, before, later, free):
    held = marginal_most(rate, quantity, before)

    assert marginal(rate, quantity, before + later, free_tiers=free) <= held
    assert held <= marginal_most(rate, quantity, None)


@given(rate=rates, quantity=numbers, before=numbers, free=st.booleans())
def test_exact_amounts_agree_with_the_estimates(rate, quantity, before, free):
    found = amount(rate, float(quantity), free_tiers=free, used_before=float(before))

    assert float(marginal(rate, quantity, before, free_tiers=free)) == pytest.approx(float(found), rel=1e-9, abs=1e-9)


@given(rate=rates, less=numbers, more=numbers, before=st.none() | numbers)
def test_more_is_never_held_for_less(rate, less, more, before):
    assert marginal_most(rate, less, before) <= marginal_most(rate, less + more, before)


def test_a_flat_rate_is_read_as_the_decimal_it_is():
    assert marginal(PLAIN, Fraction(3), Fraction(0)) == Fraction("0.3")
