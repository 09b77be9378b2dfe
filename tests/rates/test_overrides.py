"""Private prices over the listed ones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from reelwise.errors import DocumentError, UnpricedError
from reelwise.rates import Book, amount
from reelwise.requests import Request

if TYPE_CHECKING:
    from pathlib import Path

DAY = dt.date(2026, 11, 22)
LISTED = Book.load(DAY)


def book(tmp_path: Path, text: str, day: dt.date = DAY) -> Book:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return Book.load(day, path)


def usd(book: Book, **fields: Any) -> Any:
    fields.setdefault("count", 1.0)
    return sum(amount(rate, usage.quantity) for usage, rate in book.price_request(Request(**fields)))


def test_percent_off_a_sku_a_model_and_a_provider(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
overrides:
  - {sku: aws/rekognition/labels, discount_percent: 10, source: addendum 3}
  - {provider: aws, discount_percent: 20}
  - {model: gemini-2.5-pro, discount_percent: 50, mode: batch}
""",
    )
    assert mine.rate("aws/g4dn.xlarge").usd == pytest.approx(0.526 * 0.8)
    labels = mine.rate("aws/rekognition/labels")
    assert [tier.usd for tier in labels.tiers] == pytest.approx([t * 0.72 for t in (0.001, 0.0008, 0.0006, 0.00025)])
    assert "addendum 3" in labels.source
    assert "mine.yaml" in labels.source
    assert labels.quality == "given"
    assert mine.rate("gemini-2.5-pro").usd == LISTED.rate("gemini-2.5-pro").usd
    assert mine.rate("gemini-2.5-pro", mode="batch").usd == pytest.approx(0.3125e-6)
    assert mine.rate("azure/computer-vision") == LISTED.rate("azure/computer-vision")


def test_a_provider_discount_reaches_its_models(tmp_path: Path) -> None:
    mine = book(tmp_path, "overrides: [{provider: openai, discount_percent: 25}]")
    assert mine.rate("gpt-5.4").usd == pytest.approx(0.75 * LISTED.rate("gpt-5.4").usd)
    above = {"model": "gpt-5.4", "tokens_text": 300_000.0}
    assert usd(mine, **above) == pytest.approx(0.75 * usd(LISTED, **above))


def test_a_replaced_price_takes_no_discount_and_keeps_the_meter(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
overrides:
  - {provider: fal, discount_percent: 50}
  - {sku: fal/sam-3, price: 0.004, source: order form}
  - {sku: groq/whisper-large-v3, price: 0.10}
""",
    )
    assert usd(mine, model="fal/sam-3", images=300.0) == pytest.approx(19 * 0.004)
    assert usd(mine, model="groq/whisper-large-v3", seconds=1.0) == pytest.approx(10 / 3600 * 0.10)
    assert "order form" in mine.rate("fal/sam-3").source


def test_a_models_units_are_replaced_one_by_one_and_others_follow(tmp_path: Path) -> None:
    mine = book(
        tmp_path, "overrides: [{model: gemini-2.5-pro, unit: tokens_text, price: 1.0, per: 1000000, source: form}]"
    )
    assert usd(mine, model="gemini-2.5-pro", tokens_text=1e6) == pytest.approx(1.0)
    assert usd(mine, model="gemini-2.5-pro", tokens_video=1e6) == pytest.approx(1.0)
    assert usd(mine, model="google:gemini-2.5-pro", tokens_video=1e6) == pytest.approx(1.0)
    assert mine.rate("gemini-2.5-pro", "tokens_cached") == LISTED.rate("gemini-2.5-pro", "tokens_cached")
    assert usd(mine, model="gemini-2.5-pro", tokens_output=1e6) == usd(
        LISTED, model="gemini-2.5-pro", tokens_output=1e6
    )


def test_a_replaced_price_is_listed_once(tmp_path: Path) -> None:
    mine = book(tmp_path, "overrides: [{model: gemini-2.5-pro, unit: tokens_text, price: 1.0, per: 1000000}]")
    rates = [rate for rate in mine.listing("gemini-2.5-pro").rates if rate.quality == "given"]
    assert [rate.unit for rate in rates].count("tokens_text") == 1


def test_audio_of_its_own_does_not_follow_text(tmp_path: Path) -> None:
    mine = book(tmp_path, "overrides: [{model: gemini-2.5-flash, unit: tokens_text, price: 0.1, per: 1000000}]")
    assert mine.rate("gemini-2.5-flash", "tokens_image").usd == pytest.approx(1e-7)
    assert mine.rate("gemini-2.5-flash", "tokens_audio") == LISTED.rate("gemini-2.5-flash", "tokens_audio")


def test_another_currency_with_a_dated_rate(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
exchange: {currency: EUR, usd_per_unit: 1.08, day: 2026-11-02, source: treasury}
overrides:
  - {sku: aws/g4dn.xlarge, price: 0.40}
  - {sku: aws/egress-us, free_month: 10, tiers: [{up_to: 100, price: 0.1}, {price: 0.05}]}
  - {sku: aws/g5.xlarge, price: 1.0, exchange: {currency: GBP, usd_per_unit: 1.25, day: 2026-11-01, source: bank}}
""",
    )
    rate = mine.rate("aws/g4dn.xlarge")
    assert rate.usd == pytest.approx(0.432)
    assert "1 EUR = 1.08 USD on 2026-11-02 (treasury)" in rate.source
    assert rate.checked == "2026-11-02"
    assert amount(mine.rate("aws/egress-us"), 110.0) == pytest.approx((90 * 0.1 + 10 * 0.05) * 1.08)
    assert mine.rate("aws/g5.xlarge").usd == pytest.approx(1.25)


