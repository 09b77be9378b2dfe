"""`reelwise doctor` says what is there, what is missing and how to mend it, and prints no secret."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from reelwise import __version__
from reelwise.cli import doctor
from reelwise.cli.doctor import KEYS, Check, checks, cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in KEYS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def found(tmp_path: Path, today: dt.date | None = None) -> dict[tuple[str, str], Check]:
    return {(check.group, check.name): check for check in checks(tmp_path, today)}


def test_json_says_versions_and_every_check(tmp_path: Path) -> None:
    value = json.loads(run("--json", "--evidence", str(tmp_path)).stdout)
    assert value["version"] == __version__
    assert {"python", "system", "cores", "ok", "checks"} <= set(value)
    groups = {check["group"] for check in value["checks"]}
    assert {"packages", "extra report", "codecs", "keys", "machine", "evidence", "prices"} <= groups
    assert all(check["state"] in {"ok", "missing", "warning"} for check in value["checks"])


def test_people_read_a_table(tmp_path: Path) -> None:
    text = run("--evidence", str(tmp_path)).stdout
    assert f"reelwise {__version__}" in text
    assert "genai-prices" in text
    assert "no key set for" in text


def test_a_missing_extra_comes_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in {"altair", "av"} else real(name))
    by = found(tmp_path)
    assert by["extra report", "altair"].state == "missing"
    assert by["extra report", "altair"].hint == "pip install 'reelwise[report]'"
    assert "reelwise[report]" in run("--evidence", str(tmp_path)).stdout  # and not taken for markup
    assert by["packages", "av"].state == "warning"  # needed always
    assert by["packages", "av"].hint.startswith("pip install 'av")


def test_every_codec_is_really_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import av

    assert found(tmp_path)["codecs", "read H.264"].state == "ok"
    real = av.codec.Codec

    def without(name: str, mode: str) -> Any:
        if name == "libx264":
            raise av.codec.codec.UnknownCodecError(name)
        return real(name, mode)

    monkeypatch.setattr(av.codec, "Codec", without)
    by = found(tmp_path)
    assert by["codecs", "write H.264 (the demo clip)"].state == "warning"
    assert by["codecs", "write H.264 (the demo clip)"].hint
    assert by["codecs", "read AAC sound"].state == "ok"


def test_keys_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-secret")
    by = found(tmp_path)
    assert by["keys", "Google"].state == "ok"
    assert by["keys", "Google"].found == "GEMINI_API_KEY set"
    assert by["keys", "OpenAI"].state == "missing"
    for arguments in ((), ("--json",)):
        done = run(*arguments, "--evidence", str(tmp_path))
        assert "made-up-secret" not in done.output
        assert "GEMINI_API_KEY" in done.stdout


def test_evidence_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "a.yaml").write_text("")
    assert "1 measurements" in found(tmp_path)["evidence", str(tmp_path)].found
    assert found(tmp_path / "new" / "er")["evidence", str(tmp_path / "new" / "er")].state == "ok"
    assert not (tmp_path / "new").exists()
    below = tmp_path / "file" / "below"
    check = {(c.group, c.name): c for c in checks(below)}["evidence", str(below)]
    assert check.state == "warning"
    assert "--evidence" in check.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "file"]


def test_old_prices_are_named(tmp_path: Path) -> None:
    later = found(tmp_path, dt.date(2028, 1, 1))
    package = next(check for (group, name), check in later.items() if group == "prices" and "genai" in name)
    assert package.state == "warning"
    assert "pip install --upgrade" in package.hint
    assert later["prices", "rate cards"].state == "warning"
    assert "reelwise rates check" in later["prices", "rate cards"].hint
    early = found(tmp_path, dt.date(2024, 1, 1))
    assert early["prices", "rate cards"].state == "ok"


def test_the_gpu_is_asked_with_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert found(tmp_path)["machine", "GPU"].state == "missing"
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")

    def answered(*_: object, **options: Any) -> subprocess.CompletedProcess[str]:
        assert options["timeout"] <= 10
        return subprocess.CompletedProcess([], 0, "NVIDIA L4, 23034 MiB, 550.54\n", "")

    monkeypatch.setattr(subprocess, "run", answered)
    assert found(tmp_path)["machine", "GPU"].found == "NVIDIA L4, 23034 MiB, 550.54"

    def hangs(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("nvidia-smi", 5)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert found(tmp_path)["machine", "GPU"].state == "warning"
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess([], 9, "couldn't communicate with the driver", ""),
    )
    assert "couldn't communicate" in found(tmp_path)["machine", "GPU"].found


def test_little_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8))
    check = found(tmp_path)["machine", "free disk here"]
    assert (check.state, check.found) == ("warning", "0.1 GB")


def test_the_networks_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path))
    by = found(tmp_path)["models", "person-segmentation:general"]
    assert (by.state, by.hint) == ("missing", "reelwise models install person-segmentation")
    folder = tmp_path / "models" / "person-segmentation"
    folder.mkdir(parents=True)
    (folder / "installed.json").write_text("damaged")
    by = found(tmp_path)["models", "person-segmentation:general"]
    assert by.state == "warning"
    assert by.hint.endswith("--again")
