"""Where two curves cross: every change of the cheaper one, found on the bills themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Prices = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["MOST", "Crossing", "crossings", "signs"]

MOST = 50
"""Crossings of one pair that are reported; two fleets of like machines may cross at every step."""
_EQUAL = 1e-9
_JUMP = 1e-6
_ROUNDS = 6
_POINTS = 33


class Crossing(Struct, frozen=True, kw_only=True):
    """A change of the cheaper one.

    Attributes:
        at: where.
        first_below: whether the first curve is the cheaper one below.
        step: one of the curves jumps there.
        usd: the first curve just below.
    """

    at: float
    first_below: bool
    step: bool
    usd: float


def signs(a: Floats, b: Floats) -> Floats:
    """Say for each point which is dearer: -1 where a is cheaper, 0 where they are equal or one is not priced, 1 where b is."""
    apart = a - b
    size = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(apart) | (np.abs(apart) <= _EQUAL * size), 0.0, np.sign(apart))


def crossings(points: Floats, a: Floats, b: Floats, price_a: Prices, price_b: Prices) -> tuple[Crossing, ...]:
    """Find every change of sign between two curves.

    Args:
        points: sorted, with both sides of every jump among them.
        a: the first curve there.
        b: the second curve there.
        price_a: the first curve anywhere, to find the place within a cell.
        price_b: the second curve anywhere.

    Returns:
        At most MOST changes, from low to high. Where they are equal for a stretch, the end of it counts: there the other one
        becomes the cheaper.
    """
    sign = signs(a, b)
    decided = np.flatnonzero(sign)
    found = []
    for before, after in pairwise(decided):
        if sign[before] == sign[after]:
            continue
        low, high = float(points[before]), float(points[after])
        found.append(_within(low, high, float(sign[before]), price_a, price_b))
        if len(found) == MOST:
            break
    return tuple(found)


def _within(low: float, high: float, sign_low: float, price_a: Prices, price_b: Prices) -> Crossing:
    """Narrow a cell down to the last place before the other curve is the cheaper one."""
    for _ in range(_ROUNDS):
        points = np.linspace(low, high, _POINTS)
        turned = signs(price_a(points), price_b(points)) == -sign_low
        turned[0], turned[-1] = False, True
        at = int(np.argmax(turned))
        low, high = float(points[at - 1]), float(points[at])
    ends = np.array([low, high])
    a, b = price_a(ends), price_b(ends)
    jump = float(np.abs((a - b)[1] - (a - b)[0]))
    return Crossing(
        at=(low + high) / 2, first_below=sign_low < 0, step=jump > _JUMP * float(max(a.max(), b.max())), usd=float(a[0])
    )
