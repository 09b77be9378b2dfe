"""What each unit of a run cost (tokens of video, of text, written, ...), predicted and metered, and what a lever changed in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import ReelwiseError
from reelwise.requests import Request
from reelwise.run.outcome import MORE_UNITS, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.rates import Book
    from reelwise.run.estimate import Side
    from reelwise.run.outcome import Outcome

__all__ = ["AMBIGUOUS", "CACHE", "MACHINES", "Change", "changes", "joins_pictures", "metered_usd", "unit_of"]

AMBIGUOUS = "not_known"
"""The unit of what was held for calls of which nobody knows whether they are billed, or what they used."""
CACHE = "cache"
"""The unit of explicit caches: filling and keeping one."""
MACHINES = "machine_seconds"
"""The unit of a host's machine time."""
_LEAST_USD = 1e-12
_REQUEST = (*UNITS, *MORE_UNITS)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


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


def unit_of(unit: str, *, generated: bool = False) -> tuple[str, float]:
    """Return the unit that receipts say a billed unit in, and how many of it one is: an hour is 3,600 seconds."""
    if unit == "image":
        return "images", 1.0
    if unit in _SECONDS:
        return "seconds_output" if generated else "seconds", _SECONDS[unit]
    return unit, 1.0


def joins_pictures(outcomes: Iterable[Outcome]) -> bool:
    """Say whether the answer of any call with pictures counts them as text: then only the sum of both can be compared."""
    return any(one.image_expected and one.known and one.units and not one.units.get("tokens_image") for one in outcomes)


def metered_usd(outcomes: Iterable[Outcome], book: Book) -> dict[str, float]:
    """Say what was posted for calls by unit, by what their answers say they used; together it is all that was posted.

    A call's cost is split as its units are priced; what was posted for calls that cannot be priced stands under `AMBIGUOUS`, machine time
    under `MACHINES`, explicit caches under `CACHE`.
    """
    found: dict[str, float] = {}
    for one in outcomes:
        posted = one.cost_nano / 1e9
        if not posted or one.status in {"failed", "cached"}:
            continue
        split = _split(one, book)
        whole = sum(split.values())
        for unit, share in split.items():
            found[unit] = found.get(unit, 0.0) + posted * share / whole
    return found


def _split(one: Outcome, book: Book) -> dict[str, float]:
    """Price one call's units; what they cost is never nothing."""
    if one.hosted:
        return {MACHINES: 1.0}
    if one.known and one.kind == "cache":
        return {CACHE: 1.0}
    if not one.known or not one.units:
        return {AMBIGUOUS: 1.0}
    amounts: dict[str, Any] = {name: one.units[name] for name in _REQUEST if name in one.units}
    found: dict[str, float] = {}
    try:
        request = Request(model=one.model, mode=one.mode, count=1.0, lane=one.lane, **amounts)
        for usage, rate in book.price_request(request):
            unit, _ = unit_of(usage.unit, generated=bool(request.seconds_output))
            found[unit] = found.get(unit, 0.0) + float(usage.quantity) * float(rate.usd)
    except ReelwiseError:
        found = {}  # a price that depends on more than was noted, as a film's on its resolution
    if sum(found.values()) > 0:
        return found
    only = [name for name in amounts if amounts[name]]
    return {only[0]: 1.0} if len(only) == 1 else {AMBIGUOUS: 1.0}


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
            unit=unit, predicted_usd=_rounded(predicted), metered_usd=_rounded(metered),
            error=predicted / metered - 1 if abs(metered) > _LEAST_USD else None,
        )
        for unit, (predicted, metered) in rows.items()
        if abs(predicted) > _LEAST_USD or abs(metered) > _LEAST_USD
    )  # fmt: skip


def _rounded(usd: float) -> float:
    """Take what floats leave of a difference of equal sums as none."""
    return usd if abs(usd) > _LEAST_USD else 0.0
