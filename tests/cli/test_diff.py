"""`reelwise diff`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reelwise.cli import main

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples"
CONFERENCING = str(FOLDER / "conferencing.yaml")
SPEECH = str(FOLDER / "speech.yaml")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["diff", *arguments])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


def document(answer: tuple[int, str, str], code: int = 0) -> Any:
    assert answer[0] == code, answer[2]
    return json.loads(answer[1])


def test_json_has_the_stable_keys_and_sums(run: Any) -> None:
    found = document(run(str(FOLDER / "moderation.yaml"), str(FOLDER / "moderation-today.yaml"), "--json"))
    assert found["before"] == pytest.approx(135_000)
    assert found["change_usd"] == pytest.approx(found["after"] - found["before"])
    for rows in ("by_lever", "by_stage", "by_model"):
        assert sum(row["change_usd"] for row in found[rows]) == pytest.approx(found["change_usd"])
    assert found["above_gate"] == []
    assert found["feasible"] == {"before": False, "after": True}
    assert found["day"] == {"before": "2026-06-03", "after": "2026-11-22"}


def test_set_changes_the_side_after(run: Any) -> None:
    found = document(run(CONFERENCING, "--set", "plan.stages.0.fps=0.2", "--json"))
    (row,) = found["by_lever"]
    assert (row["lever"], row["direction"], row["changes"]) == ("sample_frames", "changed", ["sample.fps 0.1 -> 0.2"])
    assert document(run(CONFERENCING, CONFERENCING, "--set", "plan.stages.0.fps=0.2", "--json")) == found
    assert found["ahead"][0]["day"] == "2027-01-01"


def test_the_page_of_the_docs(run: Any) -> None:
    code, out, err = run(CONFERENCING, "--set", "plan.stages.0.fps=0.2", "--max-increase", "1%")
    assert code == 3
    assert "+1.63% is above the 1% allowed" in err
    page = (ROOT / "docs" / "ci.md").read_text()
    for line in out.splitlines():
        assert f"    {line}".rstrip() in page, line


@pytest.mark.parametrize(
    ("gate", "code"), [("2%", 0), ("1%", 3), ("0.02", 0), ("0.01", 3), ("2", 0), ("1", 3), ("0", 3)]
)
def test_a_share_is_read_with_and_without_percent(run: Any, gate: str, code: int) -> None:
    changed = run(CONFERENCING, "--set", "plan.stages.0.fps=0.2", "--max-increase", gate)
    assert changed[0] == code
    assert "| **USD a month** |" in changed[1], "the page is printed before the gate"
    assert ("Within the gate." in changed[1]) == (code == 0)


@pytest.mark.parametrize("gate", ["ten", "-1%", "nan", "10%%", "10 % x", "inf"])
def test_a_gate_that_is_no_share(run: Any, gate: str) -> None:
    code, out, err = run(CONFERENCING, SPEECH, "--max-increase", gate)
    assert (code, out) == (2, "")
    assert "10%" in err


@pytest.mark.parametrize("usd", ["-1", "nan", "inf"])
def test_a_gate_that_is_no_amount(run: Any, usd: str) -> None:
    assert run(CONFERENCING, SPEECH, "--max-usd", usd)[0] == 2


def test_a_gate_in_usd_with_json_prints_first(run: Any) -> None:
    answer = run(SPEECH, "--set", "demand.hours=8100", "--max-usd", "35", "--json")
    found = document(answer, 3)
    assert found["change_usd"] == pytest.approx(36)
    assert found["above_gate"] == ["+36.00 USD a month is above the 35.00 allowed"]
    assert document(run(SPEECH, "--set", "demand.hours=8100", "--max-usd", "36", "--json"))["above_gate"] == []


def test_an_empty_file_is_a_feature_that_is_not_there(run: Any, tmp_path: Path) -> None:
    code, out, err = run("/dev/null", SPEECH, "--max-increase", "1000%")
    assert code == 3
    assert "from nothing" in err
    assert "transcripts" in out.splitlines()[0]
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n")
    gone = document(run(SPEECH, str(empty), "--json", "--max-increase", "0"))
    assert gone["after"] == 0
    assert gone["by_lever"][0]["name"] == "feature: gone"
    assert run(str(empty), "--set", "demand.hours=1")[0] == 2


def test_an_infeasible_plan_is_loud_and_can_be_a_gate(run: Any) -> None:
    batch = (CONFERENCING, "--set", "plan.stages.1.mode=batch")
    code, out, _ = run(*batch, "--max-increase", "0")
    assert code == 0, "it is cheaper"
    assert "NOT FEASIBLE ANY MORE" in out.splitlines()[2]
    assert "the latency class `seconds` allows" in out.splitlines()[2]
    code, _, err = run(*batch, "--require-feasible")
    assert code == 3
    assert "cannot do the job" in err


def test_out_takes_the_markdown(run: Any, tmp_path: Path) -> None:
    page = tmp_path / "cost.md"
    code, out, err = run(SPEECH, SPEECH, "--out", str(page))
    assert (code, out) == (0, "")
    assert str(page) in err
    assert page.read_text().startswith("## Cost of `transcripts`: no change")
    found = document(run(SPEECH, SPEECH, "--out", str(page), "--json"))
    assert found["change_usd"] == 0
    assert found["by_lever"] == []
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(SPEECH, SPEECH, "--out", str(blocked / "x.md"))[0] == 5


def test_nothing_to_compare_with(run: Any) -> None:
    code, _, err = run(SPEECH)
    assert code == 2
    assert "--set" in err
    assert run(SPEECH, SPEECH, "--json", "--markdown")[0] == 2
    assert run(SPEECH, "missing.yaml")[0] == 2


def test_a_side_that_cannot_be_priced_is_named(run: Any, tmp_path: Path) -> None:
    broken = tmp_path / "branch.yaml"
    broken.write_text(
        (FOLDER / "speech.yaml").read_text().replace("openai/whisper-1, part", "openai/whisper-1, mode: batch, part")
    )
    code, _, err = run(SPEECH, str(broken))
    assert code == 2
    assert str(broken) in err


def test_text_of_a_file_makes_no_markdown(run: Any) -> None:
    text = 'feature="a|b `c` <script> @you"'
    _, out, _ = run(SPEECH, "--set", text, "--set", "demand.hours=1")
    assert out.splitlines()[0].startswith("## Cost of `a|b 'c' <script> @you`:")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    for row in rows:
        assert row.replace("\\|", "").count("|") in {4, 5}, row


def test_one_day_for_both(run: Any) -> None:
    days = document(run(CONFERENCING, "--set", "plan.stages.0.fps=0.2", "--day", "2027-02-01", "--json"))
    assert set(days["day"].values()) == {"2027-02-01"}
    assert days["ahead"] == []
