from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_runs_and_spends_what_it_says():
    pytest.importorskip("cv2")
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "live.py")], capture_output=True, text=True, timeout=120, check=True
    )
    lines = done.stdout.splitlines()
    found = re.fullmatch(
        r"600 frames, (\d+) inferences: (\d\.\d{3}) dollars, 0\.600 if every frame had been sent", lines[0]
    )
    assert found is not None
    assert int(found[1]) / 1000 == float(found[2])
    assert (
        1 < int(found[1]) <= 25 + 45
    )  # a minute's share of 1.50 an hour, and what may be gathered for when much moves
    assert "shown to the user: Paused: nobody is watching. Nothing is sent." in done.stdout
    assert re.search(r"300 frames, \d+ inferences, 2 changes of mode", lines[-1])


def test_the_five_lines_of_the_page_are_those_of_the_docstring():
    page = (ROOT / "docs" / "live.md").read_text()
    lines = [
        line.strip()
        for line in (ROOT / "src" / "reelwise" / "live" / "adaptive.py").read_text().split('"""')[1].splitlines()
        if line.startswith("    ")
    ]
    assert len(lines) == 4
    assert all(line in page for line in lines)


def test_the_page_names_options_that_exist():
    from reelwise.cli.live import cli

    page = (ROOT / "docs" / "live.md").read_text()
    known = {name for option in cli.params for name in option.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= known
