"""`reelwise rates`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from reelwise.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["rates", *arguments])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


def document(answer: tuple[int, str, str], code: int = 0) -> Any:
    assert answer[0] == code, answer[2]
    return json.loads(answer[1])


def test_list_holds_every_card_and_says_what_is_unpriced(run: Any) -> None:
    entries = {one["sku"]: one for one in document(run("list", "--json", "--day", "2026-11-22"))["entries"]}
    assert entries["aws/g4dn.xlarge"]["rates"][0]["usd"] == 0.526
    assert entries["gcp/tpu-v5e"]["unpriced"]
    assert not entries["gcp/tpu-v5e"]["rates"]
    assert not any(one["kind"] == "language" for one in entries.values())


def test_list_filters(run: Any) -> None:
    speech = document(run("list", "--json", "--kind", "speech"))["entries"]
    assert {one["kind"] for one in speech} == {"speech"}
    groq = document(run("list", "--json", "--provider", "groq"))["entries"]
    assert {"speech", "language"} <= {one["kind"] for one in groq}
    found = document(run("list", "--json", "--search", "GEMINI-2.5-PRO"))["entries"]
    assert {"google:gemini-2.5-pro", "gemini-2.5-pro/cache-storage"} <= {one["sku"] for one in found}


def test_list_for_people(run: Any) -> None:
    code, out, err = run("list", "--provider", "coreweave")
    assert code == 0
    assert "unpriced" in out
    assert "1 of them without a price" in err


def test_show_a_model(run: Any) -> None:
    shown = document(run("show", "gemini-3.8-flash", "--day", "2026-11-22", "--json"))
    assert shown["modes"] == ["standard", "batch"]
    assert shown["context_limit"] == 1_000_000
    coming = [row for row in shown["history"] if row["upcoming"]]
    assert [row["day"] for row in coming] == ["2027-01-01"]
    text = next(row for row in coming[0]["changes"] if row["unit"] == "tokens_text" and not row["variant"])
    assert (text["before"], text["after"]) == (0.75e-6, 1.5e-6)
    assert document(run("show", "gemini-2.5-pro", "--json"))["cliff"] == 200_000


def test_show_a_card(run: Any) -> None:
    shown = document(run("show", "aws/rekognition/labels", "--json"))
    assert shown["sku"] == "aws/rekognition/group2"
    assert [tier["up_to"] for tier in shown["rates"][0]["tiers"]] == [1e6, 5e6, 35e6, None]
    runpod = document(run("show", "runpod/secure-h100-sxm", "--json"))
    assert [row["day"] for row in runpod["history"]] == ["2026-08-19", "2026-09-25", "2026-10-19"]
    assert runpod["card"]["gpu"] == "H100"


@pytest.mark.parametrize("name", ["gemini-2.5-pro", "aws/egress-us", "nvidia/jetson-agx-thor", "runpod/flex-h100"])
def test_show_for_people(run: Any, name: str) -> None:
    code, out, _ = run("show", name, "--day", "2026-11-22")
    assert code == 0
    assert name in out
    assert "source" in out


def test_prices_are_shown_to_the_last_digit(run: Any) -> None:
    assert "1.875 per 1M" in run("show", "gemini-3.8-flash", "--day", "2026-11-22")[1]


def test_unknown_names_exit_with_two_and_a_hint(run: Any) -> None:
    code, out, err = run("show", "whisper-1", "--json")
    assert (code, out) == (2, "")
    assert "openai/whisper-1" in err


def test_check(run: Any) -> None:
    fresh = document(run("check", "--today", "2026-11-22", "--days", "5000", "--strict", "--json"))
    assert fresh["stale"] == []
    assert fresh["without_source"] == []
    assert any(one["sku"] == "azure/video-indexer" for one in fresh["unpriced"])
    stale = document(run("check", "--today", "2026-11-22", "--json"))["stale"]
    assert all(one["age_days"] > 90 for one in stale)
    assert any(one["sku"] == "gcp/a2-highgpu-1g" for one in stale)
    code, out, err = run("check", "--today", "2026-11-22", "--strict")
    assert code == 3
    assert "gcp/a2-highgpu-1g" in out
    assert "stale prices" in err


def test_diff(run: Any) -> None:
    day = document(run("diff", "2026-11-30", "2026-12-01", "--json"))
    text = [one for one in day["changes"] if one["unit"] == "tokens_text" and not one["variant"]]
    assert [(one["sku"], one["before"], one["after"]) for one in text] == [("google:gemini-4-argon", 2e-6, 4e-6)]
    year = document(run("diff", "2026-12-31", "2027-01-01", "--json"))["changes"]
    assert {"google:gemini-3.6-flash", "google:gemini-3.7-flash", "gemini-3.8-flash/cache-storage"} <= {
        one["sku"] for one in year
    }
    assert document(run("diff", "2026-11-22", "2026-11-23", "--json"))["changes"] == []
    code, out, err = run("diff", "2026-11-30", "2026-12-01")
    assert code == 0
    assert "gemini-4-argon" in out
    assert "prices change" in err


def test_private_prices(run: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("overrides: [{provider: aws, discount_percent: 50, source: deal}]")
    shown = document(run("show", "aws/g4dn.xlarge", "--rates", str(mine), "--json"))
    assert shown["rates"][0]["usd"] == pytest.approx(0.263)
    assert "deal" in shown["rates"][0]["source"]
    mine.write_text("overrides: [{provider: aws, diskount_percent: 50}]")
    code, _, err = run("list", "--rates", str(mine))
    assert code == 2
    assert "discount_percent" in err


def test_a_bad_day_is_bad_input(run: Any) -> None:
    assert run("diff", "soon", "2026-12-01")[0] == 2


def test_importing_rates_loads_no_heavy_module() -> None:
    code = (
        "import sys, reelwise.rates, reelwise.cli.rates;"
        "print([m for m in ('numpy', 'av', 'genai_prices', 'yaml', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
