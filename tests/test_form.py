"""The form of an answer: what vendors take, and what follows it."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.form import Field, checked, fitted, problem, schema_of, tokens_most

FIELDS = (
    Field(name="people", type="integer", says="how many are seen"),
    Field(name="mood", one_of=("calm", "busy")),
    Field(name="seen", one_of=("dog", "cat"), many=True),
    Field(name="note", or_null=True),
    Field(name="confidence", type="number"),
)
GOOD = {"people": 2, "mood": "calm", "seen": ["dog"], "note": None, "confidence": 0.5}


def test_fields_become_a_closed_schema_that_a_reference_validator_reads_the_same_way():
    schema = schema_of(FIELDS, "ask")

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(GOOD)
    assert problem(GOOD, schema) == ""
    assert schema["required"] == list(GOOD)
    assert schema["properties"]["note"]["type"] == ["string", "null"]
    assert schema["properties"]["people"]["description"] == "how many are seen"


WRONG = {
    "missing": {name: GOOD[name] for name in GOOD if name != "mood"},
    "more": {**GOOD, "more": 1},
    "not of the choice": {**GOOD, "mood": "wild"},
    "a text for a number": {**GOOD, "people": "2"},
    "yes for a number": {**GOOD, "people": True},
    "half a person": {**GOOD, "people": 1.5},
    "too sure": {**GOOD, "confidence": 1.5},
    "one for many": {**GOOD, "seen": "dog"},
    "an unknown among many": {**GOOD, "seen": ["dog", "cow"]},
    "no object": [GOOD],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_follow_is_said_with_its_place(name):
    said = problem(WRONG[name], schema_of(FIELDS, "ask"))

    assert said.startswith("$")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(WRONG[name], schema_of(FIELDS, "ask"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["calm", "dog", "x" * 9]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "other"]), inner, max_size=5),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_our_reading_of_a_schema_is_the_reference_s(value):
    schema = checked(
        {"type": "object", "properties": {
            "people": {"type": "integer", "minimum": 0, "maximum": 3}, "mood": {"type": "string", "maxLength": 4},
            "seen": {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 1, "maxItems": 2},
        }}, "ask",
    )  # fmt: skip
    for one in (value, {"people": value, "mood": value, "seen": value}, {"people": 1, "mood": "ok", "seen": value}):
        follows = jsonschema.Draft202012Validator(schema).is_valid(one)
        assert follows == (problem(one, schema) == ""), (one, problem(one, schema))


def test_a_number_that_is_none_follows_nothing():
    schema = checked({"type": "object", "properties": {"a": {"type": "number"}}}, "ask")

    assert problem({"a": math.nan}, schema)
    assert problem({"a": math.inf}, schema)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}, "'pattern' is not taken"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": []}, "a may be missing"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}, "nobody names"),
        ({"type": "object", "properties": {}}, "no properties"),
        ({"type": "object"}, "no properties"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "has no type"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "no JSON Schema"),
        ({"type": "object", "properties": {"a": {"type": "integer", "minimum": "0"}}}, "is no number"),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": []}}}, "lists nothing"),
        ({"type": "string"}, "an answer is an object"),
    ],
)
def test_a_schema_that_some_vendor_refuses_is_refused_with_its_place(schema, said):
    with pytest.raises(DocumentError, match=said) as caught:
        schema_of(schema, "ask $.answer")

    assert caught.value.where.startswith("ask $.answer")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ((Field(name="a"), Field(name="a")), "the same name"),
        ((Field(name="a", type="integer", one_of=("1",)),), "one_of of a"),
        ((Field(name="a", one_of=("x", "x")),), "one_of of a"),
    ],
)
def test_fields_that_cannot_be_are_refused(fields, said):
    with pytest.raises(DocumentError, match=said):
        schema_of(fields, "ask")


def test_each_vendor_gets_what_it_takes_and_answers_are_held_against_all_of_it():
    schema = checked(
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}, "t": {"type": "string", "maxLength": 5},
         "l": {"type": "array", "items": {"type": "number", "maximum": 9}, "minItems": 2}}}, "ask",
    )  # fmt: skip
    sent = {kind: json.dumps(fitted(schema, kind)) for kind in ("openai", "gemini", "anthropic")}

    assert all("maxLength" not in text for text in sent.values())
    assert "minimum" in sent["openai"]
    assert "minItems" in sent["gemini"]
    assert not any(word in sent["anthropic"] for word in ("minimum", "maximum", "minItems"))
    assert "maxLength" in json.dumps(schema)


def test_a_form_without_free_text_says_how_long_its_answers_are():
    plain = schema_of((Field(name="people", type="integer"), Field(name="mood", one_of=("calm", "very busy"))), "ask")
    size = tokens_most(plain)

    assert size is not None
    assert size >= len(json.dumps({"people": 12, "mood": "very busy"}, separators=(",", ":")))
    assert tokens_most(schema_of(FIELDS, "ask")) is None
