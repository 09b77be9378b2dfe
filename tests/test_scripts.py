"""The scripts that install and start what tests need: run with stand-ins for the system's own commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def system(tmp_path):
    """A folder of commands, and a way to run a script with no others; what apt-get was asked is in the file `asked`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env", "mktemp", "rm", "tail", "timeout", "sleep", "id", "cat", "dirname"):
        found = next(Path(one) / name for one in os.defpath.split(":") if one and (Path(one) / name).exists())
        (folder / name).symlink_to(found)

    def command(name, *lines):
        path = folder / name
        path.unlink(missing_ok=True)
        path.write_text("\n".join(["#!/bin/bash", *lines, ""]))
        path.chmod(0o755)

    def run(script, *arguments, **environment):
        return subprocess.run(
            ["/bin/bash", str(SCRIPTS / script), *arguments],
            env={"PATH": str(folder), "TMPDIR": str(tmp_path), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    command("id", "echo 0")
    command("sleep", "exit 0")
    command("dpkg-query", "exit 1")
    command("apt-get", f'echo "$*" >> {tmp_path}/asked', "exit 0")
    return command, run, tmp_path / "asked"


def test_what_is_there_is_not_installed_again(system):
    command, run, asked = system
    command("dpkg-query", "echo installed")
    done = run("apt_install", "one", "two")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not asked.exists()


def test_only_what_is_missing_is_installed_after_an_update(system):
    command, run, asked = system
    command("dpkg-query", '[ "${!#}" = two ] || echo installed')
    done = run("apt_install", "one", "two")
    assert done.returncode == 0
    assert "apt-get install two" in done.stderr
    lines = asked.read_text().splitlines()
    assert lines[0].endswith("update")
    assert lines[1].endswith("install --yes --no-install-recommends two")


def test_a_mirror_that_fails_is_asked_again_and_then_the_log_is_shown(system):
    command, run, asked = system
    command("apt-get", f'echo "$*" >> {asked}', "echo 'E: no such mirror'", "exit 100")
    done = run("apt_install", "two")
    assert done.returncode == 1
    assert "no such mirror" in done.stderr
    assert len(asked.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("why", "said"), [("apt", "no apt-get here: install two yourself"), ("root", "not root: run `apt-get install two`")]
)
def test_where_nothing_can_be_installed_the_reason_is_said(system, why, said):
    command, run, asked = system
    if why == "apt":
        (asked.parent / "bin" / "apt-get").unlink()
    else:
        command("id", "echo 1000")
    done = run("apt_install", "two")
    assert done.returncode == 3
    assert said in done.stderr
    assert not asked.exists()


@pytest.mark.parametrize("code", [0, 7])
def test_a_server_that_is_named_is_used(system, code):
    _, run, _ = system
    done = run("with_postgres", "bash", "-c", f"echo $REELWISE_TEST_POSTGRES; exit {code}", REELWISE_TEST_POSTGRES="x")
    assert (done.returncode, done.stdout) == (code, "x\n")