def test_what_is_unpriced_or_unknown_can_be_given_a_price(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
overrides:
  - {sku: coreweave/h100, unit: hour, price: 4.25, source: quote}
  - {sku: aws/g4dn.xlarge/spot, unit: hour, price: 0.2}
  - {sku: ours/detector, unit: image, price: 2, per: 1000000}
  - {model: our-vlm, unit: tokens_text, price: 0.5, per: 1000000}
  - {model: our-vlm, unit: tokens_output, price: 2, per: 1000000}
  - {model: gemini-3.8-flash, mode: flex, unit: tokens_text, price: 0.4, per: 1000000}
""",
    )
    assert mine.rate("coreweave/h100").usd == 4.25
    assert mine.rate("aws/g4dn.xlarge/spot").usd == 0.2
    assert usd(mine, model="ours/detector", images=50.0) == pytest.approx(1e-4)
    assert usd(mine, model="our-vlm", tokens_video=1e6, tokens_output=1e6) == pytest.approx(2.5)
    assert mine.is_language_model("our-vlm")
    assert mine.modes("gemini-3.8-flash") == ("standard", "batch", "flex")
    assert usd(mine, model="gemini-3.8-flash", mode="flex", tokens_text=1e6) == pytest.approx(0.4)
    with pytest.raises(UnpricedError, match="no price for tokens_output"):
        usd(mine, model="gemini-3.8-flash", mode="flex", tokens_output=1.0)
    listed = {one.sku: one for one in mine.entries(language=True)}
    assert not listed["coreweave/h100"].unpriced
    assert listed["ours/detector"].kind == "given"
    assert listed["our-vlm"].rates


def test_a_price_for_every_resolution_or_for_one(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
overrides:
  - {sku: google/veo-3.1-fast, price: 0.07, resolution: 720p}
  - {sku: minimax/h3, price: 0.04}
""",
    )
    seconds = {"seconds_output": 10.0}
    assert usd(mine, model="google/veo-3.1-fast", resolution="720p", **seconds) == pytest.approx(0.7)
    assert usd(mine, model="google/veo-3.1-fast", resolution="1080p", **seconds) == pytest.approx(1.2)
    assert usd(mine, model="minimax/h3", resolution="2k", **seconds) == pytest.approx(0.4)
    assert len({one.variant for one in mine.listing("google/veo-3.1-fast").rates}) == 3


