"""`reelwise rates diff --workload` and `reelwise price --months`: what prices of other days do to a bill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reelwise.cli import main

FOLDER = Path(__file__).resolve().parents[2] / "examples"
CONFERENCING = str(FOLDER / "conferencing.yaml")
DAYS = ("2026-11-22", "2027-01-01")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)  # no folder of evidence

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


def document(answer: tuple[int, str, str]) -> Any:
    assert answer[0] == 0, answer[2]
    return json.loads(answer[1])


def test_what_a_price_change_does_to_a_bill(run: Any) -> None:
    found = document(run("rates", "diff", *DAYS, "--workload", CONFERENCING, "--json"))
    assert found["after"] == pytest.approx(2 * found["before"])
    assert found["change_usd"] == pytest.approx(found["after"] - found["before"])
    rates = {line["unit"]: (line["rate_before"], line["rate_after"]) for line in found["lines"]}
    assert rates["tokens_text"] == (7.5e-07, 1.5e-06)
    assert sum(line["change_usd"] for line in found["lines"]) == pytest.approx(found["change_usd"])
    assert (found["from"], found["to"], found["ahead"]) == (*DAYS, [])


def test_for_people(run: Any) -> None:
    code, out, _ = run("rates", "diff", *DAYS, "--workload", CONFERENCING)
    assert code == 0
    assert "97,221.60 USD a month on 2026-11-22, 194,443.20 on 2027-01-01 (+97,221.60, +100.0%)" in out
    assert "1M tokens_text" in out


def test_what_is_coming_is_said_when_nothing_changes_yet(run: Any) -> None:
    code, out, _ = run("rates", "diff", "2026-11-22", "2026-12-01", "--workload", CONFERENCING)
    assert code == 0
    assert "no price that it uses changes" in out
    assert "from 2027-01-01: 194,443.20 USD a month (+97,221.60), gemini-3.8-flash x2" in out


def test_private_prices_count(run: Any, tmp_path: Path) -> None:
    rates = tmp_path / "rates.yaml"
    rates.write_text(
        "overrides:\n  - {model: gemini-3.8-flash, discount_percent: 50, from: '2027-01-01', source: contract}\n"
    )
    found = document(run("rates", "diff", *DAYS, "--workload", CONFERENCING, "--rates", str(rates), "--json"))
    assert found["after"] == pytest.approx(found["before"]), "half of twice as much"
    assert found["lines"] == []


def test_a_workload_that_is_missing_or_a_day_too_early(run: Any) -> None:
    assert run("rates", "diff", *DAYS, "--workload", "missing.yaml")[0] == 2
    code, _, err = run("rates", "diff", "1999-01-01", "2027-01-01", "--workload", CONFERENCING)
    assert code == 2
    assert "1999-01-01" in err


def test_a_forecast(run: Any) -> None:
    found = document(run("price", CONFERENCING, "--months", "3", "--json"))
    months = found["forecast"]
    assert [one["month"] for one in months] == ["2026-12", "2027-01", "2027-02"]
    now = found["total_usd_month"]
    assert [one["total_usd"] for one in months] == pytest.approx([now, 2 * now, 2 * now])
    assert months[1]["changes"][0]["sku"] == "gemini-3.8-flash"
    assert "forecast" not in document(run("price", CONFERENCING, "--json"))


def test_a_forecast_for_people(run: Any) -> None:
    code, out, _ = run("price", CONFERENCING, "--months", "2")
    assert code == 0
    row = next(line for line in out.splitlines() if line.strip().startswith("2027-01"))
    assert "gemini-3.8-flash x2" in row
    assert "291,664.80 USD in 2 months" in out


@pytest.mark.parametrize("months", ["0", "121", "x"])
def test_months_are_bounded(run: Any, months: str) -> None:
    assert run("price", CONFERENCING, "--months", months)[0] == 2
