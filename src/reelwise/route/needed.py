"""How many rows like these would prove a floor, where these do not."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from reelwise.route.floor import share_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Needed", "needed_rows"]

_STEPS: Final = 200
_MOST: Final = 200_000  # rows that are trained on at most


class Needed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would prove a floor.

    Attributes:
        rows: about so many, if they are like these; None where not even 200,000 would.
        dear_share: share of dear calls that they would prove it at.
    """

    rows: int | None
    dear_share: float


def needed_rows(
    scores: Floats, cheap: Floats, dear: Floats, *, quality: float, risk: float, ahead: int | None = None
) -> Needed:
    """Say how many rows would prove half of what the curve promises: midway between all calls and the share that just reaches the floor.

    The rows' means and spreads are taken as they are; see `floor.hold_floor` for the arguments and the search whose steps all must pass.
    """
    count = len(scores)
    reached = share_at(scores, cheap, dear, quality)
    goal = (1 + reached) / 2
    if goal > 1 - 1 / _STEPS:
        return Needed(rows=None, dear_share=goal)
    order = np.argsort(-scores, kind="stable")
    low, high = cheap[order], dear[order]
    z = NormalDist().inv_cdf(1 - risk)
    most = 0.0
    for number in range(_STEPS - 1, -1, -1):
        cut = round(number / _STEPS * count)
        if cut < goal * count:
            break
        each = np.concatenate([(1 - quality) * high[:cut], low[cut:] - quality * high[cut:]])
        mean, spread = float(each.mean()), float(each.std())
        if mean <= 0:
            return Needed(rows=None, dear_share=goal)
        # mean >= z spread sqrt(1 / n + 1 / ahead); as many ahead as rows: 2 / n
        room = (mean / (z * spread)) ** 2 if z > 0 and spread else math.inf
        room = room / 2 if ahead is None else room - (1 / ahead if ahead else 0.0)
        if room <= 0 or 1 / room > _MOST:
            return Needed(rows=None, dear_share=goal)
        most = max(most, 1 / room)
    return Needed(rows=max(count + 1, math.ceil(most)), dear_share=goal)