def test_private_prices_have_days(tmp_path: Path) -> None:
    text = "overrides: [{sku: aws/g4dn.xlarge, price: 0.3, from: 2026-12-01, until: 2026-12-31}]"
    days = {"2026-11-30": 0.526, "2026-12-01": 0.3, "2026-12-31": 0.3, "2027-01-01": 0.526}
    for day, price in days.items():
        assert book(tmp_path, text, dt.date.fromisoformat(day)).rate("aws/g4dn.xlarge").usd == price


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{sku: aws/g4dn.xlarge, prize: 1}", "prize"),
        ("{sku: aws/g4dn.xlarge, provider: aws, discount_percent: 5}", "exactly one of `sku`"),
        ("{discount_percent: 5}", "exactly one of `sku`"),
        ("{sku: aws/g4dn.xlarge}", "exactly one of `discount_percent`"),
        ("{sku: aws/g4dn.xlarge, price: 1, discount_percent: 5}", "exactly one of `discount_percent`"),
        ("{sku: aws/g4dn.xlarge, discount_percent: 120}", "<= 100"),
        ("{provider: aws, price: 1}", "no single price"),
        ("{provider: awz, discount_percent: 1}", "unknown provider"),
        ("{sku: aws/g4dn.xlarg, discount_percent: 1}", "unlisted"),
        ("{model: gemini-9, discount_percent: 1}", "unlisted"),
        ("{model: gemini-2.5-pro, price: 1}", "needs its `unit`"),
        ("{sku: ours/thing, price: 1}", "needs its `unit`"),
        ("{sku: coreweave/h100, price: 1}", "needs its `unit`"),
        ("{sku: aws/egress, tiers: [{price: 1}, {price: 2}]}", "last step"),
        ("{sku: nothing, unit: hour, price: 1}", "provider/product"),
        ("{sku: aws/g4dn.xlarge, price: -1}", ">= 0"),
        ("{sku: aws/g4dn.xlarge, price: 1, exchange: {currency: EUR, usd_per_unit: 1.08}}", "day"),
        (
            "{sku: aws/g4dn.xlarge, price: 1, exchange: {currency: EUR, usd_per_unit: 0, day: 2026-01-01, source: x}}",
            "> 0",
        ),
        ("{sku: aws/g4dn.xlarge, price: 1, from: 2026-12-01, until: 2026-11-01}", "lies before"),
    ],
)
def test_broken_files_are_refused_with_a_reason(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as error:
        book(tmp_path, f"overrides:\n  - {entry}\n")
    assert "mine.yaml" in error.value.where
    assert error.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        Book.load(DAY, tmp_path / "none.yaml")


JUNE = dt.date(2026, 6, 3)
MADE = "overrides: [{provider: google, mode: batch, from_mode: standard, discount_percent: 50, source: batch guide}]"


def test_a_mode_is_made_out_of_another_one_bands_and_all(tmp_path: Path) -> None:
    assert Book.load(JUNE).modes("gemini-2.5-pro") == ("standard",)
    mine = book(tmp_path, MADE, JUNE)
    assert mine.modes("gemini-2.5-pro") == ("standard", "batch")
    assert mine.cliff("gemini-2.5-pro", "batch") == 200_000
    for tokens in (200_000.0, 200_001.0):
        one = {"model": "gemini-2.5-pro", "tokens_text": tokens, "tokens_output": 100.0}
        assert usd(mine, mode="batch", **one) == pytest.approx(usd(mine, **one) / 2)
    rate = mine.rate("gemini-2.5-pro", mode="batch")
    assert rate.variant == "batch, up to 200,000 tokens"
    assert "batch guide" in rate.source
    assert mine.modes("gpt-5.4") == ("standard",)


def test_a_made_mode_replaces_a_listed_one_and_follows_private_prices(tmp_path: Path) -> None:
    mine = book(
        tmp_path,
        """
overrides:
  - {model: gemini-2.5-pro, mode: batch, from_mode: standard, discount_percent: 60}
  - {model: gemini-2.5-pro, unit: tokens_text, price: 1.0, per: 1000000}
  - {model: gemini-2.5-pro, unit: tokens_output, mode: batch, price: 3.0, per: 1000000}
  - {sku: fal/sam-3, mode: batch, from_mode: standard, discount_percent: 20}
""",
    )
    assert mine.rate("gemini-2.5-pro", mode="batch").usd == pytest.approx(0.4e-6)
    assert mine.rate("gemini-2.5-pro", "tokens_output", mode="batch").usd == pytest.approx(3e-6)
    assert usd(mine, model="fal/sam-3", mode="batch", images=300.0) == pytest.approx(
        0.8 * usd(mine, model="fal/sam-3", images=300.0)
    )
    assert mine.rate("fal/sam-3", mode="batch").variant == "batch"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("{model: gpt-5.4, mode: batch, from_mode: batch, discount_percent: 50}", "a made mode needs"),
        ("{model: gpt-5.4, from_mode: standard, discount_percent: 50}", "a made mode needs"),
        ("{model: gpt-5.4, unit: tokens_text, mode: batch, from_mode: standard, price: 1}", "a made mode needs"),
        (
            "{provider: openai, mode: batch, from_mode: flex, discount_percent: 5}, {model: gpt-5.4, mode: flex, from_mode: batch, discount_percent: 5}",
            "made out of another mode itself",
        ),
    ],
)
def test_a_made_mode_says_what_it_is_made_of(tmp_path: Path, entries: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        book(tmp_path, f"overrides: [{entries}]")
