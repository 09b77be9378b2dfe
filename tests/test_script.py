"""What is said around the video."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.script import Part, Script, text_tokens

PARTS = tuple(Part(name=f"p{number}", text=f"Rule {number}. " * (20 + number)) for number in range(4))


def test_later_parts_go_first_and_whole():
    script = Script(policy=PARTS)
    cap = PARTS[0].tokens + PARTS[1].tokens + 5
    short, said = script.trimmed(cap, None)

    assert [part.name for part in short.parts] == ["p0", "p1"]
    assert [text.split()[1] for text in said] == ["p2", "p3"]


def test_the_first_part_alone_is_cut_at_the_end_of_a_sentence():
    short, said = Script(policy=PARTS[:1]).trimmed(20, None)

    assert short.parts[0].text.endswith(".")
    assert short.parts[0].tokens <= 20
    assert "is cut" in said[0]


@given(st.text(min_size=1, max_size=400), st.integers(1, 60))
def test_no_cap_is_exceeded(text, cap):
    short, _ = Script(policy=text, task="ask", questions=(text,)).trimmed(cap, cap)

    assert short.prefix_tokens <= cap + 1
    assert all(text_tokens(one) <= max(1, cap) + 1 for one in short.asked)


def test_a_cap_above_everything_changes_nothing():
    script = Script(policy=PARTS, questions=("What happens?",))

    assert script.trimmed(1e6, 1e6) == (script.trimmed(None, None)[0], ())


def test_answers_follow_a_schema_where_there_are_labels_or_several_questions():
    one = json.loads(Script(task="moderate", labels=("a", "b")).schema())
    many = json.loads(Script(task="ask", questions=("x?", "y?")).schema(2))

    assert one["properties"]["label"]["enum"] == ["a", "b"]
    assert many["properties"]["answers"]["minItems"] == 2
    assert Script().schema() == b""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (Script(task="moderate", labels=("a",)), "1 labels"),
        (Script(task="moderate", labels=("a", "a")), "2 labels"),
        (Script(labels=("a", "b")), "task moderate"),
        (Script(task="ask"), "nothing is asked"),
        (Script(policy=(PARTS[0], PARTS[0])), "the same name"),
    ],
)
def test_what_cannot_be_asked_is_refused(script, said):
    with pytest.raises(DocumentError, match=said):
        script.check()
