"""Answers in a form, on all three vendors' wires: strict, and shorter than free text."""

from __future__ import annotations

import json

import pytest

SAMPLE = {"stage": "sample", "fps": 0.5}
MODELS = ["gemini-2.5-flash", "gpt-4o", "claude-haiku-4-5"]
FORM = [
    {"name": "people", "type": "integer", "says": "how many are seen"},
    {"name": "mood", "one_of": ["calm", "busy"]},
    {"name": "seen", "one_of": ["dog", "cat"], "many": True},
    {"name": "confidence", "type": "number"},
]
ASK = {"task": "ask", "policy": "Count.", "questions": ["What is there?", "And behind?"], "answer": FORM}
QUICK = {"batch_seconds": 0.1}


def stages(model, **more):
    return [SAMPLE, {"stage": "call", "model": model, **more}]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("how", [{}, {"ask": "once"}, {"mode": "batch"}, {"mode": "batch", "ask": "once"}], ids=str)
def test_each_question_is_answered_in_the_form_that_was_asked_for(model, how, drawn_clip, write_plan, open_session):
    with open_session(write_plan(*stages(model, **how), ask=ASK), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    answers = result.results[0].answers

    assert [one.status for one in answers] == ["ok", "ok"]
    for one in answers:
        assert set(one.value) == {"people", "mood", "seen", "confidence"}
        assert isinstance(one.value["people"], int)
        assert one.value["mood"] in {"calm", "busy"}
        assert set(one.value["seen"]) <= {"dog", "cat"}
    assert result.receipt.reconciled.residual_nano == 0
    if not how:
        assert [one.confidence for one in answers] == [one.value["confidence"] for one in answers]


@pytest.mark.parametrize("model", MODELS)
def test_a_form_without_free_text_costs_less_than_free_text(model, drawn_clip, write_plan, open_session):
    found = {}
    for name, form in (("free", ()), ("form", FORM)):
        plan = write_plan(*stages(model), ask={**ASK, "answer": form}, name=f"{name}.yaml")
        with open_session(plan, out=name) as (session, job):
            found[name] = session.run(job.case.plan, session.decoded([drawn_clip])).receipt

    assert found["form"].usage["tokens_output"] < found["free"].usage["tokens_output"] / 2
    assert found["form"].cost_nano < found["free"].cost_nano


@pytest.mark.parametrize(
    "call", [{"model": model, "mode": mode} for model in MODELS for mode in ("standard", "batch")], ids=str
)
def test_an_answer_that_does_not_follow_is_unreadable_and_paid(call, drawn_clip, write_plan, open_session, monkeypatch):
    from reelwise.sandbox import drawing

    real = drawing._Filling.value

    def wild(self, schema, name="", depth=0):
        return "many" if name == "people" else real(self, schema, name, depth)

    monkeypatch.setattr(drawing._Filling, "value", wild)
    with open_session(write_plan(*stages(**call), ask=ASK), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert [one.status for one in result.outcomes] == ["unreadable"] * 2
    assert "$.people is no integer" in result.outcomes[0].error
    assert result.results[0].answers[0].value is None
    assert result.receipt.cost_nano == result.receipt.reconciled.invoice_nano > 0
    assert result.receipt.reconciled.residual_nano == 0


def test_a_label_that_is_none_of_them_is_unreadable(drawn_clip, write_plan, open_session, monkeypatch):
    from reelwise.models.answer import Answer

    monkeypatch.setattr(Answer, "json", lambda _: {"label": "wild", "confidence": 0.9})
    with open_session(write_plan(*stages("gpt-4o"))) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert [one.status for one in result.outcomes] == ["unreadable"]
    assert "another label" in result.outcomes[0].error


def test_a_form_as_a_json_schema_goes_out_as_each_vendor_takes_it(drawn_clip, write_plan, open_session, monkeypatch):
    from reelwise.models.http import Http

    sent = []
    real = Http.send

    def noted(self, method, path, **more):
        if more.get("body") is not None:
            sent.append(b"".join(more["body"].chunks()))
        return real(self, method, path, **more)

    monkeypatch.setattr(Http, "send", noted)
    schema = {"type": "object", "properties": {"people": {"type": "integer", "minimum": 0, "maximum": 99}, "note": {"type": "string", "maxLength": 400}}}  # fmt: skip
    for model in MODELS:
        plan = write_plan(*stages(model), ask={**ASK, "answer": schema}, name=f"{model}.yaml")
        with open_session(plan, out=model) as (session, job):
            result = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert [one.status for one in result.results] == ["ok"]
    gemini, openai, anthropic = (json.loads(sent[at]) for at in (0, 2, 4))

    assert gemini["generationConfig"]["responseJsonSchema"]["properties"]["people"]["maximum"] == 99
    assert openai["response_format"]["json_schema"]["strict"] is True
    shape = openai["response_format"]["json_schema"]["schema"]
    assert shape["additionalProperties"] is False
    assert set(shape["required"]) == {"people", "note"}
    assert "maxLength" not in shape["properties"]["note"]
    assert anthropic["output_config"]["format"]["schema"]["properties"]["people"] == {"type": "integer"}


def test_a_cheap_model_in_doubt_of_its_form_hands_on(drawn_clip, write_plan, open_session):
    plan = write_plan(
        SAMPLE,
        {"stage": "call", "model": "gpt-4o-mini"},
        {"stage": "escalate", "sure": 0.999},
        {"stage": "call", "lane": "doubt", "model": "gpt-4o"},
        ask={**ASK, "questions": ["What is there?"]},
    )
    with open_session(plan, scenario={"difficulty": [0.9, 0.0]}) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert [one.model for one in result.outcomes] == ["gpt-4o-mini", "gpt-4o"]
    assert result.outcomes[0].confidence == json.loads(result.outcomes[0].text)["confidence"]
    assert result.results[0].answers[0].model == "gpt-4o"
