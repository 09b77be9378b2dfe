"""The CI example, run for real: a repository, a branch, a gate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = FOLDER / "ci" / "check-cost.sh"
WORKFLOW = FOLDER / "ci" / "github-actions.yml"

pytestmark = pytest.mark.skipif(not (shutil.which("git") and shutil.which("sh")), reason="git and sh are needed")


class Repository:
    """A git repository with the example's script in it, and a workload file on its branch `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repo"
        tools = folder / "bin"
        (self.folder / "ci").mkdir(parents=True)
        tools.mkdir()
        reelwise = tools / "reelwise"
        reelwise.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from reelwise.cli import main; main()" "$@"\n')
        reelwise.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
        }  # fmt: skip
        shutil.copy(SCRIPT, self.folder / "ci" / "check-cost.sh")
        for name in ("moderation.yaml", "article-rates.yaml"):
            shutil.copy(FOLDER / name, self.folder / name)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("main")
        self.git("checkout", "--quiet", "-b", "branch")

    def git(self, *arguments: str) -> str:
        return self.run(["git", *arguments], check=True).stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def edit(self, old: str, new: str, name: str = "moderation.yaml") -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def run(self, command: list[str], *, check: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, check=check, text=True,
            capture_output=True, timeout=60,
        )  # fmt: skip

    def check(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(["sh", "ci/check-cost.sh", *arguments], **environment)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_larger_bill_stops_and_a_smaller_one_does_not(repository: Repository) -> None:
    repository.edit("hours: 50000", "hours: 60000")
    repository.commit("more hours")
    above = repository.check("main", "moderation.yaml", "--", "--max-increase", "10%")
    assert above.returncode == 3, above.stderr
    assert above.stdout.startswith("## Cost of `upload_moderation`: +27,000.00 USD a month (+20%)")
    assert (repository.folder / "cost.md").read_text() == above.stdout
    assert "above the 10% allowed" in above.stderr
    within = repository.check("main", "moderation.yaml", "--", "--max-increase", "25%", OUT="other.md")
    assert within.returncode == 0, within.stderr
    assert "Within the gate." in (repository.folder / "other.md").read_text()
    assert repository.git("worktree", "list").count("\n") == 1, "it cleans up"


def test_private_prices_and_the_base_are_those_of_the_commit(repository: Repository) -> None:
    repository.edit("discount_percent: 50", "discount_percent: 20", "article-rates.yaml")
    repository.edit("part: video", "part: video\n      mode: batch")
    repository.commit("batch, at a worse discount")
    repository.git("checkout", "--quiet", "main")
    repository.edit("hours: 50000", "hours: 1")
    repository.commit("main has moved on")
    repository.git("checkout", "--quiet", "branch")
    found = repository.check("main", "moderation.yaml")
    assert found.returncode == 0, found.stderr
    assert "| **USD a month** | **135,000.00** | **108,000.00** |" in found.stdout


def test_new_and_removed_files(repository: Repository) -> None:
    shutil.copy(FOLDER / "speech.yaml", repository.folder / "speech.yaml")
    (repository.folder / "moderation.yaml").unlink()
    repository.commit("another feature")
    found = repository.check("main", "moderation.yaml", "speech.yaml")
    assert found.returncode == 0, found.stderr
    assert "from nothing" in found.stdout
    assert "-135,000.00 USD a month (-100%)" in found.stdout
    assert repository.check("main", "speech.yaml", "--", "--max-increase", "10").returncode == 3


def test_bad_input_is_not_the_gate(repository: Repository) -> None:
    assert repository.check("main").returncode == 2
    assert repository.check("main", "missing.yaml").returncode == 2
    assert repository.check("no-such-branch", "moderation.yaml").returncode == 2
    repository.edit("hours: 50000", "hours: many")
    assert repository.check("main", "moderation.yaml").returncode == 2


def steps() -> dict[str, dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    return {step.get("name", ""): step for step in workflow["jobs"]["cost"]["steps"]}


@pytest.mark.skipif(not shutil.which("bash"), reason="the steps of the workflow are for bash")
@pytest.mark.parametrize(("hours", "known", "code"), [("60000", "", 3), ("50000", "41\\n42\\n", 0)])
def test_the_steps_of_the_workflow(repository: Repository, tmp_path: Path, hours: str, known: str, code: int) -> None:
    repository.edit("hours: 50000", f"hours: {hours}")
    gh = tmp_path / "bin" / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/asked"\ncase "$*" in *--paginate*) printf "{known}" ;; esac\n')
    gh.chmod(0o755)
    summary, output = tmp_path / "summary", tmp_path / "output"
    common = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output), "GITHUB_REPOSITORY": "you/yours"}
    common |= {"WORKLOADS": "moderation.yaml", "MAX_INCREASE": "10%", "BASE": "main", "NUMBER": "7"}
    for name in ("Compare", "Comment"):
        done = repository.run(["bash", "-e", "-c", steps()[name]["run"]], **common)
        assert done.returncode == 0, done.stderr
    assert summary.read_text().startswith("## Cost of `upload_moderation`")
    assert output.read_text() == f"code={code}\n"
    asked = (tmp_path / "asked").read_text()
    assert ("PATCH repos/you/yours/issues/comments/42" in asked) == bool(known)
    assert ("POST repos/you/yours/issues/7/comments" in asked) == (not known)
    assert (repository.folder / "comment.md").read_text().startswith("<!-- reelwise -->\n## Cost")
    gate = repository.run(
        ["bash", "-e", "-c", steps()["Gate"]["run"]], CODE=output.read_text().strip().partition("=")[2]
    )
    assert gate.returncode == code
