"""Which option is the cheapest that can do the job, from which volume to which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from reelwise.compare.result import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reelwise.compare.curve import Curve

    Floats = NDArray[np.float64]

__all__ = ["Able", "reaches"]

_LOOKS = 25
_HALVINGS = 30
_ROUNDS = 5
_POINT = 1e-5
_POINTS = 33


class Able:
    """At which volumes an option can do the job: quotas end it, warm machines begin it, all else is the same at any volume.

    Args:
        curve: the option.
        span: factors from 1/span to span are looked at.
        never: it cannot for a reason that no volume changes.
    """

    def __init__(self, curve: Curve, span: float, *, never: bool) -> None:
        self._bounds: list[float] = []
        self._first = not never and curve.bill.feasible
        varies = curve.case.account.limits or any(fleet.host.comes_and_goes for fleet in curve.bill.fleets)
        if never or not varies:
            return
        factors = [float(factor) for factor in np.geomspace(1 / span, span, _LOOKS)]
        states = [curve.at(factor).feasible for factor in factors]
        self._first = states[0]
        for at in range(1, len(factors)):
            if states[at] != states[at - 1]:
                low, high = factors[at - 1], factors[at]
                for _ in range(_HALVINGS):
                    middle = (low * high) ** 0.5
                    low, high = (middle, high) if curve.at(middle).feasible == states[at - 1] else (low, middle)
                self._bounds.append(high)

    def at(self, factor: float) -> bool:
        """Say whether it can at a multiple of the demand."""
        return self._first != bool(sum(bound <= factor for bound in self._bounds) % 2)

    def over(self, factors: Floats) -> NDArray[np.bool_]:
        """Say it for many."""
        return np.array([self.at(float(factor)) for factor in factors], bool)


def reaches(options: Sequence[tuple[str, Curve, Able]], grid: Floats, *, unit: str, volume: float) -> tuple[Reach, ...]:
    """Follow the lower envelope of the curves of what can do the job.

    Returns:
        Ranges from the lowest volume to the highest, without gaps; where several cost the same, the first named.
    """
    best = _best(options, grid)
    found: list[tuple[int, float]] = [(int(best[0]), float(grid[0]))]
    for at in np.flatnonzero(np.diff(best)):
        low, high = float(grid[at]), float(grid[at + 1])
        for _ in range(_ROUNDS):
            points = np.linspace(low, high, _POINTS)
            turned = _best(options, points) != best[at]
            turned[0], turned[-1] = False, True
            first = int(np.argmax(turned))
            low, high = float(points[first - 1]), float(points[first])
        found.append((int(best[at + 1]), high))
    return tuple(_joined(found, [name for name, _, _ in options], float(grid[-1]), unit=unit, volume=volume))


def _joined(
    found: Sequence[tuple[int, float]], names: Sequence[str], end: float, *, unit: str, volume: float
) -> list[Reach]:
    """Write ranges out; one that is a single point (a machine exactly full) is no range."""
    ends = [low for _, low in found[1:]] + [end]
    rows: list[Reach] = []
    for (index, low), high in zip(found, ends, strict=True):
        name = names[index] if index >= 0 else ""
        if high <= low * (1 + _POINT) and len(found) > 1:
            continue
        if rows and rows[-1].option == name:
            rows[-1] = replace(rows[-1], high=high * volume)
        else:
            start = rows[-1].high if rows else low * volume
            rows.append(Reach(option=name, low=start, high=high * volume, unit=unit))
    return rows


def _best(options: Sequence[tuple[str, Curve, Able]], factors: Floats) -> NDArray[np.int_]:
    """Return the index of the cheapest at each factor, -1 where none can."""
    if not options:
        return np.full(len(factors), -1)
    usd = np.array([np.where(able.over(factors), curve.at_volume(factors), np.inf) for _, curve, able in options])
    usd = np.where(np.isnan(usd), np.inf, usd)
    best = np.argmin(usd, axis=0)
    return np.where(np.isinf(usd.min(axis=0)), -1, best)
