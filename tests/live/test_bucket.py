from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.live.bucket import Bucket, hour_bucket, minute_bucket

HOUR_US = 3_600_000_000


def made(bucket: Bucket, moments: list[int]) -> list[int]:
    """Take whenever there is one to take; return when that was."""
    taken = []
    for at in moments:
        bucket.refill(at)
        if bucket.has_call:
            bucket.take()
            taken.append(at)
    return taken


def most_in_a_window(taken: list[int], window: int) -> int:
    return max((sum(start <= at < start + window for at in taken) for start in taken), default=0)


@given(
    st.integers(1, 400),
    st.lists(st.integers(1, 200_000_000), min_size=1, max_size=600),
)
@settings(deadline=None, max_examples=60)
def test_no_hour_ever_takes_more_calls_than_it_may(calls, steps):
    moments, at = [], 0
    for step in steps:
        at += step
        moments += [at, at + 1]  # two frames next to each other

    taken = made(hour_bucket(calls), moments)

    assert most_in_a_window(taken, HOUR_US) <= calls


@pytest.mark.parametrize("calls", [1, 2, 9, 10, 11, 33, 34, 100, 1500, 40_000])
def test_an_hour_of_frames_takes_97_of_100_at_least_and_never_more_than_all(calls):
    taken = made(hour_bucket(calls), list(range(0, HOUR_US, 33_333)))

    assert 0.97 * calls <= len(taken) <= calls


@given(st.fractions(Fraction(1, 10), Fraction(600)))
@settings(deadline=None, max_examples=30)
def test_a_rate_is_what_passes_over_time(rate):
    minutes = 30
    taken = made(minute_bucket(rate), list(range(0, minutes * 60_000_000, 40_000)))

    assert abs(len(taken) - rate * minutes) <= max(2, rate / 2)


def test_nothing_is_rounded():
    bucket = Bucket(Fraction(1, 3), 1_000_000, Fraction(1), Fraction(0))
    for at in range(0, 3_000_001, 7):
        bucket.refill(at)
    assert not bucket.has_call  # 3,000,000 us are not reached by steps of 7
    bucket.refill(3_000_000)
    assert bucket.has_call


def test_what_was_not_billed_flows_back_and_what_cost_more_is_owed():
    bucket = Bucket(Fraction(60), 60_000_000, Fraction(2), Fraction(2))
    bucket.refill(0)
    bucket.take()
    bucket.settle(Fraction(0))
    assert bucket.fullness == 1.0
    bucket.take()
    bucket.settle(Fraction(3))
    assert not bucket.has_call
    assert bucket.fullness == -0.5


def test_time_that_goes_back_brings_nothing():
    bucket = Bucket(Fraction(60), 60_000_000, Fraction(10), Fraction(0))
    bucket.refill(5_000_000)
    bucket.refill(1_000_000)
    bucket.refill(5_000_000)
    assert not bucket.has_call
