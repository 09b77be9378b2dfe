"""The exports that can be read: which columns name a format, and what its rows say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.bills.line import BillLine, day_of, last_day_of, number
from reelwise.bills.words import kind_of, mode_of, model_of, token_kind
from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelwise.bills.line import Kind

__all__ = ["FORMATS", "Format", "Row", "plain"]


def plain(name: str) -> str:
    """Reduce a column's name to letters and digits: `lineItem/UnblendedCost` and `line_item_unblended_cost` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Row:
    """One row of a file, by plain column names.

    Args:
        cells: plain column name to text.
        where: file and row, for messages.
        comma: decimals are written with a comma.
        usd_per_unit: what one unit of the bill's currency is in USD; None where it is in USD.
    """

    __slots__ = ("cells", "comma", "usd_per_unit", "where")

    def __init__(self, cells: Mapping[str, str], where: str, *, comma: bool, usd_per_unit: float | None) -> None:
        self.cells = cells
        self.where = where
        self.comma = comma
        self.usd_per_unit = usd_per_unit

    def text(self, *names: str) -> str:
        """Return the first column of these that is not empty."""
        for name in names:
            value = self.cells.get(plain(name), "").strip()
            if value and value.lower() != "null":
                return value
        return ""

    def number(self, *names: str) -> float | None:
        """Return the first column of these that holds a number."""
        for name in names:
            value = number(self.cells.get(plain(name), ""), where=f"{self.where}, {name}", comma=self.comma)
            if value is not None:
                return value
        return None

    def usd(self, currency: str, *names: str) -> float | None:
        """Return an amount in USD.

        Raises:
            DocumentError: it is in another currency, and its rate is not known.
        """
        value = self.number(*names)
        if value is None or currency.upper() in {"", "USD"}:
            return value
        if self.usd_per_unit is None:
            raise DocumentError(
                f"the bill is in {currency.upper()}", where=self.where, hint="say what one unit is: usd_per_unit=1.08"
            )
        return value * self.usd_per_unit


class Format(Struct, frozen=True, kw_only=True):
    """One kind of export.

    Attributes:
        name: as people know it.
        needs: columns that name it, each with the names it may have.
        read: turns a row into lines; a row without an amount into none.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    read: Callable[[Row], Iterator[BillLine]]

    def fits(self, header: set[str]) -> bool:
        """Say whether a header (of plain names) is this format's."""
        return all(any(plain(name) in header for name in names) for names in self.needs)

    def says(self) -> str:
        """List the columns it looks for."""
        return ", ".join("/".join(names) for names in self.needs)


def _tags(row: Row, *names: str) -> dict[str, str]:
    return {plain(name): value for name in names if (value := row.text(name))}


# OpenAI


def _openai_costs(row: Row) -> Iterator[BillLine]:
    usd = row.usd(row.text("amount_currency"), "amount_value")
    if usd is None:
        return
    item = row.text("line_item")
    name, _, what = item.partition(",")
    model = model_of(name)
    kind = kind_of(item) if item else "other"
    if model and kind == "other":
        kind = token_kind(what)
    yield BillLine(
        service="OpenAI",
        sku=item or "all models (exported without line items)",
        model=model,
        kind=kind,
        mode=mode_of(item),
        unit=row.text("unit"),
        quantity=row.number("quantity"),
        usd=usd,
        start=day_of(row.text("start_time_iso", "start_time")),
        end=last_day_of(row.text("end_time_iso", "end_time")),
        tags=_tags(row, "project_name", "project_id"),
    )


def _usage(
    row: Row, service: str, model: str, amounts: tuple[tuple[Kind, float], ...], *, batch: bool, tags: dict[str, str]
) -> Iterator[BillLine]:
    day = day_of(row.text("start_time_iso", "start_time", "usage_date_utc"))
    tier = row.text("service_tier").lower()
    mode = "batch" if batch else mode_of(tier)
    for kind, quantity in amounts:
        if quantity:
            yield BillLine(
                service=service, sku=f"{model}, {kind.removeprefix('tokens_').replace('_', ' ')}", model=model_of(model) or model,
                kind=kind, mode=mode, unit=kind, quantity=quantity, is_listed=True, start=day, end=day, tags=tags,
            )  # fmt: skip


