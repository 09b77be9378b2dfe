"""Texts that say the opposite do not agree, however many words they share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.run.agreement import text_likeness
from reelwise.run.claims import contradiction


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No person is at the gate.", "A person is at the gate."),
        ("There is no person in the picture.", "There is a person in the picture."),
        ("The truck does not move.", "The truck moves slowly."),
        ("The person isn't wearing a helmet.", "The person is wearing a helmet."),
        ("A worker without a helmet.", "A worker with a helmet."),
        ("Nobody is in the yard.", "A person walks through the yard."),
        ("Two people talk.", "Three people talk."),
        ("A red car passes.", "Two red cars pass."),
        ("There are no cars.", "There are 2 cars."),
        ("Yes, the gate is open.", "No, the gate is open."),
        ("5", "6"),
    ],
)
def test_negations_and_numbers_contradict_both_ways(one, other):
    assert contradiction(one, other)
    assert contradiction(other, one)
    assert text_likeness(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A person is at the gate.", "At the gate is a person."),
        ("3 cars and a truck.", "Three cars, one truck."),
        ("No cars pass.", "There are 0 cars."),
        ("No person at first, then a person walks in.", "A person walks in."),
        ("No person is at the gate.", "The gate is closed."),
        ("A man in a blue shirt walks left.", "A man wearing blue walks to the left."),
        ("No.", "No, nothing moves."),
        ("", "A person."),
    ],
)
def test_what_only_differs_in_words_is_no_contradiction(one, other):
    assert contradiction(one, other) == contradiction(other, one) == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_contradicts_itself_and_both_ways_are_one(one, other):
    assert contradiction(one, one) == ""
    assert bool(contradiction(one, other)) == bool(contradiction(other, one))
