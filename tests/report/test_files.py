"""The files of a report: whole, or as they were before."""

from __future__ import annotations

import errno
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reelwise.errors import MissingExtraError, OutputError
from reelwise.report import charts
from reelwise.report.files import document, write_report

if TYPE_CHECKING:
    from types import SimpleNamespace

    from reelwise.run.result import AuditResult


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> None:
        raise MissingExtraError("charts need the package altair", hint="pip install 'reelwise[report]'")

    monkeypatch.setattr(charts, "draw", missing)


def test_three_files_are_written_and_nothing_else(result: AuditResult, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    files = write_report(result, tmp_path / "new" / "folder")
    assert sorted(path.name for path in files.html.parent.iterdir()) == ["audit.json", "report.html", "waterfall.png"]
    assert files.png is not None
    assert files.png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert files.html.read_text(encoding="utf-8").endswith("</html>\n")


def test_json_holds_everything_but_the_pictures(result: AuditResult, tmp_path: Path) -> None:
    plain = document(result, tmp_path / "report.html")
    assert plain == json.loads(msgspec.json.encode(plain))
    assert set(plain) == {*result.__struct_fields__, "report"}
    assert plain["report"] == str(tmp_path / "report.html")
    assert plain["stack"]["steps"][1]["lever"] == "gate"
    assert plain["clips"][0]["frames"] == 3360
    assert plain["stages"][0]["frames_out"] == 2007
    assert plain["holdout_error"] == 0.0833
    lost = plain["levers"][1]["lost"]
    assert lost[0] == {"clip": "loading-bay-dusk.mp4", "seconds": 4.3, "change": 0.031}
    assert result.levers[1].lost[0].jpeg not in json.dumps(plain)


def test_an_infinite_factor_is_null_in_json(result: AuditResult, fake: SimpleNamespace) -> None:
    stack = fake.waterfall(100.0, (fake.step("edge", "Run it on the device", 100.0, 0.0),))
    assert math.isinf(stack.factor)
    plain = document(msgspec.structs.replace(result, stack=stack))
    assert plain["stack"]["factor"] is None
    assert plain["report"] is None


def test_a_name_that_is_no_unicode_can_be_written(result: AuditResult, tmp_path: Path, bare: None) -> None:  # noqa: ARG001
    odd = msgspec.structs.replace(result.clips[0], path="caf\udce9.mp4")
    files = write_report(msgspec.structs.replace(result, clips=(odd,)), tmp_path)
    assert json.loads(files.json.read_bytes())["clips"][0]["path"] == "caf?.mp4"


def test_without_the_extra_no_picture_of_an_earlier_audit_is_left(
    result: AuditResult,
    tmp_path: Path,
    bare: None,  # noqa: ARG001
) -> None:
    (tmp_path / "waterfall.png").write_bytes(b"old")
    files = write_report(result, tmp_path)
    assert files.png is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.json", "report.html"]


def test_a_folder_that_cannot_be_made_is_an_output_error(result: AuditResult, tmp_path: Path, bare: None) -> None:  # noqa: ARG001
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_report(result, tmp_path / "file" / "out")
    assert caught.value.exit_code == 5
    assert caught.value.hint


def test_a_full_disk_leaves_the_earlier_report_as_it_was(
    result: AuditResult,
    tmp_path: Path,
    bare: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = write_report(result, tmp_path).html.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_report(msgspec.structs.replace(result, feature="another"), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob(".*.part"))


def test_importing_reports_imports_no_chart_library() -> None:
    code = "import sys, reelwise.report.files; print([m for m in ('altair', 'vl_convert') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
