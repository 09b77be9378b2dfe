"""`reelwise prompt` as it is typed."""

from __future__ import annotations

import json

import pytest
import yaml

from reelwise.price import price_one
from reelwise.run.job import read_job

ASK = {
    "task": "moderate",
    "labels": ["quiet", "busy"],
    "policy": [
        {"name": "rules", "text": "A forklift is any vehicle with a mast. " * 20},
        {"name": "history", "text": "The bay was built in 1987. " * 50},
        {"name": "where", "text": "This is {{camera}}."},
    ],
    "items": {"*": {"camera": "a door"}},
    "output_most": 60,
}
STAGES = [{"stage": "sample", "fps": 0.5}, {"stage": "call", "model": "gpt-4o", "cache": "prefix"}]
PLAN = {"feature": "bay", "day": "2026-11-22", "latency": "day", "demand": {"hours": 10}, "ask": ASK, "plan": {"stages": STAGES}}  # fmt: skip


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


def test_the_month_is_shared_out_over_the_parts_without_a_call(plan, told):
    found, err = told("prompt", plan, "--json")
    job = read_job(plan)
    priced = price_one(job.workload(job.case.plan), job.case.plan, job.case.facts, job.case.book)
    (sheet,) = found["sheets"]
    rows = {row["part"]: row for row in sheet["rows"]}

    assert err == ""
    assert found["test"] is None
    assert list(rows) == [
        "rules", "history", "video, pictures, sound", "where", "question", "form of the answer", "answer",
    ]  # fmt: skip
    assert sheet["usd"] == pytest.approx(sum(row["usd"] for row in sheet["rows"]))
    assert sheet["usd"] == pytest.approx(sum(float(line.usd) for line in priced.lines if line.stage == "call"))
    assert sum(row["share"] for row in sheet["rows"]) == pytest.approx(1)
    assert any("its prompt cache starts at 1,024" in note for note in found["notes"])
    assert any("where differs from item to item" in note for note in found["notes"])


def test_a_long_prefix_shows_what_a_cache_keeps_of_it(plan, told):
    found, _ = told("prompt", plan, "--set", "ask.policy=" + json.dumps("Be brief. " * 600), "--json")
    (sheet,) = found["sheets"]

    assert sheet["prefix_tokens"] == 1500
    assert 0 < sheet["rows"][0]["cached"] <= 1
    assert not any("starts at" in note for note in found["notes"])


def test_parts_are_left_out_on_a_clip_under_a_budget(drawn_clip, plan, tmp_path, told):
    scenario = tmp_path / "s.yaml"
    scenario.write_text(yaml.safe_dump({"needs": [{"match": "mast", "share": 1.0}]}))
    words = ("prompt", plan, drawn_clip, "--sandbox", "--scenario", scenario, "--max-usd", 1)
    found, _ = told(*words, "--out", tmp_path / "json", "--json")
    out, _ = told(*words, "--out", tmp_path / "text")
    parts = {one["part"]: one for one in found["test"]["parts"]}

    assert parts["rules"]["agreement"]["value"] == 0
    assert parts["history"]["agreement"]["value"] == 1
    assert parts["history"]["saved_share"] > 0
    assert found["test"]["cost_usd"] <= 1
    assert "left out" in out
    assert "agrees with itself in 100.0%" in out


def test_what_cannot_be_is_said_with_a_code(drawn_clip, plan, tmp_path, told):
    _, err = told("prompt", plan, drawn_clip, "--sandbox", "--max-usd", 0.0001, "--out", tmp_path / "out", code=3)
    assert "does not pay for one item" in err
    _, err = told("prompt", plan, "--scenario", "s.yaml", code=2)
    assert "--scenario is for --sandbox" in err
    plan.write_text(yaml.safe_dump({**PLAN, "ask": {**ASK, "policy": "See {{door}}."}}))
    _, err = told("prompt", plan, code=2)
    assert "nothing fills in {{door}}" in err
    assert "camera" in err
