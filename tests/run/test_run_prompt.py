"""The prompt, part by part: what goes in front, what it costs, what keeps a cache from it, and what answers need."""

from __future__ import annotations

import json

import pytest

from reelwise.errors import BudgetError, DocumentError, InputError
from reelwise.run.prompting import prompt_notes
from reelwise.run.trimming import trim
from reelwise.script import Part, Script

SAMPLE = {"stage": "sample", "fps": 0.5}
MODELS = ["gemini-2.5-flash", "gpt-4o", "claude-sonnet-4-6"]
RULES = "You watch a loading bay. " + "Say what happens, and nothing of what you only guess. " * 200
ASK = {
    "task": "ask",
    "policy": [
        {"name": "rules", "text": RULES},
        {"name": "where", "text": "This is {{camera}}, clip {{clip}}."},
        {"name": "style", "text": "Answer in one sentence."},
    ],
    "questions": ["What happens?", "How many people are at {{camera}}?"],
    "items": {"*": {"camera": "a door"}, "clip0*": {"camera": "North gate"}},
    "output_most": 80,
}


@pytest.fixture
def sent(monkeypatch):
    """The bodies of all calls, as they go out."""
    from reelwise.models.http import Http

    found = []
    real = Http.send

    def noted(self, method, path, **more):
        if more.get("body") is not None:
            found.append(b"".join(more["body"].chunks()))
        return real(self, method, path, **more)

    monkeypatch.setattr(Http, "send", noted)
    return found


def in_front(model, body):
    """Return what a vendor reads first: its instructions, and what stands before the media."""
    tree = json.loads(body)
    if model.startswith("gemini"):
        return tree["systemInstruction"], tree["contents"][0]["parts"][0], tree["contents"][0]["parts"][-1]
    if model.startswith("claude"):
        return tree["system"], tree["messages"][0]["content"][0], tree["messages"][0]["content"][-1]
    return tree["messages"][0], tree["messages"][1]["content"][0], tree["messages"][1]["content"][-1]


@pytest.mark.parametrize("model", MODELS)
def test_what_repeats_goes_out_first_and_equal_to_the_byte(model, sent, copies, write_plan, open_session):
    plan = write_plan(SAMPLE, {"stage": "call", "model": model, "cache": "prefix"}, ask=ASK)
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(2)))
    fronts = [in_front(model, body) for body in sent]

    assert [one.status for one in result.results] == ["ok", "ok"]
    assert len({json.dumps(front) for front, _, _ in fronts}) == 1
    assert "Answer in one sentence." in json.dumps(fronts[0][0])  # behind `where` in the file, in front of it when sent
    assert ["North gate" in json.dumps(own) for _, own, _ in fronts] == [True, True, False, False]
    assert [json.dumps(last).count("people are at") for *_, last in fronts] == [0, 1, 0, 1]
    # the bytes themselves: all bodies begin alike, up to the end of the instructions and beyond
    least = min(len(body) for body in sent)
    same = next((at for at in range(least) if len({body[at] for body in sent}) > 1), least)
    assert same > sent[0].index(b"Answer in one sentence.")
    if model != "gemini-2.5-flash":
        assert result.receipt.usage["tokens_cached"] > 2000
    assert result.receipt.reconciled.residual_nano == 0


def test_a_clip_without_a_field_ends_the_run_before_anything_is_sent(sent, copies, write_plan, open_session):
    ask = {**ASK, "items": {"clip0*": {"camera": "North gate"}}}
    plan, paths = write_plan(SAMPLE, {"stage": "call", "model": "gpt-4o"}, ask=ask), copies(2)
    with open_session(plan) as (session, job), pytest.raises(DocumentError, match="for this clip"):
        session.run(job.case.plan, session.decoded(paths))

    assert not sent


