"""Numbers as people read them on a page: money, factors, shares, times."""

from __future__ import annotations

import math

__all__ = [
    "NOTHING",
    "as_words",
    "clock",
    "duration",
    "factor",
    "money",
    "money_short",
    "no_less",
    "percent",
    "quantity",
]

NOTHING = "-"
"""What a cell holds that has no value."""

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def as_words(count: int, one: str, many: str = "") -> str:
    """Count things in words up to twelve: "one lever", "six levers", "14 clips"."""
    number = _WORDS[count] if 0 <= count < len(_WORDS) else f"{count:,}"
    return f"{number} {one if count == 1 else many or one + 's'}"


def money(usd: float | None) -> str:
    """Write USD with as many digits as matter: 47,300.00, 0.1610, 0.00000974."""
    if usd is None or math.isnan(usd):
        return NOTHING
    size = abs(usd)
    if size == 0 or size >= 1:
        return f"{usd:,.2f}"
    return f"{usd:.4f}" if size >= 0.01 else _small(usd)


def _small(value: float) -> str:
    """Write three digits of a number below 1, with no exponent that a reader would have to decode."""
    if abs(value) < 1e-9:
        return f"{value:.3g}"
    return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}".rstrip("0").rstrip(".")


def money_short(usd: float) -> str:
    """Write USD for a chart: no cents from 1,000 on."""
    return f"{usd:,.0f}" if abs(usd) >= 1000 else money(usd)


def factor(value: float | None) -> str:
    """Write how many times less: 1.25x, 39.1x, 1,234x."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "all of it"
    if value >= 99.95:
        return f"{value:,.0f}x"
    return f"{value:.1f}x" if value >= 9.995 else f"{value:.2f}x"


def percent(share: float | None) -> str:
    """Write a share: 48%, 2.5%, 8%, 0.04%."""
    if share is None or not math.isfinite(share):
        return NOTHING
    value = share * 100
    if abs(value) < 1e-9 or abs(value) >= 9.95:  # what is left of a difference of floats is nothing
        return f"{abs(value) if abs(value) < 1e-9 else value:.0f}%"
    return f"{f'{value:.1f}'.removesuffix('.0')}%" if abs(value) >= 0.1 else f"{value:.2g}%"


def no_less(share: float) -> str:
    """Write a share that must not be rounded up to all: 93%, over 99%, 100% of all only."""
    return "over 99%" if 0.99 < share < 1 - 1e-9 else percent(share)


def quantity(value: float) -> str:
    """Write a quantity with separators and as many decimals as matter."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else _small(value)


def duration(seconds: float) -> str:
    """Write a length of time: 8.2 s, 3 min 20 s, 1 h 05 min."""
    if seconds < 59.95:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if minutes else f"{hours:,} h"


def clock(seconds: float) -> str:
    """Write a moment of a clip: 0:07.4, 1:02:03.5."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"
