"""`reelwise audit --bill` starts from a current bill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reelwise.cli import main

BILLS = Path(__file__).resolve().parents[1] / "bills"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    out = capsys.readouterr()
    return int(done.value.code or 0), out.out, out.err


def test_people_see_parts_and_levers(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(capsys, "audit", "--bill", str(BILLS / "aws_cur.csv"))
    assert code == 0
    assert "BoxUsage:g4dn.xlarge" in text
    assert "right_size_gpu" in text


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(capsys, "audit", "--bill", str(BILLS / "focus.csv"), "--json")
    value = json.loads(text)
    assert code == 0
    assert {"format", "total_usd", "groups", "levers", "unpriced", "notes"} <= set(value)
    assert value["groups"][0]["fits"][0]["applies"] is True


def test_what_is_no_bill_is_bad_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    code, text, said = run(capsys, "audit", "--bill", str(path))
    assert (code, text) == (2, "")
    assert "no format of a bill" in said
    assert "BilledCost" in said