@pytest.mark.parametrize("cache", ["none", "prefix"])
@pytest.mark.parametrize("model", MODELS)
def test_the_receipt_shares_the_bill_out_over_the_parts(model, cache, copies, write_plan, open_session):
    plan = write_plan(SAMPLE, {"stage": "call", "model": model, "cache": cache}, ask=ASK)
    with open_session(plan, at_once=1) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(2)))
    (sheet,) = result.receipt.prompt
    rows = {row.part: row for row in sheet.rows}

    assert sheet.calls == 4
    assert sheet.usd == pytest.approx(result.receipt.cost_usd)
    assert sum(row.share for row in sheet.rows) == pytest.approx(1)
    assert list(rows)[:2] == ["rules", "style"]
    assert list(rows)[-3:] == ["where", "questions (2)", "answer"] or "form of the answer" in rows
    assert rows["rules"].tokens == pytest.approx(Part(name="r", text=RULES).tokens, rel=0.02)
    metered = sum(value for name, value in result.receipt.usage.items() if name != "tokens_output")
    assert 4 * sum(row.tokens for row in sheet.rows if row.kind != "answer") == pytest.approx(metered, rel=0.001)
    reads = cache == "prefix" and model != "gemini-2.5-flash"
    assert rows["rules"].cached == (pytest.approx(0.75, abs=0.05) if reads else 0)
    assert rows["where"].cached == 0


def test_explicit_caches_are_shared_out_with_what_keeping_them_costs(drawn_clip, write_plan, open_session):
    plan = write_plan({"stage": "call", "model": "gemini-2.5-pro", "cache": "explicit"}, ask=ASK)
    with open_session(plan) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    (sheet,) = result.receipt.prompt
    rows = {row.part: row for row in sheet.rows}

    assert sheet.usd == pytest.approx(result.receipt.cost_usd)
    assert rows["keeping the cache"].usd > 0
    assert rows["rules"].cached == rows["video, pictures, sound"].cached == 1


def plan_of(write_plan, **call):
    from reelwise.run.job import read_job

    return read_job(write_plan(SAMPLE, {"stage": "call", "model": "gpt-4o", **call})).case.plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is 2026-11-28T14:03:11 now.", "a time of day (2026-11-28T14:03:11)"),
        ("Session 123e4567-e89b-12d3-a456-426614174000.", "an id"),
        ("Began at 1764338591.", "a number of seconds since 1970"),
        ("Build d41d8cd98f00b204e9800998ecf8427e.", "a hash"),
    ],
)
def test_text_that_looks_as_if_it_changed_from_run_to_run_is_named(text, said, write_plan):
    script = Script(policy=(Part(name="rules", text="Count. " * 100), Part(name="head", text=text)))
    (note,) = prompt_notes(plan_of(write_plan), script)

    assert said in note
    assert "part head" in note
    assert "ends there, after 1" in note  # 175 tokens of rules, and a few


@pytest.mark.parametrize(
    "text", ["Count from 9:30 to 17:00.", "Since 2003 the doors are green.", "Call 555 1234567890123456."]
)
def test_plain_text_is_not_taken_for_a_moment(text, write_plan):
    assert not prompt_notes(plan_of(write_plan), Script(policy=text))


def test_a_prefix_that_is_too_short_for_its_model_is_said_with_both_numbers(write_plan):
    script = Script(policy="x" * 3600)
    short = {"gpt-4o": "1,024", "claude-haiku-4-5": "4,096", "gemini-2.5-pro": "2,048"}

    for model, least in short.items():
        (note,) = prompt_notes(plan_of(write_plan, model=model, cache="prefix"), script)
        assert f"has 900 tokens; its prompt cache starts at {least}" in note
    assert not prompt_notes(plan_of(write_plan, model="claude-opus-5-5", cache="prefix"), script)


def test_a_prefix_that_was_never_read_is_said(copies, write_plan, open_session):
    plan = write_plan(SAMPLE, {"stage": "call", "model": "claude-sonnet-4-6", "cache": "prefix"}, ask=ASK)
    with open_session(plan, at_once=1, scenario={"cache_seconds": 0.0}) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(2)))

    assert any("none of 4 calls to claude-sonnet-4-6 read the prefix" in note for note in result.notes)


# leaving parts out

