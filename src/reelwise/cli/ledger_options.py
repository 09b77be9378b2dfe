"""What the money commands share: which ledger, times and amounts as people write them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelwise.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.ledger.clock import SystemClock
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.sql import SqlStore

__all__ = [
    "amount",
    "amounts",
    "check_file",
    "duration",
    "exact",
    "ledger_option",
    "moment",
    "moment_of",
    "open_ledger",
    "open_store",
    "pairs",
]

F = TypeVar("F", bound="Callable[..., Any]")
_SPAN = re.compile(r"([0-9]{1,12})\s*(m|h|d|w)")
_LATEST_MS = 253_370_764_800_000  # the year 9999: no calendar goes on after it
_DIGITS_MAX = 4  # in a row that has dollars: what is smaller is said to be
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


def open_ledger(where: str, *, create: bool = False) -> Ledger:
    """Open a ledger for one command: it writes before it returns."""
    from reelwise.ledger.ledger import Ledger

    return Ledger(where, thread=False, create=create)


def open_store(where: str, *, read_only: bool = True) -> tuple[SqlStore, SystemClock]:
    """Open a ledger that is there, to read it where nothing else is said."""
    from reelwise.ledger.clock import SystemClock
    from reelwise.ledger.ledger import open_store as open_any

    return open_any(where, create=False, read_only=read_only), SystemClock()


def check_file(path: Path, where: str, option: str) -> None:
    """Check a file that is to be written whole, before anything is read for it.

    Raises:
        InputError: it is the ledger itself.
        OutputError: it is a folder, or has no name.
    """
    if not path.name or path.is_dir():
        raise OutputError("a folder, not a file", where=f"{option} {path}", hint="name a file in it")
    if not where.startswith(("postgresql://", "postgres://")) and path.resolve() == Path(where).resolve():
        raise InputError("this is the ledger itself", where=f"{option} {path}", hint="name another file")


def pairs(values: tuple[str, ...], option: str) -> tuple[tuple[str, str], ...]:
    """Read DIMENSION=VALUE options.

    Raises:
        InputError: one has no value, or a dimension has two: no call has both.
    """
    found: dict[str, str] = {}
    for one in values:
        name, sign, value = one.partition("=")
        if not sign or not value:
            raise InputError(f"{one[:60]!r} has no value", where=option, hint=f"{option} feature=blur")
        if found.setdefault(name.strip(), value.strip()) != value.strip():
            raise InputError(
                f"two values for {name.strip()[:60]}", where=option, hint="no row has both: give one, ask twice"
            )
    return tuple(sorted(found.items()))


def moment(text: str, now_ms: int, option: str) -> int:
    """Read a time: 2026-11-01, 2026-11-01T12:00 (UTC), or how long ago: 15m, 24h, 7d, 4w.

    Raises:
        InputError: neither, or before 1970 or after 9998.
    """
    hint = "7d, 24h, 2026-11-01"
    if found := _SPAN.fullmatch(text.strip()):
        at = now_ms - int(found[1]) * _LENGTH_MS[found[2]]
    else:
        try:
            value = dt.datetime.fromisoformat(text.strip())
            at = round((value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            raise InputError(f"no time can be read from {text[:40]!r}", where=option, hint=hint) from None
    if not 0 <= at < _LATEST_MS:
        raise InputError(f"no row can be that old or new: {text[:40]!r}", where=option, hint=hint)
    return at


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


def amounts(values: Sequence[int | None], measure: str) -> list[str]:
    """Write amounts of one row with as many digits each: 500.0000, 0.0123, 499.9877."""
    if measure != "usd":
        return [amount(value, measure) for value in values]
    there = [value for value in values if value]
    digits = max((len(amount(value, measure).partition(".")[2]) for value in there), default=2)
    if any(abs(value) >= 10**9 for value in there):
        digits = min(digits, _DIGITS_MAX)
    least = 10 ** (9 - digits)
    return [
        ""
        if value is None
        else (f"<{least / 1e9:.{digits}f}" if 0 < abs(value) < least // 2 else f"{value / 1e9:,.{digits}f}")
        for value in values
    ]


def exact(nano: int) -> str:
    """Write nano-USD as dollars with all nine digits, without separators: 0.750000000."""
    return f"{'-' if nano < 0 else ''}{abs(nano) // 10**9}.{abs(nano) % 10**9:09d}"
