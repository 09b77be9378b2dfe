"""The pages about examples say what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from reelwise.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("models", "moderation", "workload")
_BLOCK = re.compile(r"```console\n\$ reelwise (?P<command>[^\n]+)\n(?P<lines>.*?)```", re.DOTALL)


def blocks() -> list[tuple[str, list[str]]]:
    text = (ROOT / "docs" / "moderation.md").read_text()
    return [(found["command"], found["lines"].splitlines()) for found in _BLOCK.finditer(text)]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("command", "lines"), blocks(), ids=[command for command, _ in blocks()])
def test_the_page_prints_what_the_command_prints(
    command: str, lines: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as done:
        main([*shlex.split(command), "--evidence", str(ROOT / "docs")])
    assert done.value.code == 0
    printed = flat(capsys.readouterr().out)
    for line in lines:
        assert flat(line) in printed


def test_there_are_blocks() -> None:
    assert len(blocks()) >= 7


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_commands_and_files_that_exist(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    for name in re.findall(r"^(?:    |\$ )?reelwise ([\w-]+)", text, re.MULTILINE):
        assert name in COMMANDS, name
    for path in re.findall(r"`(examples/[\w./-]+|docs/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_table_of_examples_is_complete() -> None:
    text = (ROOT / "docs" / "workload.md").read_text()
    named = set(re.findall(r"^\| `([\w-]+\.yaml)`", text, re.MULTILINE))
    there = {path.name for path in (ROOT / "examples").glob("*.yaml") if not path.stem.endswith("-rates")}
    assert named == there
