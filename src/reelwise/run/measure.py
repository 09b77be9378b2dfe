"""Facts from footage: what the stages of a plan let through, as ratios of sums, with intervals over segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.evidence import Fact
from reelwise.facts import Entry
from reelwise.flow import Out, Piece, Tally
from reelwise.plan import Plan, run

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from reelwise.facts import Facts
    from reelwise.rates import Book

__all__ = ["collect", "entries_of"]

_RESAMPLES = 400


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
        value = sum(p for p, _ in sums) / whole if whole > 0 else 0.0
        low: float | None = None
        high: float | None = None
        if by_segment is not None and name != "gate.kept_share":
            low, high = interval(by_segment.sums.get((name, settings, prefix), []), value, seed)
        fact = Fact(
            value=value, low=low, high=high, kind="measured", source="reelwise audit", day=day.isoformat(), on=on
        )
        entries.append(Entry(name=name, settings=settings, prefix=prefix, source_class=footage, fact=fact))
    return tuple(entries)


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
