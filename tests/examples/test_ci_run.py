"""A plan run in CI without a key: the commands of the page and of the workflow, as they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reelwise import video

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "examples" / "ci" / "run-cost.yml"

SH = shutil.which("sh") or "sh"
pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="sh is needed")


@pytest.fixture
def shell(tmp_path):
    """Run a script in an empty folder, as a runner without any key would; `python` and `reelwise` are these."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, words in (("python", ""), ("reelwise", ' -c "from reelwise.cli import main; main()"')):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        (tools / name).chmod(0o755)
    folder = tmp_path / "repo"
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    calm = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}

    def run(script, **environment):
        return subprocess.run(
            [SH, "-e", "-c", script], cwd=folder, text=True, capture_output=True, timeout=300, check=False,
            env={**calm, "PATH": f"{tools}{os.pathsep}{calm['PATH']}", "HOME": str(tmp_path), **environment},
        )  # fmt: skip

    run.folder = folder
    return run


def test_the_pages_commands_work_as_they_are_written(shell):
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    done = shell(script)

    assert done.returncode == 0, done.stderr
    (line,) = re.findall(r"^    (Gate: .*)$", text, re.MULTILINE)
    assert re.sub(r"[\d.]+", "N", line) in re.sub(r"[\d.]+", "N", done.stdout)
    receipt = json.loads((shell.folder / "out" / "ci" / "receipt.json").read_text())
    assert receipt["gate"]["kept"]
    assert receipt["gate"]["cost_usd"] == receipt["receipt"]["invoice_usd"] > 0


@pytest.mark.parametrize(("gate", "code"), [("50.00", 0), ("0.01", 3)])
def test_the_workflows_step_stops_above_its_gate_and_says_why(shell, gate, code):
    tree = yaml.safe_load(WORKFLOW.read_text())
    job = tree["jobs"]["run-cost"]
    (step,) = [one for one in job["steps"] if one.get("name") == "Run in the sandbox"]
    clips = shell.folder / job["env"]["CLIPS"]
    clips.mkdir(parents=True)
    for number in range(2):
        video.draw_demo(clips / f"clip{number}.mp4", seconds=4, width=160, height=90, fps=5, seed=number)
    shutil.copy(ROOT / "examples" / "run" / "describe.yaml", shell.folder / job["env"]["PLAN"])
    summary = shell.folder / "summary.md"
    done = shell(step["run"], **{**job["env"], "GATE_USD_HOUR": gate, "GITHUB_STEP_SUMMARY": str(summary)})

    assert done.returncode == code, done.stderr
    assert "Gate: " in summary.read_text()
    assert ("too dear" in summary.read_text()) == (code == 3)
    upload = next(one for one in job["steps"] if "upload-artifact" in str(one.get("uses")))
    assert (shell.folder / upload["with"]["path"]).is_file()
    assert any(one.get("run") == "pip install reelwise" for one in job["steps"])
