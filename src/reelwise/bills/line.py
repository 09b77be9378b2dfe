"""One line of a bill, and how amounts and days are read from text."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Literal

from msgspec import Struct, field

from reelwise.errors import DocumentError

__all__ = ["BillLine", "Kind", "Mode", "day_of", "last_day_of", "number"]

Kind = Literal[
    "tokens_text",
    "tokens_image",
    "tokens_video",
    "tokens_audio",
    "tokens_cached",
    "tokens_cache_write",
    "tokens_output",
    "cache_storage",
    "speech",
    "vision",
    "generation",
    "gpu",
    "compute",
    "storage",
    "egress",
    "other",
]
"""What a line is billed for, in the units of the article and a few finer ones."""

Mode = Literal["standard", "batch", "flex", "priority", "spot", "reserved"]


class BillLine(Struct, frozen=True, kw_only=True):
    """One line, whoever wrote the bill.

    Attributes:
        service: who bills: "OpenAI", "Amazon Elastic Compute Cloud".
        sku: what is billed, as the bill says it.
        model: the model's name in Reelwise, or empty.
        kind: what it is billed for.
        mode: how: standard, batch, flex, priority, spot or reserved.
        unit: the bill's own unit, or ours for tokens.
        quantity: units; None where the bill does not say.
        usd: the amount; None where the bill has none and no list price is known.
        is_listed: the amount is quantity times list price, because the file holds usage without money.
        start, end: first day and, where the bill says so, last day, ISO; empty where it does not.
        tags: project, workspace, key, labels.
    """

    service: str
    sku: str
    model: str = ""
    kind: Kind = "other"
    mode: Mode = "standard"
    unit: str = ""
    quantity: float | None = None
    usd: float | None = None
    is_listed: bool = False
    start: str = ""
    end: str = ""
    tags: dict[str, str] = field(default_factory=dict)


_NUMBER = re.compile(r"^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$")
_GROUPED = re.compile(r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_COMMA = re.compile(r"^[-+]?\d{1,3}(?:\.\d{3})*,\d+$|^[-+]?\d+,\d+$")


def number(text: str, *, where: str, comma: bool = False) -> float | None:
    """Read an amount: "1,234.50", "$5.72", "(12.00)" for minus; None where it is empty.

    Args:
        text: as in the file.
        where: for the message.
        comma: decimals are written with a comma (files whose columns are separated by semicolons).

    Raises:
        DocumentError: it is no finite number.
    """
    bare = text.strip()
    if not bare or bare.lower() in {"null", "none", "nan", "-", "n/a"}:
        return None
    minus = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()").replace("\u00a0", "").replace(" ", "")
    bare = re.sub(r"^([-+]?)[^\d.+-]{1,4}(?=[\d.])", r"\1", bare)
    if comma and _COMMA.match(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif _GROUPED.match(bare):
        bare = bare.replace(",", "")
    if bare.startswith("."):
        bare = f"0{bare}"
    if not _NUMBER.match(bare) or not math.isfinite(float(bare)):
        raise DocumentError(f"`{text[:60]}` is no number", where=where, hint="check the column in that row")
    return -float(bare) if minus else float(bare)


_SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})")


def day_of(text: str) -> str:
    """Read a day, as ISO: from a date, a time stamp, seconds since 1970 or month/day/year; empty where it is none."""
    bare = text.strip()
    if bare.isdigit() and len(bare) in {9, 10}:
        return dt.datetime.fromtimestamp(int(bare), tz=dt.UTC).date().isoformat()
    slashed = _SLASHED.match(bare)
    if slashed:
        bare = f"{slashed[3]}-{slashed[1]:0>2}-{slashed[2]:0>2}"
    try:
        return dt.date.fromisoformat(bare[:10]).isoformat()
    except ValueError:
        return ""


_MIDNIGHT = re.compile(r"[T ]00:00")


def last_day_of(text: str) -> str:
    """Read the end of a period, which is the last day's midnight in most exports, as that last day."""
    day, bare = day_of(text), text.strip()
    if day and (_MIDNIGHT.search(bare) or (bare.isdigit() and int(bare) % 86_400 == 0)):
        return (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()
    return day
