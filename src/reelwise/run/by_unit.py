"""What each unit of a run cost (tokens of video, of text, written, ...), predicted and metered, and what a lever changed in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import ReelwiseError
from reelwise.requests import Request
from reelwise.run.outcome import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.rates import Book
    from reelwise.run.estimate import Side
    from reelwise.run.outcome import Outcome

__all__ = ["AMBIGUOUS", "CACHE", "Change", "changes", "metered_usd", "usd_of"]

AMBIGUOUS = "not_known"
"""The unit of what was held for calls of which nobody knows whether they are billed, or what they used."""
CACHE = "cache"
"""The unit of explicit caches: filling and keeping one."""
_LEAST_USD = 1e-12
_REQUEST = (*UNITS, "images", "seconds", "seconds_output")


class Change(Struct, frozen=True, kw_only=True):
    """What a lever changed in one unit.

    Attributes:
        unit: tokens_video, tokens_output, image, minute, ...
        predicted_usd, metered_usd: dollars less with the lever than without; negative where it adds some.
        error: predicted over metered, minus 1; None where nothing was metered.
    """

    unit: str
    predicted_usd: float
    metered_usd: float
    error: float | None


def usd_of(request: Request, book: Book) -> dict[str, tuple[float, float]]:
    """Price a request: quantity and dollars by unit."""
    found: dict[str, tuple[float, float]] = {}
    for usage, rate in book.price_request(request):
        quantity, usd = found.get(usage.unit, (0.0, 0.0))
        more = float(usage.quantity)
        found[usage.unit] = quantity + more, usd + more * float(rate.usd)
    return found


def metered_usd(outcomes: Iterable[Outcome], book: Book) -> dict[str, tuple[float, float]]:
    """Price what calls used, as their answers say: quantity and dollars by unit.

    What was posted for calls that cannot be priced (see `AMBIGUOUS`), and what rounding leaves, stands under a unit of its own: all units
    together are what was posted.
    """
    found: dict[str, tuple[float, float]] = {}

    def add(unit: str, quantity: float, usd: float) -> None:
        before = found.get(unit, (0.0, 0.0))
        found[unit] = before[0] + quantity, before[1] + usd

    for one in outcomes:
        if one.status in {"failed", "cached"}:
            continue
        posted = one.cost_nano / 1e9
        priced = _priced(one, book)
        if priced is None:
            add(AMBIGUOUS, 1.0, posted)
            continue
        for unit, (quantity, usd) in priced.items():
            add(unit, quantity, usd)
    return found


def _priced(one: Outcome, book: Book) -> dict[str, tuple[float, float]] | None:
    """Price one call; None where what it used is not known, or does not say what was posted."""
    if one.known and one.kind == "cache":
        return {CACHE: (1.0, one.cost_nano / 1e9)}
    if not one.known or not one.units:
        return None if one.cost_nano else {}
    amounts: dict[str, Any] = {name: one.units[name] for name in _REQUEST if name in one.units}
    try:
        priced = usd_of(Request(model=one.model, mode=one.mode, count=1.0, lane=one.lane, **amounts), book)
    except ReelwiseError:
        return None
    whole = sum(usd for _, usd in priced.values())
    return priced if abs(whole * 1e9 - one.cost_nano) <= max(1.0, 1e-6 * one.cost_nano) else None


def changes(before: Sequence[Side], after: Sequence[Side]) -> tuple[Change, ...]:
    """Say what changed from one run to another, unit by unit; units that cost the same are left out."""
    rows: dict[str, list[float]] = {
        side.unit: [side.predicted_usd or 0.0, side.metered_usd] for side in before if side.metered_usd is not None
    }
    for side in after:
        if side.metered_usd is not None:
            row = rows.setdefault(side.unit, [0.0, 0.0])
            row[0] -= side.predicted_usd or 0.0
            row[1] -= side.metered_usd
    return tuple(
        Change(
            unit=unit, predicted_usd=predicted, metered_usd=metered,
            error=predicted / metered - 1 if abs(metered) > _LEAST_USD else None,
        )
        for unit, (predicted, metered) in rows.items()
        if abs(predicted) > _LEAST_USD or abs(metered) > _LEAST_USD
    )  # fmt: skip