NEEDS = {
    "needs": [{"match": "mast", "share": 0.5}, {"match": "never guess", "share": 0.7}],
    "models": [{"match": "", "skill": 0.9}],
}
TRIMMED = {
    "task": "moderate",
    "labels": ["quiet", "busy", "unusual"],
    "policy": [
        {"name": "rules", "text": "Say what happens; never guess."},
        {"name": "forklifts", "text": "A forklift is any vehicle with a mast."},
        {"name": "history", "text": "The bay was built in 1987. " * 30},
        {"name": "doors", "text": "Its doors are green. " * 10},
    ],
    "output_most": 60,
}
CALL = {"stage": "call", "model": "gpt-4o"}


@pytest.fixture(scope="module")
def long_bay(tmp_path_factory):
    from reelwise import video

    path = tmp_path_factory.mktemp("bay") / "bay.mp4"
    video.draw_demo(path, seconds=400, width=64, height=36, fps=2)
    return path


def test_parts_that_answers_need_are_told_from_those_they_do_not(long_bay, write_plan, open_session):
    plan = write_plan({"stage": "sample", "fps": 0.2}, CALL, ask=TRIMMED)
    with open_session(plan, scenario=NEEDS, at_once=4) as (session, job):
        found = trim(session, job, session.decoded([long_bay]), most_usd=5.0)
    parts = {one.part: one for one in found.parts}

    assert found.items == found.of == 40
    assert found.what == "labels"
    assert found.again.value == 1
    assert {name: one.verdict for name, one in parts.items()} == {
        "rules": "needed", "forklifts": "needed", "history": "not needed", "doors": "not needed",
    }  # fmt: skip
    assert parts["history"].agreement.value == 1
    assert parts["history"].agreement.low > 0.9
    assert 0.3 < parts["forklifts"].agreement.value < 0.7
    assert found.together.part == "history, doors"
    assert found.together.verdict == "not needed"
    assert found.together.saved_share > parts["history"].saved_share > parts["doors"].saved_share > 0
    assert found.cost_usd > 6 * 0.9 * found.usd


def test_the_same_test_finds_the_same(bays, write_plan, open_session):
    plan = write_plan(SAMPLE, CALL, ask=TRIMMED)
    found = []
    for out in ("one", "two"):
        with open_session(plan, out=out, scenario=NEEDS) as (session, job):
            found.append(trim(session, job, session.decoded(bays), most_usd=5.0, parts=False))

    assert found[0] == found[1]
    assert {one.verdict for one in found[0].parts} <= {"needed", "open"}  # eight answers prove no nine in ten
    assert any("from 35 answers on" in note for note in found[0].notes)


def test_a_budget_decides_on_how_many_items(bays, write_plan, open_session):
    plan = write_plan(SAMPLE, CALL, ask=TRIMMED)
    with open_session(plan, scenario=NEEDS) as (session, job):
        tracks = session.decoded(bays)
        found = trim(session, job, tracks, most_usd=0.06, parts=False)
        with pytest.raises(BudgetError, match="one item asked 7 times"):
            trim(session, job, tracks, most_usd=0.0001, parts=False)

    assert 1 <= found.items < 8
    assert found.cost_usd <= 0.06


def test_instructions_without_parts_have_none_to_leave_out(bays, write_plan, open_session):
    plan = write_plan(SAMPLE, CALL, ask={"task": "describe"})
    with open_session(plan) as (session, job), pytest.raises(InputError, match="0 parts"):
        trim(session, job, session.decoded(bays[:1]), most_usd=1.0)


@pytest.mark.parametrize(
    ("answer", "what"),
    [((), "text"), ([{"name": "people", "type": "integer"}, {"name": "note"}], "fields"), ([{"name": "note"}], "text")],
)
def test_what_is_compared_is_what_can_be_the_same(answer, what, bays, write_plan, open_session):
    ask = {"task": "ask", "questions": ["What?"], "policy": TRIMMED["policy"][1:3], "answer": answer, "output_most": 60}
    with open_session(write_plan(SAMPLE, CALL, ask=ask), scenario=NEEDS) as (session, job):
        found = trim(session, job, session.decoded(bays), most_usd=5.0, parts=False)
    parts = {one.part: one for one in found.parts}

    assert found.what == what
    assert found.again.value == parts["history"].agreement.value == 1
    assert parts["forklifts"].agreement.value < 1
