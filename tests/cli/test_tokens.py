from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from reelwise.cli import main
from reelwise.cli.tokens import cli
from reelwise.tokens import rules


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_json_has_the_documented_keys() -> None:
    done = run("--model", "gpt-4o", "--width", "1920", "--height", "1080", "--json")
    value = json.loads(done.stdout)
    assert {"model", "rule", "tokens", "per_frame", "frames", "audio_tokens", "source"} <= set(value)
    assert (value["tokens"], value["rule"]) == (1105, "openai_tile_85_170")


def test_video() -> None:
    done = run(
        "--model", "gemini-2.5-flash", "--width", "1920", "--height", "1080", "--seconds", "3600", "--audio", "--json"
    )  # fmt: skip
    value = json.loads(done.stdout)
    assert (value["tokens"], value["audio_tokens"], value["frames"]) == (3600 * 290, 3600 * 32, 3600)


def test_people_read_how_it_was_counted() -> None:
    text = run(
        "--model", "claude-haiku-4-5", "--width", "854", "--height", "480", "--seconds", "10", "--fps", "1"
    ).stdout
    assert "5,580 tokens" in text
    assert "10 frames x 558, sent as pictures" in text
    assert "anthropic_standard_200k" in text
    assert "platform.claude.com" in text


def test_one_picture_is_singular() -> None:
    assert "1 picture x 1,548" in run("--model", "gemini-2.5-pro", "--width", "1920", "--height", "1080").stdout


def test_day() -> None:
    done = run("--model", "gpt-5-mini", "--width", "1024", "--height", "1024", "--day", "2025-12-01", "--json")
    assert json.loads(done.stdout)["tokens"] == 1659


def test_minutes_are_said() -> None:
    assert (
        "billed by the minute"
        in run("--model", "pegasus-1.2", "--width", "9", "--height", "9", "--seconds", "9").stdout
    )


def test_list() -> None:
    listed = json.loads(run("--list", "--json").stdout)["rules"]
    assert {row["rule"] for row in listed} == {r.name for r in rules()}
    assert all(row["source"] and row["checked"] for row in listed)
    assert all(row["models"] for row in listed)
    text = run("--list").stdout
    assert "gemini_2x" in text
    assert "until 2026-01-01" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "gemni-2.5-pro", "--width", "1", "--height", "1"], "gemini-2.5-pro"),
        (["--model", "gpt-4o", "--width", "1"], "--height"),
        (["--model", "gpt-4o", "--width", "0", "--height", "1"], "px"),
        (["--model", "gpt-4o", "--width", "9", "--height", "9", "--detail", "superb"], "auto, low, high"),
        (["--model", "gpt-4o", "--width", "9", "--height", "9", "--seconds", "9"], "frame rate"),
        (["--model", "gpt-4o", "--width", "wide", "--height", "9"], "wide"),
    ],
)
def test_bad_input_exits_2_with_a_hint(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["tokens", *arguments])
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
