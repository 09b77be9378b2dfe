"""`reelwise run` and `reelwise verify` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reelwise.cli import main
from reelwise.evidence_store import read_store

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


@pytest.fixture
def told(capsys):
    """Type a command; return its exit code, its JSON document where it has one, and what it said."""

    def tell(*words, code=0):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert stopped.value.code == code, err
        return (json.loads(out) if "--json" in words else out), err

    return tell


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
    assert "Residual of all others: 0 nano-dollars" in out


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


def test_evidence_of_a_run_is_read_by_price(drawn_clip, plan, tmp_path, told):
    folder = tmp_path / "evidence"
    told("run", drawn_clip, "--plan", plan, "--sandbox", "--out", tmp_path / "a", "--evidence", folder, "--json")
    workload = tmp_path / "workload.yaml"
    workload.write_text(
        yaml.safe_dump(
            {**{k: v for k, v in PLAN.items() if k != "ask"}, "demand": {"hours": 10}, "prompt": {"output": 500}}
        )
    )
    with_facts, _ = told("price", workload, "--evidence", folder, "--json")
    without, _ = told("price", workload, "--json")

    def tokens(found):
        return sum(line["quantity"] for line in found["line_items"] if line["unit"] == "tokens_output")

    assert tokens(with_facts) < tokens(without) / 10


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

    assert "Host gpu (aws/g6.xlarge): 1 calls, busy for" in out
    assert "what it costs while it waits is on no call" in out
    assert "no call of this plan answers" not in out
