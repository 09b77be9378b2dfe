from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.route.outcomes import numbers_of, width_of
from reelwise.route.text import ANSWER, BETWEEN, QUESTION, answer_row, between_row, final_answer, question_row


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_text_has_finite_numbers_of_one_width(one, other):
    assert len(question_row(one)) == len(QUESTION)
    assert len(answer_row(one)) == len(ANSWER)
    between = between_row(one, other, one_final=final_answer(one), other_final=final_answer(other))
    assert len(between) == len(BETWEEN)
    row = numbers_of(one, (one, other), (1.0,))
    assert len(row) == width_of(2, 1)
    assert all(map(math.isfinite, row))


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("So the answer is (C).", "c"),
        ("The answer is A. Wait: the answer is **(B)**", "b"),
        ("I cannot tell.", ""),
        ("Answer: 42", "42"),
    ],
)
def test_the_last_conclusion_counts(text, final):
    assert final_answer(text) == final


def test_sums_are_checked():
    right, wrong = ANSWER.index("sums_right"), ANSWER.index("sums_wrong")
    row = answer_row("First 12 * 3 = 36. Then $36 + 1.5 = 37.5. Then 10 / 4 = 3.5, and 5 / 0 = 1.")

    assert (row[right], row[wrong]) == (2, 2)


def test_a_very_long_text_is_read_in_part_and_fast():
    row = question_row("9 + " * 500_000)

    assert row[QUESTION.index("length")] <= math.log1p(40_000)
    assert answer_row("1 " * 100_000 + "= 3")[ANSWER.index("sums_wrong")] == 0
