"""The testing matrix, played."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from reelwise.cli import main
from reelwise.drill import drill, read_drills
from reelwise.drill.seen import METRICS, judged
from reelwise.errors import DocumentError
from reelwise.run.job import read_job

PLAN = {
    "feature": "bay", "day": "2026-11-22", "plan": {"stages": [{"stage": "call", "model": "gemini-2.5-flash"}]},
    "ask": {"task": "moderate", "labels": ["quiet", "busy"], "output_most": 60},
}  # fmt: skip
MATRIX = {
    "normal usage", "high motion", "extended duration", "low bandwidth or high latency", "permission denied",
    "multiple concurrent users", "billing anomaly",
}  # fmt: skip
"""The rows of the article's table, in its words."""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


def quick(one):
    """Shorten what only takes time."""
    return msgspec.structs.replace(one, seconds=min(one.seconds, 600.0))


@pytest.mark.parametrize("name", [one.name for one in read_drills()])
def test_the_testing_matrix_keeps_its_promises(name, plan):
    scenario = next(one for one in read_drills() if one.name == name)
    (found,) = drill(read_job(plan), [quick(scenario)])

    assert found.kept, [promise for promise in found.promises if not promise.kept]


def test_every_row_of_the_articles_matrix_has_scenarios_and_no_other():
    assert {one.row for one in read_drills()} == MATRIX
    assert {"live", "plan"} == {one.kind for one in read_drills() if one.row == "billing anomaly"}


def test_a_promise_that_breaks_says_what_was_seen_and_exits_3(plan, tmp_path, capsys):
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"scenarios": [{"name": "never calls", "seconds": 2, "expect": {"calls_max": 0}}]}))
    with pytest.raises(SystemExit) as stopped:
        main(["drill", str(plan), "--scenarios", str(own), "--json"])
    told = json.loads(capsys.readouterr().out)

    assert stopped.value.code == 3
    assert told["kept"] is False
    assert told["scenarios"][0]["promises"][0]["seen"] >= 1


def test_for_people_each_promise_is_a_sentence(plan, tmp_path, capsys):
    own = tmp_path / "own.yaml"
    scenario = {
        "name": "short",
        "what": "two seconds of it",
        "seconds": 2,
        "expect": {"calls_max": 0, "mode_is": "full"},
    }
    own.write_text(yaml.safe_dump({"scenarios": [scenario]}))
    with pytest.raises(SystemExit):
        main(["drill", str(plan), "--scenarios", str(own)])
    out, err = capsys.readouterr()

    assert "BROKEN  short (live)" in out
    assert "two seconds of it" in out
    assert "- BROKEN: calls that were made: " in out
    assert "- the mode at the end: full (is full)" in out
    assert "0 of 1 scenarios kept their promises" in out
    assert "1 of 1 scenarios broke a promise: short" in err


def test_what_was_not_seen_breaks_its_promise():
    (one,) = judged({"residual_nano_max": 0}, {})

    assert not one.kept
    assert one.seen is None
    assert one.seen_words == "not seen"


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"expect": {}}, "promises nothing"),
        ({"expect": {"coust_usd_max": 1}}, r"no such promise: coust_usd_max.*did you mean cost_usd_max"),
        ({"expect": {"cost_usd": 1}}, "no such promise"),
        ({"expect": {"mode_max": 1}}, "mode_is: WORD"),
        ({"expect": {"calls_max": "few"}}, "calls_max: NUMBER"),
        ({"expect": {"iou_mean_min": 1}, "kind": "plan"}, "iou_mean is not seen in a scenario of kind plan"),
        ({"expect": {"calls_after_revoke_max": 0}}, "not seen without revoke"),
        ({"expect": {"over_budget_usd_max": 0}}, "not seen without budget_usd"),
        ({"expect": {"users_factor_max": 1}}, "users: 2 or more"),
        ({"quality": 0.9, "usd_an_hour": 1}, "two things at once"),
        ({"quality": 0.2}, "a quality is an IoU"),
        ({"usd_an_hour": 1, "usd_per_call": 0}, "dollars an hour need a price"),
        ({"mode": "turbo"}, "no mode 'turbo'"),
        ({"sandbox": {"fault": []}, "kind": "plan"}, "unknown field"),
        ({"sandbox": {"seed": 1}}, "sandbox does nothing in a scenario of kind live"),
        ({"fallback": True, "kind": "plan"}, "fallback does nothing in a scenario of kind plan"),
        ({"event": []}, "unknown field"),
        ({"events": [{"at": 80, "do": "fail"}]}, "happens at 80 s, and the stream ends at 60 s"),
        ({"events": [{"at": 1, "do": "explode"}]}, "explode"),
        ({"seconds": -1}, "seconds"),
    ],
)  # fmt: skip
def test_scenarios_that_cannot_be_judged_are_refused_with_their_place(scenario, said, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"scenarios": [{"name": "x", "expect": {"calls_max": 1}, **scenario}]}))
    with pytest.raises(DocumentError) as refused:
        read_drills(path)

    assert str(path) in str(refused.value)
    assert "scenarios[0]" in str(refused.value)
    assert __import__("re").search(said, f"{refused.value} {refused.value.hint}")


def test_two_scenarios_of_one_name_are_refused_in_two_files_too(plan, tmp_path, capsys):
    path = tmp_path / "own.yaml"
    one = {"name": "normal usage", "expect": {"calls_max": 1}}
    path.write_text(yaml.safe_dump({"scenarios": [one, one]}))
    with pytest.raises(DocumentError, match="two scenarios are called `normal usage`"):
        read_drills(path)
    path.write_text(yaml.safe_dump({"scenarios": [one]}))
    with pytest.raises(SystemExit) as stopped:
        main(["drill", str(plan), "--also", str(path)])

    assert stopped.value.code == 2
    assert "two scenarios are called `normal usage`" in capsys.readouterr().err


def test_every_figure_has_its_meaning():
    assert all(one.words and one.kinds for one in METRICS.values())


def test_the_page_names_every_figure_as_it_is():
    text = (Path(__file__).resolve().parents[2] / "docs" / "drill.md").read_text(encoding="utf-8")

    for name, metric in METRICS.items():
        assert f"| `{name}` | {metric.words} | {', '.join(metric.kinds)}" in text
