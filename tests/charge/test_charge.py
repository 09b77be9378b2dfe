"""What a call did cost."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.charge import charge, hold
from reelwise.errors import InputError, UnknownModelError, UnpricedError
from reelwise.requests import Request, Usage


def test_a_call_is_charged_to_the_nano_dollar(book):
    # 9,288 x 1.25 + 40 x 1.25 + 212 x 10 USD a million
    request = Request(model="gemini-2.5-pro", count=1, tokens_video=9288, tokens_text=40, tokens_output=212)

    assert charge(request, book).nano == 13_780_000


def test_the_whole_call_is_repriced_above_the_cliff(book):
    below = charge(Request(model="gemini-2.5-pro", count=1, tokens_video=200_000), book)
    above = charge(Request(model="gemini-2.5-pro", count=1, tokens_video=200_001), book)

    assert below.nano == 250_000_000
    assert above.nano == 500_002_500


def test_cached_tokens_cost_their_own_price(book):
    request = Request(model="gpt-4o", count=1, tokens_text=100, tokens_cached=1000)

    assert charge(request, book).nano == 100 * 2500 + 1000 * 1250


def test_published_example_of_the_month_s_minutes(book):
    """1,000 requests of 82 s: 1,366.667 minutes, the first 1,000 free: 36.67 dollars (the vendor's page)."""
    sku, used, nano = "google/video-intelligence/label", 0.0, 0
    carry = Fraction(0)
    for _ in range(1000):
        done = charge(Request(model=sku, count=1, seconds=82), book, position={(sku, "minute"): used}, carry=carry)
        used, nano, carry = used + 82 / 60, nano + done.nano, done.carry

    assert nano == pytest.approx(36_666_666_667, abs=200)


def test_a_minimum_and_a_block_are_of_each_call(book):
    assert charge(Request(model="groq/whisper-large-v3", count=1, seconds=4), book).nano == 308_333
    assert charge(Request(model="fal/sam-3", count=1, images=300), book).nano == 95_000_000


def test_a_quantity_of_one_unit_is_charged(book):
    assert charge(Usage(sku="modal/h100", unit="second", quantity=100.0), book).nano == 109_700_000


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_usage_that_cannot_be_is_refused(book, bad):
    with pytest.raises(InputError, match="tokens_text is"):
        charge(Request(model="gpt-4o", count=1, tokens_text=bad), book)


def test_many_calls_in_an_array_are_refused(book):
    import numpy as np

    with pytest.raises(InputError, match="is an array") as caught:
        charge(Request(model="gpt-4o", count=1, tokens_text=np.array([1.0, 2.0])), book)
    assert caught.value.hint == "charge one call at a time"


def test_what_has_no_price_is_named_and_never_nothing(book):
    for call, error in (
        (Request(model="no-such-model", count=1, tokens_text=5), UnknownModelError),
        (Request(model="aws/rekognition/video-streaming", count=1, seconds=5), UnpricedError),
        (Request(model="gpt-4o", count=1, mode="flex", tokens_text=5), UnpricedError),
        (Usage(sku="aws/spot", unit="hour", quantity=1.0), UnpricedError),
    ):
        with pytest.raises(error):
            charge(call, book)
        with pytest.raises(error):
            hold(call, book)


def test_usage_in_a_unit_that_is_not_billed_is_an_error(book):
    with pytest.raises(InputError, match="no unit that it is billed by"):
        charge(Request(model="aws/rekognition/labels", count=1, seconds=10), book)


@given(
    quantities=st.lists(st.integers(1, 10**6), min_size=1, max_size=30), usd=st.sampled_from([7.5e-08, 1e-09, 3e-07])
)
def test_a_batch_that_carries_adds_up_exactly(quantities, usd):
    book = _Flat(usd / 1000)
    carry, nano = Fraction(0), 0
    for quantity in quantities:
        done = charge(Usage(sku="a/b", unit="image", quantity=float(quantity)), book, carry=carry)
        held = hold(Usage(sku="a/b", unit="image", quantity=float(quantity)), book)
        assert 0 <= done.nano <= held.nano
        carry, nano = done.carry, nano + done.nano
        assert -1 < carry < 1
    whole = Fraction(repr(usd / 1000)) * 10**9 * sum(quantities)

    assert nano + carry == whole


class _Flat:
    """A book with one price under a nano-dollar."""

    def __init__(self, usd):
        self._usd = usd

    def is_language_model(self, _):
        return False

    def rate(self, sku, unit):
        from reelwise.rates import Rate

        return Rate(sku=sku, unit=unit, usd=self._usd)
