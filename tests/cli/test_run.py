"""`reelwise run` and `reelwise verify` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from reelwise.evidence_store import read_store
from reelwise.video.writer import write_mp4

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "run"
PLAN = {
    "feature": "bay", "day": "2026-11-22", "latency": "day",
    "ask": {"task": "moderate", "labels": ["quiet", "busy"], "output_most": 60},
    "plan": {"stages": [{"stage": "call", "model": "gemini-2.5-flash"}]},
}  # fmt: skip


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


def test_run_prints_one_document_and_keeps_a_receipt(drawn_clip, plan, tmp_path, told):
    found, err = told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "out", "--json")

    assert err == ""
    assert found["receipt"]["invoice_usd"] == found["receipt"]["cost_usd"] > 0
    assert found["receipt"]["reconciled"]["residual_nano"] == 0
    assert found["receipt"]["avoided_usd"] == pytest.approx(
        found["receipt"]["naive_usd"] - found["receipt"]["cost_usd"]
    )
    assert json.loads((tmp_path / "out" / "receipt.json").read_text())["receipt"] == found["receipt"]
    assert found["results"][0]["answers"][0]["label"] in {"quiet", "busy"}


def test_run_for_people_says_predicted_and_metered(drawn_clip, plan, tmp_path, told):
    out, _ = told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "out")

    assert "predicted" in out
    assert "the same to the nano-dollar was posted here" in out


def test_a_stack_names_each_lever_with_its_metered_factor(drawn_clip, tmp_path, told):
    tree = {**PLAN, "levers": [{"lever": "downscale"}, {"lever": "drop_audio"}]}
    path = tmp_path / "stack.yaml"
    path.write_text(yaml.safe_dump(tree))
    found, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--stack", "--out", tmp_path / "out", "--json")

    assert [step["lever"] for step in found["steps"]] == ["", "downscale", "drop_audio"]
    assert found["factor"] > 1
    assert all(step["metered_factor"] > 1 for step in found["steps"][1:])


def test_a_bare_plan_runs_and_says_what_it_asks(drawn_clip, tmp_path, told):
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump(PLAN["plan"]))
    found, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--out", tmp_path / "out", "--json")

    assert found["results"][0]["answers"][0]["question"].startswith("Describe what is shown")
    assert any("nothing is asked" in note for note in found["notes"])


def test_a_workload_that_only_counts_its_prompt_is_for_a_sandbox(drawn_clip, tmp_path, told):
    tree = {**{k: v for k, v in PLAN.items() if k != "ask"}, "prompt": {"prefix": 500, "question": 20, "output": 50}}
    path = tmp_path / "counted.yaml"
    path.write_text(yaml.safe_dump(tree))
    found, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--out", tmp_path / "out", "--json")
    _, err = told("run", drawn_clip, "--plan", path, "--out", tmp_path / "out2", code=2)

    assert found["receipt"]["usage"]["tokens_text"] == 520
    assert "does not say what it is" in err


def test_what_ends_a_run_is_its_exit_code_and_what_was_done_is_printed(drawn_clip, plan, tmp_path, told, monkeypatch):
    broke, err = told(
        "run",
        drawn_clip,
        "--plan",
        plan,
        "--sandbox",
        "--max-usd",
        "0.000001",
        "--out",
        tmp_path / "a",
        "--json",
        code=3,
    )
    keys = tmp_path / "keys.yaml"
    keys.write_text("keys: [right]")
    wrong, _ = told(
        "run", drawn_clip, "--plan", plan, "--sandbox", "--scenario", keys, "--out", tmp_path / "b", "--json", code=4
    )
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    told("run", drawn_clip, "--plan", plan, "--out", tmp_path / "c", "--ledger", tmp_path / "l.db", code=4)
    told("run", tmp_path / "none.mp4", "--plan", plan, "--sandbox", "--out", tmp_path / "d", code=2)
    told("run", drawn_clip, "--plan", tmp_path / "none.yaml", "--sandbox", code=2)
    told("run", "--plan", plan, code=2)

    assert broke["receipt"]["cost_usd"] == 0
    assert "--max-usd" in err
    assert wrong["stopped"]["error"]


def test_evidence_of_a_run_is_read_by_price_and_called_measured(drawn_clip, plan, tmp_path, told):
    folder = tmp_path / "evidence"
    ran, _ = told(
        "run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "a", "--evidence", folder, "--json"
    )
    workload = tmp_path / "workload.yaml"
    workload.write_text(
        yaml.safe_dump(
            {**{k: v for k, v in PLAN.items() if k != "ask"}, "demand": {"hours": 10}, "prompt": {"output": 500}}
        )
    )
    with_facts, _ = told("price", workload, "--evidence", folder, "--json")
    without, _ = told("price", workload, "--json")
    answers = [
        next(line for line in found["line_items"] if line["unit"] == "tokens_output") for found in (without, with_facts)
    ]

    assert answers[0]["evidence"] != "measured"
    assert answers[1]["evidence"] == "measured"
    each = ran["receipt"]["usage"]["tokens_output"]  # one clip, one answer
    items = answers[0]["quantity"] / 500
    assert answers[1]["quantity"] == pytest.approx(items * each)


def test_the_next_run_knows_how_long_answers_are(drawn_clip, tmp_path, told):
    folder = tmp_path / "evidence"
    words = ("run", drawn_clip, "--plan", EXAMPLES / "describe.yaml", "--sandbox", "--evidence", folder)
    long = tmp_path / "long.yaml"
    long.write_text("output: {tokens: 190, spread: 0.01}")
    words = (*words, "--scenario", long)
    first, _ = told(*words, "--out", tmp_path / "a")
    second, _ = told(*words, "--out", tmp_path / "b", "--json")

    assert "What only answers tell" in first
    assert next(one for one in second["receipt"]["estimate"] if one["unit"] == "usd")["error"] == pytest.approx(
        0, abs=1e-9
    )


def test_each_unit_has_its_dollars_and_they_add_up_to_the_cost(drawn_clip, plan, tmp_path, told):
    found, _ = told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "a", "--json")
    sides = found["receipt"]["estimate"]

    assert {"tokens_video", "tokens_text", "tokens_output"} <= {one["unit"] for one in sides}
    for side in ("predicted", "metered"):
        parts = sum(one[f"{side}_usd"] for one in sides if one[f"{side}_usd"] is not None)
        assert parts == pytest.approx(next(one[side] for one in sides if one["unit"] == "usd"), abs=2e-9)


def test_a_stack_says_what_each_lever_saves_in_which_unit(drawn_clip, tmp_path, told):
    levers = [{"lever": "downscale"}, {"lever": "drop_audio"}, {"lever": "batch_api"}]
    path = tmp_path / "stack.yaml"
    path.write_text(yaml.safe_dump({**PLAN, "levers": levers}))
    found, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--stack", "--out", tmp_path / "out", "--json")
    said, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--stack", "--out", tmp_path / "b")
    units = {step["lever"]: {one["unit"] for one in step["changes"]} for step in found["steps"][1:]}

    assert units["drop_audio"] == {"tokens_audio"}
    assert "tokens_video" in units["downscale"]
    assert {"tokens_video", "tokens_output"} <= units["batch_api"]
    for before, step in zip(found["steps"], found["steps"][1:], strict=False):
        for side in ("predicted", "metered"):
            saved = sum(one[f"{side}_usd"] for one in step["changes"])
            assert saved == pytest.approx(before[f"{side}_usd"] - step[f"{side}_usd"], abs=4e-9)
    assert "What each lever saves, on top of those before it" in said
    assert "tokens of sound" in said


def test_a_lever_that_changes_nothing_is_said(tmp_path, told):
    path = tmp_path / "stack.yaml"
    path.write_text(yaml.safe_dump({**PLAN, "levers": [{"lever": "drop_audio"}, {"lever": "sample_frames", "fps": 1}]}))
    silent = tmp_path / "silent.mp4"
    write_mp4(
        silent,
        [(np.full((96, 160), 60 + n, np.uint8), *[np.full((48, 80), 128, np.uint8)] * 2) for n in range(30)],
        width=160,
        height=96,
        fps=10,
    )
    said, _ = told("run", silent, "--plan", path, "--sandbox", "--stack", "--out", tmp_path / "out")

    assert "nothing on these clips: there is nothing of it in them" in said


def test_a_gate_is_judged_when_the_run_is_over(drawn_clip, plan, tmp_path, told):
    words = ("run", drawn_clip, "--plan", plan, "--sandbox", "--json")
    kept, _ = told(*words, "--out", tmp_path / "a", "--gate-usd", "1", "--gate-usd-hour", "100")
    over, err = told(*words, "--out", tmp_path / "b", "--gate-usd", "0.000001", code=3)
    hour, _ = told(*words, "--out", tmp_path / "c", "--gate-usd-hour", "0.001", code=3)
    none, _ = told(*words, "--out", tmp_path / "d")
    stack, _ = told(
        *words, "--out", tmp_path / "e", "--stack", "--levers", "downscale", "--gate-usd", "0.000001", code=3
    )

    assert kept["gate"]["kept"]
    assert kept["gate"]["cost_usd_hour"] == pytest.approx(kept["receipt"]["cost_usd"] * 3600 / 12, rel=0.02)
    assert not over["gate"]["kept"]
    assert "too dear" in err
    assert len(hour["gate"]["over"]) == 1
    assert none["gate"] is None
    assert stack["gate"]["cost_usd"] == stack["steps"][-1]["metered_usd"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_runs(path, drawn_clip, tmp_path, told):
    if path.stem == "drills":
        found, _ = told("drill", EXAMPLES / "moderate.yaml", "--scenarios", path, "--json")
        assert found["kept"]
        return
    found, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--out", tmp_path / "out", "--json")
    assert [one["status"] for one in found["results"]] == ["ok"]
    assert found["receipt"]["reconciled"]["residual_nano"] == 0


def test_verify_prints_agreements_and_gates_on_a_floor(drawn_clip, tmp_path, told):
    tree = {**PLAN, "levers": [{"lever": "batch_api"}]}
    path = tmp_path / "verify.yaml"
    path.write_text(yaml.safe_dump(tree))
    words = ["verify", path, drawn_clip, "--sandbox", "--whole", "--out", tmp_path / "v", "--json"]
    found, _ = told(*words, "--evidence", tmp_path / "facts")
    (kept,) = read_store(tmp_path / "facts")
    _, err = told(*words[:-1], "--floor", "0.9", code=3)
    _, none = told("verify", tmp_path / "plan2.yaml", drawn_clip, code=2)

    assert {one["what"]: one["value"] for one in found["agreements"]}["labels"] == 1.0
    assert found["factor"] == pytest.approx(2, rel=0.001)
    assert (kept.name, kept.fact.value, kept.fact.kind) == ("quality.batch_api", 1.0, "measured")
    assert "below the floor" in err
    assert "no such file" in none


def test_three_kinds_of_models_look_at_a_clip_and_what_they_found_is_told(drawn_clip, tmp_path, told):
    command = ("run", drawn_clip, "--plan", EXAMPLES / "index.yaml", "--sandbox", "--out")
    out, _ = told(*command, tmp_path / "text")
    found, _ = told(*command, tmp_path / "json", "--json")
    (item,) = found["results"]

    assert "What was found" in out
    assert "1 stretch of speech" in out
    assert "free images a month" in out
    assert [one["model"] for one in item["findings"]] == ["google/vision/label", "openai/whisper-1"]
    assert [one["question"] for one in item["answers"]] == ["What happens?", "Where was it filmed?"]
    assert all({"label", "confidence", "start_seconds"} <= one.keys() for one in item["findings"][0]["found"])
    assert found["receipt"]["reconciled"]["residual_nano"] == 0


def test_a_host_s_machine_time_is_told_apart(drawn_clip, tmp_path, told):
    from reelwise.testing import sandbox

    with sandbox({"day": "2026-11-22"}) as server:
        own = {"match": "gpu", "kind": "openai", "model": "gpt-4o-mini", "url": f"{server.url}/v1", "key": ""}
        stages = [{"stage": "sample", "fps": 1.0}, {"stage": "call", "host": "gpu"}]
        tree = {
            **PLAN,
            "endpoints": [own],
            "plan": {"stages": stages, "hosts": [{"name": "gpu", "sku": "aws/g6.xlarge"}]},
        }
        path = tmp_path / "host.yaml"
        path.write_text(yaml.safe_dump(tree))
        out, _ = told("run", drawn_clip, "--plan", path, "--sandbox", "--out", tmp_path / "out")

    assert "Host gpu (aws/g6.xlarge): 1 call, busy for" in out
    assert "what it costs while it waits is on no call" in out
    assert "no call of this plan answers" not in out


def test_a_plan_file_that_runs_is_priced_too_and_by_what_its_run_measured(drawn_clip, plan, tmp_path, told):
    kept = tmp_path / "evidence"
    _, err = told("price", plan, code=2)
    assert "how much video" in err

    free = {"ask": {"task": "describe"}, "demand": {"users": 10, "sessions": 30, "seconds": 12}}
    plan.write_text(yaml.safe_dump({**PLAN, **free}))
    before, _ = told("price", plan, "--json")
    told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "out", "--evidence", kept)
    after, _ = told("price", plan, "--evidence", kept, "--json")
    (measured,) = [entry.fact.value for entry in read_store(kept) if entry.name == "call.tokens_output"]

    tokens = [
        {line["unit"]: line["quantity"] for line in found["line_items"]}["tokens_output"] for found in (before, after)
    ]
    assert tokens[1] == pytest.approx(300 * measured)
    assert tokens[0] != tokens[1]


@pytest.mark.parametrize(("fault", "again"), [("429", True), ("lost_reply", False)])
def test_who_has_no_answer_is_told_whether_it_is_made_again(  # noqa: PLR0917 - fixtures
    fault, again, drawn_clip, plan, tmp_path, told
):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({"faults": [{"kind": fault, "share": 1.0, "retry_after": 0.001}]}))
    words = ("run", drawn_clip, "--plan", plan, "--sandbox", "--scenario", scenario, "--out", tmp_path / "out")
    out, err = told(*words, code=4)

    assert ("run it again to make the calls that failed" in err) == again
    assert ("none of them is made again" in err) != again
    assert ("429" if again else "no answer came") in out


def test_a_folder_that_cannot_be_made_is_named(drawn_clip, plan, tmp_path, told):
    (tmp_path / "file").write_text("in the way")

    _, err = told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "file" / "out", code=5)

    assert f"{tmp_path / 'file' / 'out'}: cannot be made" in err


def test_ctrl_c_says_that_nothing_is_lost(drawn_clip, plan, tmp_path, told, monkeypatch):
    from reelwise.run.session import Session

    def interrupted(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "run", interrupted)
    _, err = told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "out", code=130)

    assert "the same command goes on from there" in err
    assert str(tmp_path / "out") in err