def _openai_usage(row: Row) -> Iterator[BillLine]:
    model = row.text("model")
    if not model:
        return
    whole, output = row.number("input_tokens") or 0.0, row.number("output_tokens") or 0.0
    cached = row.number("input_cached_tokens") or 0.0
    audio = (row.number("input_audio_tokens") or 0.0) - (row.number("input_cached_audio_tokens") or 0.0)
    image = (row.number("input_image_tokens") or 0.0) - (row.number("input_cached_image_tokens") or 0.0)
    amounts: tuple[tuple[Kind, float], ...] = (
        ("tokens_text", max(whole - cached - audio - image, 0.0)),
        ("tokens_cached", cached),
        ("tokens_audio", max(audio, 0.0)),
        ("tokens_image", max(image, 0.0)),
        ("tokens_output", output),
    )
    batch = row.text("batch").lower() in {"true", "1", "yes"}
    yield from _usage(row, "OpenAI", model, amounts, batch=batch, tags=_tags(row, "project_name", "project_id"))


# Anthropic


def _anthropic_costs(row: Row) -> Iterator[BillLine]:
    usd = row.usd("", "cost_usd")
    if usd is None:
        return
    token, model = row.text("token_type"), row.text("model")
    is_token = row.text("cost_type").lower() in {"", "token"} and "search" not in token
    yield BillLine(
        service="Anthropic",
        sku=", ".join(part for part in (model, token.replace("_", " ")) if part) or row.text("cost_type"),
        model=model_of(model),
        kind=token_kind(token.replace("no_cache", "")) if is_token else "other",
        mode=mode_of(row.text("usage_type")),
        usd=usd,
        start=day_of(row.text("usage_date_utc")),
        end=day_of(row.text("usage_date_utc")),
        tags=_tags(row, "workspace", "api_key"),
    )


def _anthropic_usage(row: Row) -> Iterator[BillLine]:
    model = row.text("model_version", "model")
    if not model:
        return
    writes = (
        "usage_input_tokens_cache_write_5m",
        "usage_input_tokens_cache_write_1h",
        "usage_input_tokens_cache_write",
    )
    amounts: tuple[tuple[Kind, float], ...] = (
        ("tokens_text", row.number("usage_input_tokens_no_cache") or 0.0),
        ("tokens_cached", row.number("usage_input_tokens_cache_read") or 0.0),
        ("tokens_cache_write", sum(row.number(name) or 0.0 for name in writes)),
        ("tokens_output", row.number("usage_output_tokens") or 0.0),
    )
    batch = "batch" in row.text("usage_type").lower()
    yield from _usage(row, "Anthropic", model, amounts, batch=batch, tags=_tags(row, "workspace", "api_key"))


# Clouds


def _google(row: Row) -> Iterator[BillLine]:
    usd = row.usd(row.text("currency"), "unrounded_cost", "cost", "subtotal")
    service, sku = row.text("service_description"), row.text("sku_description")
    if usd is None or not (service or sku):
        return
    words = " ".join((service, sku, row.text("cost_type"), row.text("credit_type")))
    yield _worded(row, words, service=service, sku=sku, usd=usd, credit=bool(row.text("credit_type")))


def _worded(row: Row, words: str, *, service: str, sku: str, usd: float, credit: bool) -> BillLine:
    return BillLine(
        service=service,
        sku=sku,
        model=model_of(sku),
        kind="other" if credit else kind_of(words),
        mode=mode_of(words),
        unit=row.text("usage_unit"),
        quantity=row.number("usage_amount"),
        usd=usd,
        start=day_of(row.text("usage_start_date", "usage_start_time")),
        end=day_of(row.text("usage_end_date", "usage_end_time")),
        tags=_tags(row, "project_name", "project_id"),
    )


