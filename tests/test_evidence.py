"""A result is as good as its weakest input."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from reelwise.evidence import ASSUMED, GIVEN, KINDS, MEASURED, PUBLISHED, kind_bit, weakest

BEST_FIRST = (MEASURED, GIVEN, PUBLISHED, ASSUMED)


@pytest.mark.parametrize("bits", list(combinations_with_replacement(BEST_FIRST, 3)))
def test_the_weakest_of_the_inputs_names_the_result(bits: tuple[int, ...]) -> None:
    mask = bits[0] | bits[1] | bits[2]
    assert kind_bit(weakest(mask)) == max(bits, key=BEST_FIRST.index)


def test_nothing_but_settings_is_given() -> None:
    assert weakest(0) == "given"
    assert [kind_bit(name) for _, name in KINDS] == [bit for bit, _ in KINDS]
