from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from reelwise.cli.cascade import cli as cascade
from reelwise.cli.router import cli as router
from reelwise.errors import DocumentError, GateError, InputError


def rows(path, number, *, flip=False):
    lines = []
    for at in range(number):
        hard = at % 5 < 2
        text = f"{'prove why' if hard else 'name the colour of'} thing {at % 7}?"
        right = (not hard) != flip
        lines.append(
            json.dumps(
                {
                    "text": text,
                    "small": right,
                    "large": at % 20 != 0,
                    "answer": "The answer is (A)." if right else "perhaps",
                }
            )
        )
    path.write_text("\n".join(lines))
    return str(path)


@pytest.mark.parametrize(("command", "first"), [(router, "train"), (cascade, "calibrate")])
def test_train_show_and_test(command, first, tmp_path):
    known, other = rows(tmp_path / "known.jsonl", 400), rows(tmp_path / "other.jsonl", 300)
    out = str(tmp_path / "trained.json")
    names = ["--cheap", "small", "--dear", "large"]
    run = CliRunner()
    trained = run.invoke(
        command, [first, known, *names, "--quality-floor", "0.9", "--out", out, "--json"], catch_exceptions=False
    )
    shown = run.invoke(command, ["show", out], catch_exceptions=False)
    tested = run.invoke(command, ["test", out, other, "--json"], catch_exceptions=False)

    assert json.loads(trained.stdout)["floor"]["dear_share"] < 0.6
    assert "small" in shown.stdout
    assert "90% of large's quality" in shown.stdout
    result = json.loads(tested.stdout)
    assert result["held"]
    assert result["kept"] >= 0.9
    assert not result["same_rows_as_trained_on"]


def test_a_missed_floor_is_exit_3_and_the_figures_are_printed(tmp_path):
    known, other = rows(tmp_path / "known.jsonl", 400), rows(tmp_path / "other.jsonl", 300, flip=True)
    out = str(tmp_path / "r.json")
    run = CliRunner()
    run.invoke(router, ["train", known, "--cheap", "small", "--dear", "large", "--out", out], catch_exceptions=False)
    tested = run.invoke(router, ["test", out, other, "--json"])

    assert isinstance(tested.exception, GateError)
    assert tested.exception.exit_code == 3
    assert not json.loads(tested.stdout)["held"]


def test_a_cascade_file_is_no_router(tmp_path):
    known, out = rows(tmp_path / "known.jsonl", 200), str(tmp_path / "c.json")
    run = CliRunner()
    run.invoke(
        cascade, ["calibrate", known, "--cheap", "small", "--dear", "large", "--out", out], catch_exceptions=False
    )

    assert isinstance(run.invoke(router, ["show", out]).exception, DocumentError)


def test_a_share_of_dear_calls_can_be_given_in_place_of_a_floor(tmp_path):
    known, out = rows(tmp_path / "known.jsonl", 200), str(tmp_path / "c.json")
    run = CliRunner()
    names = ["--cheap", "small", "--dear", "large", "--out", out]
    made = run.invoke(cascade, ["calibrate", known, *names, "--dear-share", "0.3", "--json"], catch_exceptions=False)
    floor = json.loads(made.stdout)["floor"]
    shown = run.invoke(cascade, ["show", out], catch_exceptions=False).output

    assert 0 < floor["dear_share"] <= 0.3
    assert floor["quality"] == floor["kept_lower"] < floor["kept"]
    assert f"{int(floor['quality'] * 1000) / 10:g}% of large's quality on the next 200 requests" in shown
    assert isinstance(run.invoke(cascade, ["calibrate", known, *names, "--dear-share", "1.3"]).exception, InputError)
