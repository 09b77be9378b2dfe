from __future__ import annotations

import math

import pytest

from reelwise.report.numbers import as_words, clock, duration, factor, money, money_short, no_less, percent, quantity


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (money(47300), "47,300.00"),
        (money(0.161), "0.1610"),
        (money(9.2e-7), "0.00000092"),
        (money(1.25e-6), "0.00000125"),
        (money(0), "0.00"),
        (money(1e-12), "1e-12"),
        (money(None), "-"),
        (money_short(24120.4), "24,120"),
        (money_short(211.77), "211.77"),
        (factor(1.25), "1.25x"),
        (factor(39.09), "39.1x"),
        (factor(9.996), "10.0x"),
        (factor(1234.4), "1,234x"),
        (factor(math.inf), "all of it"),
        (factor(None), "-"),
        (percent(0.48), "48%"),
        (percent(0.025), "2.5%"),
        (percent(-0.0833), "-8.3%"),
        (percent(0.0004), "0.04%"),
        (percent(-5.4e-15), "0%"),
        (percent(None), "-"),
        (no_less(1.0), "100%"),
        (no_less(0.998), "over 99%"),
        (no_less(0.93), "93%"),
        (quantity(1_920_000), "1,920,000"),
        (quantity(0.3745), "0.374"),
        (quantity(80.3), "80.3"),
        (duration(0.0), "0 s"),
        (duration(8.24), "8.2 s"),
        (duration(59.97), "1 min"),
        (duration(200), "3 min 20 s"),
        (duration(3900), "1 h 05 min"),
        (clock(7.42), "0:07.4"),
        (clock(59.96), "1:00.0"),
        (clock(3723.5), "1:02:03.5"),
        (as_words(6, "lever"), "six levers"),
        (as_words(1, "lever"), "one lever"),
        (as_words(14, "clip"), "14 clips"),
        (as_words(2, "stretch", "stretches"), "two stretches"),
    ],
)
def test_numbers_as_people_read_them(said: str, wanted: str) -> None:
    assert said == wanted
