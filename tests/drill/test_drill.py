"""The testing matrix, played."""

from __future__ import annotations

import json

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


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


def quick(one):
    """Shorten what only takes time."""
    return one.__class__(**{**{f: getattr(one, f) for f in one.__struct_fields__}, "seconds": min(one.seconds, 600.0)})


@pytest.mark.parametrize("name", [one.name for one in read_drills()])
def test_the_testing_matrix_keeps_its_promises(name, plan):
    scenario = next(one for one in read_drills() if one.name == name)
    (found,) = drill(read_job(plan), [quick(scenario)])

    assert found.kept, [promise for promise in found.promises if not promise.kept]


def test_every_row_of_the_articles_matrix_is_there():
    names = " ".join(one.name for one in read_drills())

    for row in (
        "normal",
        "high motion",
        "extended duration",
        "latency",
        "bandwidth",
        "revoked",
        "several users",
        "anomaly",
    ):
        assert row in names


def test_a_promise_that_breaks_says_what_was_seen_and_exits_3(plan, tmp_path, capsys):
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"scenarios": [{"name": "never calls", "seconds": 2, "expect": {"calls_max": 0}}]}))
    with pytest.raises(SystemExit) as stopped:
        main(["drill", str(plan), "--scenarios", str(own), "--json"])
    told = json.loads(capsys.readouterr().out)

    assert stopped.value.code == 3
    assert told["kept"] is False
    assert told["scenarios"][0]["promises"][0]["seen"] >= 1


def test_what_was_not_seen_breaks_its_promise():
    (one,) = judged({"residual_nano_max": 0}, {})

    assert not one.kept
    assert one.seen is None


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"name": "x", "expect": {}}, "promises nothing"),
        ({"name": "x", "expect": {"coust_usd_max": 1}}, "no such promise"),
        ({"name": "x", "expect": {"cost_usd": 1}}, "no such promise"),
        ({"name": "x", "expect": {"calls_max": 1}, "quality": 0.9, "usd_an_hour": 1}, "two things at once"),
        ({"name": "x", "expect": {"calls_max": 1}, "sandbox": {"fault": []}}, "unknown field"),
        ({"name": "x", "expect": {"calls_max": 1}, "event": []}, "unknown field"),
    ],
)
def test_scenarios_that_cannot_be_judged_are_refused(scenario, said, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"scenarios": [scenario]}))
    with pytest.raises(DocumentError, match=said):
        read_drills(path)


def test_every_figure_has_its_meaning():
    assert all(METRICS.values())
