"""What is said around the video."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.form import Field
from reelwise.script import Example, Part, Script, text_tokens

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


TEMPLATED = Script(
    task="ask",
    policy=(
        Part(name="rules", text="Count people in {{site}}."),
        Part(name="where", text="This is {{camera}}, {{clip}} of {{folder}}."),
        Part(name="more", text="Be brief."),
    ),
    questions=("What happens at {{camera}}?",),
    fields={"site": "Berlin"},
    items={"*": {"camera": "a door"}, "bay*": {"camera": "North gate"}},
)


def test_what_differs_from_item_to_item_goes_behind_what_repeats():
    TEMPLATED.check()
    bay = TEMPLATED.about("bay1.mp4", "monday", seconds=61.7, start=10.0)
    door = TEMPLATED.about("x.mp4", "tuesday", seconds=3)

    assert [part.name for part in bay.repeated] == ["rules", "more"]
    assert bay.instructions == door.instructions == "Count people in Berlin.\n\nBe brief."
    assert bay.of_item == "This is North gate, bay1.mp4 of monday."
    assert door.of_item == "This is a door, x.mp4 of tuesday."
    assert bay.asked == ("What happens at North gate?",)
    assert TEMPLATED.prefix_tokens == bay.prefix_tokens


def test_a_field_that_nothing_fills_in_is_refused_before_anything_is_sent():
    with pytest.raises(DocumentError, match=r"\{\{camara\}\}") as caught:
        Script(policy="See {{camara}}.", items={"*": {"camera": "x"}}).check()
    assert "camera" in caught.value.hint
    only = Script(policy="See {{camera}}.", items={"bay*": {"camera": "x"}})
    only.check()
    with pytest.raises(DocumentError, match="for this clip") as caught:
        only.about("door.mp4", "", seconds=1)
    assert caught.value.where == "door.mp4"


def test_what_a_run_fills_in_cannot_be_given():
    with pytest.raises(DocumentError, match="a run fills this in"):
        Script(own={"clip": "x"}).check()


def test_caps_keep_to_what_repeats_and_what_differs_apart():
    short, said = TEMPLATED.trimmed(TEMPLATED.parts[0].tokens, 20)

    assert [part.name for part in short.parts] == ["rules", "where"]
    assert said == ("part more is left out (3 tokens)",)
    tight, said = TEMPLATED.trimmed(None, 8)
    assert [part.name for part in tight.parts] == ["rules", "more"]
    assert "part where is left out" in said[0]


def test_a_part_is_left_out_by_its_name():
    left = TEMPLATED.without("where")

    assert [part.name for part in left.parts] == ["rules", "more"]
    with pytest.raises(DocumentError, match="no part is named"):
        TEMPLATED.without("nothing")


FORM = (Field(name="people", type="integer"), Field(name="mood", one_of=("calm", "busy")))


def test_examples_come_behind_the_policy_and_follow_the_form():
    script = Script(
        task="ask", policy="Count.", questions=("How many?",), answer=FORM,
        examples=(Example(shown="a street", question="How many?", answer={"people": 3, "mood": "busy"}),),
    )  # fmt: skip
    script.check()

    assert [part.name for part in script.parts] == ["policy", "example 1"]
    assert script.instructions.endswith('Question: How many?\nAnswer: {"people":3,"mood":"busy"}')
    assert [part.name for part in script.without("example 1").parts] == ["policy"]
    bad = Example(answer={"people": "three", "mood": "busy"})
    with pytest.raises(DocumentError, match=r"\$\.people is no integer"):
        Script(task="ask", questions=("?",), answer=FORM, examples=(bad,)).check()
    with pytest.raises(DocumentError, match="none of the labels"):
        Script(task="moderate", labels=("a", "b"), examples=(Example(answer="c"),)).check()


def test_a_form_gives_the_schema_and_the_length_of_an_answer():
    script = Script(task="ask", questions=("?",), answer=FORM)
    both = json.loads(Script(task="ask", questions=("?", "!"), answer=FORM).schema(2, keyed=True))

    assert json.loads(script.schema())["properties"]["mood"]["enum"] == ["calm", "busy"]
    assert script.output_expected < 15
    assert list(both["properties"]["answers"]["properties"]) == ["q1", "q2"]
    with pytest.raises(DocumentError, match="has its own form"):
        Script(task="moderate", labels=("a", "b"), answer=FORM).check()
