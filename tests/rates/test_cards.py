"""Rate cards: every file against the schema, and the rules for each call."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from reelwise.documents import read_yaml
from reelwise.errors import DocumentError, UnknownModelError, UnpricedError
from reelwise.rates import Book, amount
from reelwise.rates import cards as module
from reelwise.rates.schema import PATH, card_schema, schema_text
from reelwise.requests import Request

BOOK = Book.load(dt.date(2026, 11, 22))
FILES = sorted((Path(module.__file__).parent / "data").glob("*.yaml"))


def usd(**fields: Any) -> Any:
    fields.setdefault("count", 1.0)
    return sum(amount(rate, usage.quantity) for usage, rate in BOOK.price_request(Request(**fields)))


def test_the_committed_schema_is_the_types() -> None:
    assert PATH.read_text() == schema_text(), "run: python -m reelwise.rates.schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_card_file_fits_the_schema(path: Path) -> None:
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=../schema.json"
    jsonschema.Draft202012Validator(card_schema()).validate(read_yaml(path))
    sheet = module.read_sheet(path)
    assert sheet.provider == path.stem
    for entry in sheet.entries:
        own = entry.kind == "cache_storage" or entry.sku.startswith(f"{path.stem}/")
        assert own, f"{entry.sku} is not {path.stem}'s"
        for price in entry.prices:
            assert price.source, entry.sku
            assert price.checked, entry.sku
            assert price.quality, entry.sku


def test_everything_listed_can_be_looked_up() -> None:
    listed = list(BOOK.entries())
    assert len(listed) > 200
    for one in listed:
        assert bool(one.rates) != bool(one.unpriced), one.sku
        if not one.rates:
            with pytest.raises(UnpricedError):
                BOOK.rate(one.sku)


def test_blocks_are_whole_in_each_call() -> None:
    assert usd(model="fal/sam-3", images=300.0) == pytest.approx(0.095)
    assert usd(model="fal/sam-3", images=304.0) == pytest.approx(0.095)
    assert usd(model="fal/sam-3.1", images=np.array([1.0, 17.0])) == pytest.approx([0.01, 0.02])
    assert usd(model="fal/sam-3", images=300.0, count=10.0) == pytest.approx(0.95)


def test_groq_bills_ten_seconds_at_least() -> None:
    second = 0.111 / 3600
    assert usd(model="groq/whisper-large-v3", seconds=2.0) == pytest.approx(10 * second)
    assert usd(model="groq/whisper-large-v3", seconds=60.0) == pytest.approx(60 * second)
    assert usd(model="groq/whisper-large-v3", seconds=np.array([0.0, 2.0])) == pytest.approx([0.0, 10 * second])
    assert usd(model="groq/whisper-large-v3", seconds=60.0, mode="batch") == pytest.approx(30 * second)


def test_a_minute_of_speech() -> None:
    assert usd(model="openai/whisper-1", seconds=90.0) == pytest.approx(0.009)
    assert usd(model="azure/speech-to-text", seconds=60.0) == pytest.approx(1 / 60)


def test_the_article_on_segmentation() -> None:
    assert usd(model="aws/rekognition/labels", images=300.0, count=10.0) == pytest.approx(3.0 - 1.0)
    assert usd(model="aws/rekognition/video-stored", seconds=10.0) == pytest.approx(0.016667, abs=1e-6)
    assert BOOK.rate("aws/g4dn.xlarge").usd / 54_000 * 1e6 == pytest.approx(9.74, abs=0.005)
    assert BOOK.rate("aws/inf1.xlarge").usd == 0.228


def test_apis_of_a_group_share_one_id() -> None:
    skus = {
        BOOK.price_request(Request(model=f"aws/rekognition/{api}", count=1.0, images=1.0))[0][0].sku
        for api in ("labels", "detect-faces", "detect-text", "group2")
    }
    assert skus == {"aws/rekognition/group2"}


def test_several_units_on_one_card() -> None:
    priced = BOOK.price_request(
        Request(model="twelvelabs/pegasus", count=2.0, seconds=120.0, tokens_output=500.0, images=7.0)
    )
    assert [(usage.unit, usage.quantity) for usage, _ in priced] == [("minute", 4.0), ("tokens_output", 1000.0)]
    assert sum(amount(rate, usage.quantity) for usage, rate in priced) == pytest.approx(4 * 0.0292 + 0.0075)


def test_generated_seconds_by_resolution() -> None:
    assert usd(model="google/veo-3.1-fast", seconds_output=8.0, resolution="1080p") == pytest.approx(0.96)
    assert usd(model="google/veo-3.1", seconds_output=8.0, resolution="720p") == pytest.approx(3.2)
    assert usd(model="google/veo-3.1", seconds_output=8.0, resolution="4k") == pytest.approx(4.8)
    with pytest.raises(UnpricedError) as error:
        usd(model="google/veo-3.1-fast", seconds_output=8.0, resolution="8k")
    assert "720p, 1080p, 4k" in error.value.hint
    with pytest.raises(UnpricedError, match="depends on the resolution"):
        usd(model="google/veo-3.1-fast", seconds_output=8.0)


def test_a_host_is_not_billed_by_the_call() -> None:
    with pytest.raises(UnpricedError, match="not by the call"):
        usd(model="aws/g4dn.xlarge", seconds=60.0)


@pytest.mark.parametrize(
    "sku",
    [
        "gcp/tpu-v5e",
        "azure/video-indexer",
        "coreweave/h100",
        "remove-bg/remove-background",
        "assemblyai/best",
        "aws/rekognition/video-streaming",
        "nvidia/jetson-agx-orin",
        "nvidia/jetson-agx-thor",
        "aws/g4dn.xlarge/spot",
        "azure/Standard_NC4as_T4_v3/reserved-3y",
    ],
)
def test_known_things_without_a_source_are_unpriced(sku: str) -> None:
    with pytest.raises(UnpricedError):
        BOOK.rate(sku)


def test_units_modes_and_names() -> None:
    assert BOOK.unit_of("aws/s3-standard") == "gb_month"
    assert BOOK.unit_of("aws/rekognition/labels") == "image"
    assert BOOK.modes("groq/whisper-large-v3") == ("standard", "batch")
    assert BOOK.modes("coreweave/h100") == ()
    assert BOOK.cliff("aws/g4dn.xlarge") is None
    assert BOOK.context_limit("aws/g4dn.xlarge") is None
    with pytest.raises(UnknownModelError) as error:
        BOOK.unit_of("aws/g4dn.xlarg")
    assert "aws/g4dn.xlarge" in error.value.hint
    with pytest.raises(UnpricedError, match="no price by the gb"):
        BOOK.rate("aws/g4dn.xlarge", "gb")
    with pytest.raises(UnpricedError, match="no batch price"):
        usd(model="aws/rekognition/labels", images=1.0, mode="batch")


def test_prices_have_dates() -> None:
    history = [("2026-08-19", 3.29), ("2026-09-24", 3.29), ("2026-09-25", 3.49), ("2026-11-22", 3.99)]
    for day, price in history:
        assert Book.load(dt.date.fromisoformat(day)).rate("runpod/secure-h100-sxm").usd == price
    with pytest.raises(UnpricedError, match="none is known before 2026-08-19"):
        Book.load(dt.date(2026, 8, 18)).rate("runpod/secure-h100-sxm")


def test_hosts_say_what_they_are() -> None:
    flex = BOOK.entry("runpod/flex-h100")
    assert (flex.gpu, flex.gpus, flex.idle_seconds, flex.cold_start_seconds) == ("H100", 1, 5, (36, 42))
    assert BOOK.entry("nvidia/jetson-orin-nano-super").watts == (7, 25)
    assert BOOK.rate("gcp/a2-highgpu-1g/reserved-1y").usd / BOOK.rate("gcp/a2-highgpu-1g").usd == pytest.approx(
        0.63, abs=1e-4
    )
    assert BOOK.rate("gcp/a2-highgpu-1g/spot").usd / BOOK.rate("gcp/a2-highgpu-1g").usd == pytest.approx(
        1 - 0.6479, abs=1e-4
    )


def test_an_hour_of_an_edge_device() -> None:
    device, power = BOOK.rate("nvidia/jetson-orin-nano-super").usd, BOOK.rate("electricity/us-commercial").usd
    hour = device / (3 * 8760) + 0.025 * power
    assert hour == pytest.approx(0.013125, abs=1e-6)
    assert hour / (30 * 3600) * 1e6 == pytest.approx(0.1215, abs=1e-4)


def test_a_price_per_thousand_is_exact() -> None:
    assert BOOK.rate("google/vision/label").usd == 0.0015
    assert BOOK.rate("modal/h100", "second").usd * 3600 == pytest.approx(3.949, abs=1e-3)


HEAD = "provider: x\nentries:\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  - {sku: x/a, kind: video}", "either prices or a reason"),
        ("  - {sku: x/a, kind: video, unpriced: why, prices: [{unit: minute, usd: 1}]}", "either prices or a reason"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute}]}", "either `usd` or `tiers`"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute, usd: -1}]}", ">= 0"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minuet, usd: 1}]}", "minuet"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute, cost: 1}]}", "cost"),
        ("  - {sku: x/a, kind: video, prices: [{unit: block, usd: 1}]}", "frames"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute, usd: 1, from: soon}]}", "pattern|matching"),
        ("  - {sku: xa, kind: video, prices: [{unit: minute, usd: 1}]}", "pattern|matching"),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute, tiers: [{usd: 1}, {usd: 2}]}]}", "last step"),
        (
            "  - {sku: x/a, kind: video, prices: [{unit: minute, tiers: [{up_to: 2, usd: 1}, {up_to: 1, usd: 2}]}]}",
            "rise",
        ),
        ("  - {sku: x/a, kind: video, prices: [{unit: minute, usd: .nan}]}", "finite"),
        ("  - {sku: x/a, kind: [", "not YAML"),
    ],
)
def test_broken_cards_are_refused_with_a_reason(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + text + "\n")
    with pytest.raises(DocumentError, match=message) as error:
        module.read_sheet(path)
    assert "x.yaml" in str(error.value)
    assert error.value.hint