def _cur(row: Row) -> Iterator[BillLine]:
    usd = row.usd(row.text("line_item_currency_code"), "line_item_unblended_cost")
    if usd is None:
        return
    code, usage = row.text("line_item_product_code"), row.text("line_item_usage_type")
    words = " ".join((code, usage, row.text("line_item_line_item_description", "line_item_description")))
    charge = row.text("line_item_line_item_type")
    is_usage = "usage" in charge.lower() or not charge
    yield BillLine(
        service=row.text("product_product_name") or code,
        sku=usage or charge,
        model=model_of(words),
        kind=kind_of(words) if is_usage else "other",
        mode="reserved" if charge in {"DiscountedUsage", "SavingsPlanCoveredUsage"} else mode_of(words),
        unit=row.text("pricing_unit"),
        quantity=row.number("line_item_usage_amount"),
        usd=usd,
        start=day_of(row.text("line_item_usage_start_date")),
        end=last_day_of(row.text("line_item_usage_end_date")),
        tags={
            name.removeprefix("resourcetags"): value
            for name, value in row.cells.items()
            if name.startswith("resourcetags") and value
        },
    )


def _focus(row: Row) -> Iterator[BillLine]:
    usd = row.usd(row.text("BillingCurrency"), "BilledCost", "EffectiveCost")
    if usd is None:
        return
    sku = row.text("ChargeDescription", "SkuId", "SkuPriceId", "SkuMeter")
    unit = row.text("ConsumedUnit", "PricingUnit")
    words = " ".join(
        (row.text("ServiceName"), row.text("SkuMeter"), sku, row.text("SkuId"), row.text("SkuPriceDetails"),
         row.text("ResourceType"), unit)
    )  # fmt: skip
    is_usage = row.text("ChargeCategory").lower() in {"", "usage"}
    pricing = row.text("PricingCategory").lower()
    discount = row.text("CommitmentDiscountStatus").lower() == "used" or pricing == "committed"
    yield BillLine(
        service=row.text("ServiceName"),
        sku=sku,
        model=model_of(words),
        kind=kind_of(words) if is_usage else "other",
        mode="reserved" if discount else "spot" if pricing == "dynamic" else mode_of(words),
        unit=unit,
        quantity=row.number("ConsumedQuantity", "PricingQuantity"),
        usd=usd,
        start=day_of(row.text("ChargePeriodStart", "BillingPeriodStart")),
        end=last_day_of(row.text("ChargePeriodEnd", "BillingPeriodEnd")),
        tags={**_tags(row, "SubAccountName", "x_Feature"), **_focus_tags(row.text("Tags"))},
    )


def _focus_tags(text: str) -> dict[str, str]:
    try:
        value: Any = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return {}
    return {str(key): str(one) for key, one in value.items()}


FORMATS: tuple[Format, ...] = (
    Format(
        name="FOCUS",
        needs=(("BilledCost", "EffectiveCost"), ("ServiceName",), ("ChargePeriodStart", "BillingPeriodStart")),
        read=_focus,
    ),
    Format(
        name="AWS Cost and Usage Report",
        needs=(("lineItem/UnblendedCost",), ("lineItem/ProductCode",), ("lineItem/UsageType",)),
        read=_cur,
    ),
    Format(name="OpenAI costs", needs=(("amount_value",), ("line_item",)), read=_openai_costs),
    Format(name="OpenAI usage", needs=(("model",), ("input_tokens",), ("output_tokens",)), read=_openai_usage),
    Format(name="Anthropic costs", needs=(("cost_usd",), ("token_type",), ("model",)), read=_anthropic_costs),
    Format(
        name="Anthropic usage",
        needs=(("usage_input_tokens_no_cache",), ("usage_output_tokens",), ("model_version", "model")),
        read=_anthropic_usage,
    ),
    Format(
        name="Google Cloud billing export",
        needs=(("Service description",), ("SKU description",), ("Cost", "Cost ($)", "Unrounded cost", "Subtotal")),
        read=_google,
    ),
)
"""Every format, those with the most telling columns first."""
