"""Facts from footage: what the stages of a plan let through, as ratios of sums, with intervals over segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.evidence import Fact
from reelwise.facts import Entry
from reelwise.flow import Out, Piece, Tally
from reelwise.plan import Plan, run
from reelwise.stages.decoding import SCAN_CPU

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from reelwise.facts import Facts
    from reelwise.rates import Book

__all__ = ["collect", "entries_of", "interval", "wilson"]

_RESAMPLES = 400
_Z90 = 1.6448536
_BY_ITEM = ("escalate.", "route.")
"""Shares of items: one item tells something already, and how little shows."""


def collect(plan: Plan, pieces: Sequence[Piece], facts: Facts, book: Book) -> tuple[Out, list[Piece], Tally]:
    """Run a plan on footage and return what would be billed, the pieces that are left, and the sums behind facts."""
    tally = Tally()
    out = Out(book, book.day, tally)
    left = run(plan, pieces, facts, out)
    return out, left, tally


def entries_of(
    tally: Tally, by_segment: Tally | None, *, footage: str, on: str, day: dt.date, seed: int = 0
) -> tuple[Entry, ...]:
    """Turn sums into measured facts.

    Args:
        tally: sums over whole clips: the values.
        by_segment: sums over their segments: resampled for the 5th and 95th percentile; None gives no interval.
        footage: the kind of footage, part of the key.
        on: the clips' names.
        day: day of the measurement.
        seed: of the resampling.
    """
    entries = []
    for (name, settings, prefix), sums in sorted(tally.sums.items()):
        whole = sum(w for _, w in sums)
        if whole <= 0:  # a share of nothing is no fact: there was no sound, or nothing was left to look at
            continue
        value = sum(p for p, _ in sums) / whole
        low: float | None = None
        high: float | None = None
        if by_segment is not None and name != "gate.kept_share":
            parts = by_segment.sums.get((name, settings, prefix), [])
            low, high = interval(parts, value, seed)
            if name.endswith("_share") and (len(parts) > 1 or (parts and name.startswith(_BY_ITEM))):
                least, most = wilson(value, len(parts))
                low, high = min(value if low is None else low, least), max(high or 0.0, most)
            if name == SCAN_CPU:  # one run of one machine: as wide as what decoding costs is taken to be
                low, high = 0.8 * (value if low is None else low), 1.25 * (value if high is None else high)
        fact = Fact(
            value=value, low=low, high=high, kind="measured", source="reelwise audit", day=day.isoformat(), on=on
        )
        entries.append(Entry(name=name, settings=settings, prefix=prefix, source_class=footage, fact=fact))
    return tuple(entries)


def wilson(share: float, n: float, z: float = _Z90) -> tuple[float, float]:
    """Return the Wilson interval of a share seen in `n` draws, 90 % by default: what equal segments cannot say of the next one.

    Args:
        share: 0..1.
        n: draws, above 0; not whole where some count for less.
        z: how many standard deviations the interval reaches: 1.645 for 90 %, 1.96 for 95 %.
    """
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * max(0.0, share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def interval(sums: Sequence[tuple[float, float]], value: float, seed: int) -> tuple[float | None, float | None]:
    """Resample segments and return the 5th and 95th percentile of the ratio, around the value; (None, None) below two."""
    if len(sums) < 2:
        return None, None
    import numpy as np

    table = np.array(sums, float)
    draws = np.random.default_rng(seed).integers(0, len(sums), (_RESAMPLES, len(sums)))
    parts, wholes = table[draws].sum(axis=1).T
    ratios = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    low, high = (float(q) for q in np.percentile(ratios, [5, 95]))
    return min(low, value), max(high, value)
