"""The bars of a waterfall: where each begins and ends, and what is written beside it. Charts and plain HTML draw the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from reelwise.report.numbers import as_words, factor, money_short

if TYPE_CHECKING:
    from reelwise.run.result import AuditResult
    from reelwise.stack import Stack

__all__ = ["LOG_FROM", "Bar", "Waterfall", "waterfall"]

LOG_FROM = 12.0
"""From this factor on, the axis is logarithmic: the last bars of a linear one could not be seen."""


class Bar(Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        n: from the top.
        kind: the bill as it is, one lever, or the bill with all of them.
        low, high: USD a month; of a sum, low is 0.
        money, factor: in words.
        p10, p90: the band of a sum, None where it has no width.
    """

    n: int
    name: str
    kind: Literal["naive", "cut", "final"]
    low: float
    high: float
    money: str
    factor: str
    p10: float | None = None
    p90: float | None = None


class Waterfall(Struct, frozen=True, kw_only=True):
    """All rows and the axis from `bottom` to `top` USD a month; `marks` is empty where any will do."""

    bars: tuple[Bar, ...]
    is_log: bool
    bottom: float
    top: float
    marks: tuple[float, ...]

    def place(self, usd: float) -> float:
        """Say where on the axis an amount is, 0 to 1."""
        inside = min(max(usd, self.bottom), self.top)
        if self.is_log:
            return math.log(inside / self.bottom) / math.log(self.top / self.bottom)
        return (inside - self.bottom) / (self.top - self.bottom)


def waterfall(result: AuditResult) -> Waterfall:
    """Lay out naive, every lever and final."""
    stack = result.stack
    bars = _bars(result)
    is_log = _is_log(stack)
    top = max(max(bar.high, bar.p90 or 0.0) for bar in bars) or 1.0
    if not is_log:
        return Waterfall(bars=bars, is_log=False, bottom=0.0, top=top, marks=())
    lows = [bar.low or bar.high for bar in bars] + [bar.p10 for bar in bars if bar.p10]
    bottom, top = min(lows) / 1.4, top * 1.05
    first, last = math.floor(math.log10(bottom)), math.ceil(math.log10(top))
    digits = (1,) if last - first > 3 else (1, 3)
    marks = (digit * 10.0**power for power in range(first, last + 1) for digit in digits)
    return Waterfall(
        bars=bars, is_log=True, bottom=bottom, top=top, marks=tuple(mark for mark in marks if bottom <= mark <= top)
    )


def _is_log(stack: Stack) -> bool:
    totals = (stack.naive_usd_month, stack.final_usd_month, *(step.total_usd_month for step in stack.steps))
    if not all(math.isfinite(usd) and usd > 0 for usd in totals):
        return False
    return stack.naive_usd_month / stack.final_usd_month >= LOG_FROM


def _bars(result: AuditResult) -> tuple[Bar, ...]:
    stack = result.stack
    before = stack.naive_usd_month
    bars = [_sum(0, "as it is", "naive", before, band=result.band_naive, times="")]
    for step in stack.steps:
        after = step.total_usd_month
        bars.append(
            Bar(
                n=len(bars),
                name=step.title,
                kind="cut",
                low=min(before, after),
                high=max(before, after),
                money=f"{money_short(after)} USD",
                factor=factor(step.factor),
            )
        )
        before = after
    if stack.steps:
        name = f"with {as_words(len(stack.steps), 'lever')}"
        bars.append(
            _sum(len(bars), name, "final", stack.final_usd_month, band=result.band_final, times=factor(stack.factor))
        )
    return tuple(bars)


def _sum(
    n: int, name: str, kind: Literal["naive", "final"], usd: float, *, band: tuple[float, float, float], times: str
) -> Bar:
    low, _, high = band
    is_wide = math.isfinite(low) and math.isfinite(high) and high - low > 1e-9 * abs(high)
    return Bar(
        n=n,
        name=name,
        kind=kind,
        low=0.0,
        high=usd,
        money=f"{money_short(usd)} USD",
        factor=times,
        p10=max(low, 0.0) if is_wide else None,
        p90=high if is_wide else None,
    )
