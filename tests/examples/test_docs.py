"""The pages about examples say what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from reelwise.cli import COMMANDS, cli, main
from reelwise.run.job import read_job

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


PAGES_ALL = sorted((ROOT / "docs").rglob("*.md")) + [ROOT / name for name in ("README.md", "ARCHITECTURE.md")]


@pytest.mark.parametrize("page", PAGES_ALL, ids=lambda page: page.stem)
def test_a_page_shows_commands_and_options_that_there_are(page: Path) -> None:
    for typed in re.findall(r"(?:^[ $]*|`|; |&& )reelwise ([a-z][^`#|\n]*)", page.read_text(), re.MULTILINE):
        words = typed.split()
        command: click.Command = cli
        context = click.Context(cli)
        while words and isinstance(command, click.Group):
            found = command.get_command(context, words[0].rstrip(".,;:)"))
            assert found is not None or words[0].isupper() or words[0].startswith("-"), typed
            if found is None:
                break
            command, words = found, words[1:]
            context = click.Context(command, parent=context)
        known = {name for one in command.get_params(context) for name in (*one.opts, *one.secondary_opts)}
        for word in words:
            if re.match(r"--\w", word):
                assert re.split(r"[=.,;:)]", word)[0] in known | {"--help"}, typed


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES_ALL, ids=lambda page: page.stem)
def test_a_page_leads_to_pages_headings_and_decisions_that_there_are(page: Path) -> None:
    text = page.read_text()
    for label, path, anchor in re.findall(r"\[([^\]]*)\]\(([^)#\s]*)(?:#([^)]*))?\)", text):
        if path.startswith("http"):
            continue
        target = page.parent / path if path else page
        assert target.exists(), (label, path)
        if anchor:
            assert anchor in {_anchor(one) for one in re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)}, (
                anchor
            )
        number = re.match(r"(?:decision )?(\d{4})", label)
        assert number is None or target.name.startswith(number[1]), (label, path)
    for path in re.findall(r"python (bench/\w+\.py)", text):
        assert (ROOT / path).exists(), path


def test_the_first_plan_to_run_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "run.md").read_text(), re.DOTALL)
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    job = read_job(path)
    assert [type(stage).__name__ for stage in job.case.plan.stages] == ["Sample", "Call"]
    assert job.script.output_most == 200
