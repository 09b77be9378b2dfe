"""A session against a sandbox, on a clip that the project draws itself."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import msgspec
import pytest
import yaml

from reelwise.run.job import read_job
from reelwise.run.session import Session
from reelwise.sandbox import Scenario

ASK = {
    "task": "moderate",
    "policy": [{"name": "rules", "text": "You watch a loading bay. Say whether something unusual happens."}],
    "labels": ["quiet", "busy", "unusual"],
    "output_most": 200,
}


@pytest.fixture
def write_plan(tmp_path):
    """Write a plan file from stages, with what is asked."""

    def write(*stages, ask=ASK, name="plan.yaml", **more):
        path = tmp_path / name
        tree = {"feature": "bay", "latency": "day", "day": "2026-11-22", "plan": {"stages": list(stages)}, **more}
        path.write_text(yaml.safe_dump({**tree, "ask": ask} if ask else tree))
        return path

    return write


@pytest.fixture
def open_session(tmp_path):
    """Open a session of a plan file against a sandbox that does what a scenario says."""

    @contextmanager
    def opened(path, *, out="out", scenario=None, max_usd=None, at_once=2, **more):
        job = read_job(path, **more)
        found = msgspec.convert({"seed": 3, "day": "2026-11-22", **(scenario or {})}, Scenario)
        with Session(
            job, sandbox=True, scenario=found, out=tmp_path / out, at_once=at_once, max_usd=max_usd
        ) as session:
            yield session, job

    return opened


@pytest.fixture
def copies(drawn_clip, tmp_path):
    """Make copies of one clip, each a little different so that each is a clip of its own."""

    def make(count):
        found = []
        for number in range(count):
            path = tmp_path / f"clip{number}.mp4"
            shutil.copy(drawn_clip, path)
            with path.open("ab") as file:
                file.write(b"\0\0\0\x0cfree" + number.to_bytes(4, "big"))
            found.append(path)
        return found

    return make


@pytest.fixture(scope="session")
def bays(tmp_path_factory):
    """Eight small clips of one kind, each with its own noise."""
    from reelwise import video

    folder = tmp_path_factory.mktemp("bays")
    paths = [folder / f"bay{number}.mp4" for number in range(8)]
    for number, path in enumerate(paths):
        video.draw_demo(path, seconds=6 + number, width=160, height=90, fps=10, seed=number)
    return paths
