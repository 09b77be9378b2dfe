"""What the money commands share: which ledger, times and amounts as people write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["amount", "duration", "ledger_option", "moment", "moment_of", "pairs"]

F = TypeVar("F", bound="Callable[..., Any]")
_SPAN = re.compile(r"(\d+)\s*(m|h|d|w)")
_LENGTH_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def ledger_option(command: F) -> F:
    """Add `--ledger` as the parameter `where`."""
    return click.option(
        "--ledger",
        "where",
        envvar="REELWISE_LEDGER",
        default="reelwise.db",
        show_default=True,
        show_envvar=True,
        help="The ledger: a file, or postgresql://...",
    )(command)


def pairs(values: tuple[str, ...], option: str) -> tuple[tuple[str, str], ...]:
    """Read DIMENSION=VALUE options.

    Raises:
        InputError: one has no value.
    """
    found = []
    for one in values:
        name, sign, value = one.partition("=")
        if not sign or not value:
            raise InputError(f"{one[:60]!r} has no value", where=option, hint=f"{option} feature=blur")
        found.append((name.strip(), value.strip()))
    return tuple(sorted(found))


def moment(text: str, now_ms: int, option: str) -> int:
    """Read a time: 2026-11-01, 2026-11-01T12:00 (UTC), or how long ago: 15m, 24h, 7d, 4w.

    Raises:
        InputError: neither.
    """
    if found := _SPAN.fullmatch(text.strip()):
        return now_ms - int(found[1]) * _LENGTH_MS[found[2]]
    try:
        value = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"no time can be read from {text[:40]!r}", where=option, hint="7d, 24h, 2026-11-01") from None
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    return round(value.timestamp() * 1000)


def moment_of(at_ms: int) -> str:
    """Write a time (UTC)."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """Write how long something can go on: 45 s, 12 min, 2 h 12 min, 3 d 4 h."""
    if seconds is None:
        return ""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


def amount(value: int | None, measure: str) -> str:
    """Write nano-USD as dollars, with as many digits as matter, or a count."""
    if value is None:
        return ""
    if measure != "usd":
        return f"{value:,}"
    usd = value / 1e9
    if value == 0 or abs(usd) >= 1:
        return f"{usd:,.2f}"
    whole, _, part = f"{usd:.4f}".partition(".") if abs(usd) >= 0.01 else f"{usd:.9f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"
