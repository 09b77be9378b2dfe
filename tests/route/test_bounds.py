from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.route.bounds import lower, mean_lower, upper


def test_no_hit_in_n_has_the_closed_form():
    assert upper(0, 59, 0.05) == pytest.approx(1 - 0.05 ** (1 / 59), rel=1e-9)


def test_the_bound_of_half_is_the_textbook_one():
    # Clopper and Pearson 1934, 5 of 10, one side 2.5 %
    assert (lower(5, 10, 0.025), upper(5, 10, 0.025)) == pytest.approx((0.18709, 0.81291), abs=1e-5)


@given(st.integers(1, 3000), st.floats(0, 1), st.sampled_from([0.01, 0.05, 0.2]))
def test_at_the_upper_bound_so_few_hits_have_just_the_risk(total, share, risk):
    hits = int(share * (total - 1))
    bound = upper(hits, total, risk)
    chance = sum(
        math.exp(
            math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
            + k * math.log(bound) + (total - k) * math.log1p(-bound)
        )
        for k in range(hits + 1)
    )  # fmt: skip

    assert chance == pytest.approx(risk, rel=1e-5)
    assert lower(hits, total, risk) <= hits / total <= bound


def test_a_mean_of_few_rows_proves_nothing():
    assert mean_lower(20, 20, 29, 0.05) == -math.inf
    assert 0.49 < mean_lower(5000, 5000, 10_000, 0.05) < 0.5


@pytest.mark.parametrize(("hits", "total", "risk"), [(3, 2, 0.1), (-1, 2, 0.1), (1, 2, 0.0), (1, 2, 1.0)])
def test_what_is_no_count_or_no_chance_is_refused(hits, total, risk):
    with pytest.raises(InputError):
        upper(hits, total, risk)
