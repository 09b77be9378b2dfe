"""docs/compare.md says what the command prints, and shows options that are options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from reelwise.case import make, with_option
from reelwise.cli import COMMANDS, main
from reelwise.documents import parse_yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "compare.md").read_text()
BLOCKS = re.findall(r"```console\n\$ reelwise ([^\n]+)\n(.*?)```", TEXT, re.DOTALL)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("command", "lines"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_the_page_prints_what_the_command_prints(
    command: str, lines: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as done:
        main([*shlex.split(command), "--evidence", str(ROOT / "docs")])
    assert done.value.code == 0
    printed = flat(capsys.readouterr().out)
    for line in lines.splitlines():
        assert flat(line) in printed, line


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 2


def test_options_on_the_page_are_options() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    tree = {"feature": "f", "kind": "segment", "demand": {"hours": 1}, "day": "2026-11-22"}
    case = make({**tree, **parse_yaml(block, where="docs/compare.md")}, where="docs/compare.md")
    for option in case.options:
        with_option(case, option).plan.check()
    assert len(case.options) == 5


def test_commands_and_pictures_on_the_page_exist() -> None:
    planned = {"bench", "probe"}
    for name in re.findall(r"`?reelwise (\w+)", TEXT):
        assert name in COMMANDS or name in planned, name
    for path in re.findall(r"\]\((img/[\w.-]+)\)", TEXT):
        assert (ROOT / "docs" / path).is_file(), path
