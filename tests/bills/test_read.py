"""Every export is told by its columns and read into the same lines. The fixtures are made up."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from reelwise.bills import BillLine, read_bill
from reelwise.bills.line import day_of, last_day_of, number
from reelwise.bills.reader import read_bill_format
from reelwise.bills.words import kind_of, mode_of, model_of
from reelwise.errors import DocumentError
from reelwise.rates import Book

HERE = Path(__file__).parent


def kinds(lines: list[BillLine]) -> list[tuple[str, str, str]]:
    return [(line.model or line.sku, line.kind, line.mode) for line in lines]


def total(lines: list[BillLine]) -> float:
    return sum(line.usd or 0.0 for line in lines)


@pytest.mark.parametrize(
    ("name", "form", "lines", "usd"),
    [
        ("openai_costs", "OpenAI costs", 5, 1850.10),
        ("anthropic_costs", "Anthropic costs", 6, 986.75),
        ("google_export", "Google Cloud billing export", 6, 1216.80 / 0.8),
        ("aws_cur", "AWS Cost and Usage Report", 7, 3000.00),
        ("focus", "FOCUS", 6, 1044.00),
    ],
)
def test_an_export_is_recognised_and_adds_up(name: str, form: str, lines: int, usd: float) -> None:
    read, told = read_bill_format(HERE / f"{name}.csv")
    assert (told, len(read)) == (form, lines)
    assert total(read) == pytest.approx(usd)
    assert not any(line.is_listed for line in read)


def test_openai_costs_name_model_and_part() -> None:
    lines = read_bill(HERE / "openai_costs.csv")
    assert kinds(lines)[:3] == [
        ("gpt-5.4", "tokens_text", "standard"),
        ("gpt-5.4", "tokens_output", "standard"),
        ("gpt-5.4", "tokens_cached", "standard"),
    ]
    assert lines[4].kind == "speech"
    assert (lines[0].start, lines[0].end) == ("2026-11-01", "2026-11-01")  # an end at midnight is the day before
    assert lines[0].tags == {"projectname": "clips", "projectid": "proj_made_up"}


def test_anthropic_costs_name_model_and_part() -> None:
    assert kinds(read_bill(HERE / "anthropic_costs.csv")) == [
        ("claude-sonnet-4-6", "tokens_text", "standard"),
        ("claude-sonnet-4-6", "tokens_cached", "standard"),
        ("claude-sonnet-4-6", "tokens_cache_write", "standard"),
        ("claude-sonnet-4-6", "tokens_output", "standard"),
        ("claude-haiku-4-5", "tokens_output", "batch"),
        ("web search", "other", "standard"),
    ]


def test_google_is_converted_by_the_rate_in_its_preamble() -> None:
    lines = read_bill(HERE / "google_export.csv")
    assert [line.kind for line in lines] == ["tokens_video", "tokens_output", "gpu", "storage", "egress", "other"]
    assert lines[0].usd == pytest.approx(1250.00)
    assert lines[0].quantity == 1e9
    assert lines[0].model == "gemini-2.5-pro"
    assert lines[2].mode == "spot"
    assert lines[5].usd == pytest.approx(-27.00)


def test_aws_tells_machines_images_bytes_and_taxes_apart() -> None:
    lines = read_bill(HERE / "aws_cur.csv")
    assert [(line.kind, line.mode) for line in lines] == [
        ("gpu", "standard"),
        ("gpu", "spot"),
        ("compute", "reserved"),
        ("vision", "standard"),
        ("storage", "standard"),
        ("egress", "standard"),
        ("other", "standard"),
    ]
    assert lines[0].tags == {"userfeature": "backgrounds"}
    assert (lines[0].quantity, lines[0].unit) == (2190, "Hrs")


def test_aws_in_snake_case_is_the_same_report(tmp_path: Path) -> None:
    old = (HERE / "aws_cur.csv").read_text()
    header, _, body = old.partition("\n")
    snake = ",".join(
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name.replace("/", "_")).replace("__", "_")
        for name in header.split(",")
    )
    path = tmp_path / "cur2.csv"
    path.write_text(f"{snake}\n{body}")
    assert "line_item_unblended_cost" in snake
    assert total(read_bill(path)) == pytest.approx(3000)


def test_focus_reads_units_tags_and_pricing_category() -> None:
    lines = read_bill(HERE / "focus.csv")
    assert kinds(lines)[:3] == [
        ("gpt-5.4", "tokens_text", "standard"),
        ("gpt-5.4", "tokens_output", "standard"),
        ("H100 instance hours", "gpu", "spot"),
    ]
    assert [line.kind for line in lines[3:]] == ["storage", "egress", "other"]
    assert (lines[0].quantity, lines[0].unit, lines[0].tags) == (280e6, "Tokens", {"feature": "clips"})


def test_json_lines_are_read_as_the_csv_is(tmp_path: Path) -> None:
    import csv

    path = tmp_path / "focus.jsonl"
    with (HERE / "focus.csv").open(newline="") as file:
        rows = [json.dumps({k: v or None for k, v in row.items()}) for row in csv.DictReader(file)]
    path.write_text("\n".join(rows) + "\n\n")
    assert kinds(read_bill(path)) == kinds(read_bill(HERE / "focus.csv"))


def test_effective_cost_stands_in_where_nothing_is_billed(tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"
    path.write_text("EffectiveCost,ServiceName,ChargePeriodStart,ChargeDescription\n7.5,S,2026-11-01,storage\n")
    assert read_bill(path)[0].usd == 7.5


def test_openai_usage_is_priced_by_part_and_mode() -> None:
    lines = read_bill(HERE / "openai_usage.csv")
    by = {(line.model, line.kind): line for line in lines}
    assert all(line.is_listed for line in lines)
    assert by["gpt-5.4", "tokens_text"].quantity == 1_000_000  # 10 M less 4 M cached and 5 M of pictures
    assert by["gpt-5.4", "tokens_image"].usd == pytest.approx(5 * 2.50)
    assert by["gpt-5.4", "tokens_cached"].usd == pytest.approx(4 * 0.25)
    assert by["gpt-5.4-mini", "tokens_text"].mode == "batch"
    assert by["gpt-5.4-mini", "tokens_text"].usd == pytest.approx(2 * 0.75 / 2)
    assert by["made-up-model", "tokens_text"].usd is None  # an unknown price is never 0


def test_anthropic_usage_is_priced_with_its_cache() -> None:
    lines = read_bill(HERE / "anthropic_usage.csv")
    by = {(line.kind, line.mode): line for line in lines}
    book = Book.load(dt.date(2026, 11, 1))
    bands = book.language("claude-haiku-4-5").bands[0]
    assert by["tokens_cached", "standard"].usd == pytest.approx(8_800_000 * float(bands["tokens_cached"].usd))
    assert by["tokens_cache_write", "standard"].usd == pytest.approx(200_000 * float(bands["tokens_cache_write"].usd))
    assert by["tokens_output", "batch"].usd == pytest.approx(100_000 * float(bands["tokens_output"].usd) / 2)


def test_semicolons_with_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffService description;SKU description;Cost ($)\nCloud Storage;Standard Storage;1.234,50\n")
    assert read_bill(path)[0].usd == pytest.approx(1234.5)


def test_another_currency_needs_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BilledCost,BillingCurrency,ServiceName,ChargePeriodStart\n100,EUR,Storage,2026-11-01\n")
    with pytest.raises(DocumentError, match="in EUR") as caught:
        read_bill(path)
    assert "usd_per_unit" in caught.value.hint
    assert read_bill(path, usd_per_unit=1.08)[0].usd == pytest.approx(108)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b,c\n1,2,3\n", "no format of a bill that is known; its columns are a, b, c"),
        ("just words\n", "no format"),
        ('{"a": 1}\n', "no format"),
        ('{"BilledCost": 1\n', "not JSON"),
        ("BilledCost,ServiceName,ChargePeriodStart\n,S,2026-11-01\n", "no line of this FOCUS has an amount"),
        ("BilledCost,ServiceName,ChargePeriodStart\nabc,S,2026-11-01\n", "`abc` is no number"),
    ],
)
def test_what_is_no_bill_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DocumentError, match=said):
        read_bill(path)


def test_a_refusal_names_the_columns_it_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("when,what,how much\n")
    with pytest.raises(DocumentError) as caught:
        read_bill(path)
    for column in ("BilledCost/EffectiveCost", "lineItem/UnblendedCost", "line_item", "token_type", "SKU description"):
        assert column in caught.value.hint


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DocumentError):
            read_bill(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", 1234.5), ("$5.72", 5.72), ("-$5.72", -5.72), ("(12.00)", -12.0), ("", None), ("null", None),
        ("1e-05", 1e-5), (".5", 0.5), ("1,000,000", 1e6), ("€ 3.00", 3.0),
    ],
)  # fmt: skip
def test_amounts(text: str, value: float | None) -> None:
    assert number(text, where="here") == value


@pytest.mark.parametrize("text", ["1.2.3", "12 apples", "1e999", "--1"])
def test_amounts_that_are_none(text: str) -> None:
    with pytest.raises(DocumentError):
        number(text, where="here")


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-11-01T00:00:00Z", "2026-11-01"), ("1793491200", "2026-11-01"), ("11/1/2026", "2026-11-01"), ("soon", ""), ("", "")],
)  # fmt: skip
def test_days(text: str, day: str) -> None:
    assert day_of(text) == day


def test_the_end_of_a_month_is_its_last_day() -> None:
    assert last_day_of("2026-12-01T00:00:00Z") == "2026-11-30"
    assert last_day_of("2026-11-30") == "2026-11-30"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Provisioned IOPS", "other"),
        ("AmazonEC2 BoxUsage:m7i.xlarge", "compute"),
        ("AmazonEC2 BoxUsage:p5.48xlarge", "gpu"),
        ("A100 80GB PCIe", "gpu"),
        ("Gemini 2.5 Flash Audio Input - Predictions", "tokens_audio"),
        ("Gemini context cached token storage", "cache_storage"),
        ("Veo 3.1 Fast video generation", "generation"),
        ("Speech-to-Text minutes", "speech"),
        ("Premium Support", "other"),
        ("EBS:VolumeUsage.gp3", "storage"),
        ("AmazonCloudFront EU-DataTransfer-Out-Bytes", "egress"),
    ],
)
def test_words_say_what_is_billed(words: str, kind: str) -> None:
    assert kind_of(words) == kind


def test_words_say_how_and_which_model() -> None:
    assert mode_of("Preemptible GPU") == "spot"
    assert mode_of("Commitment v1: A2 Cpu") == "reserved"
    assert mode_of("Batch Gemini 2.5 Pro Text Input") == "batch"
    assert model_of("Gemini 3.1 Pro text input") == "gemini-3.1-pro-preview"
    assert model_of("Claude Opus 4.7") == "claude-opus-4-7"
    assert model_of("Amazon Simple Storage Service") == ""
