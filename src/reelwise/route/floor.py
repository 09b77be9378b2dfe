"""The cut-off at which a quality floor is kept, proved on rows that the score had not seen.

Cut-offs are tried in one order, from all work on the dear model downwards, and the first that cannot be proved ends it
(fixed-sequence testing): the stated risk is that of the whole search, not of each try.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.route.bounds import mean_lower

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Floor", "area", "curve", "hold_floor", "hold_share", "share_at"]

_STEPS = 200
_HALVINGS = 40


class Floor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cut-off and what it was proved on.

    Attributes:
        quality: the floor, as a share of the dear model's quality.
        risk: chance that the floor is missed, one side.
        ahead: on the next so many rows; 0 is the long run.
        rows: rows that it was proved on.
        cut: work that scores above it goes to the dear model; minus infinity is written as null: all of it.
        dear_share: share of the rows that does.
        kept: quality on those rows, as a share of the dear model's.
        kept_lower: its lower bound at the risk.
        cheap_quality, dear_quality: what either model alone got, 0..1.
    """

    quality: float
    risk: float
    ahead: int
    rows: int
    cut: float | None
    dear_share: float
    kept: float
    kept_lower: float
    cheap_quality: float
    dear_quality: float

    def to_dear(self, score: float) -> bool:
        """Say whether work of this score goes to the dear model."""
        return self.cut is None or score > self.cut


def _ahead(scores: Floats, cheap: Floats, dear: Floats, ahead: int | None) -> int:
    """Check that each row has all three, and return how many rows the promise is about: as many as there are, where nothing is said."""
    if not len(scores) or len(cheap) != len(scores) or len(dear) != len(scores):
        raise InputError("scores and outcomes differ in number", where="floor", hint="give one of each a row")
    return len(scores) if ahead is None else ahead


def hold_floor(
    scores: Floats, cheap: Floats, dear: Floats, *, quality: float, risk: float = 0.05, ahead: int | None = None
) -> Floor:
    """Find the cut-off with the fewest dear calls at which the floor is proved.

    Args:
        scores: how much the dear model is worth, of rows that the score was not learned from; shape (n,).
        cheap: how good the cheap answer was, 0..1; shape (n,).
        dear: likewise.
        quality: the floor, as a share of the dear model's quality, 0..1.
        risk: chance of missing it, one side.
        ahead: the promise is of the quality on the next so many rows of the same kind, whose own luck counts; 0 is the long
            run. None is as many as there are rows here.

    Raises:
        InputError: shares outside 0..1, or shapes that differ.
    """
    count = len(scores)
    if not (0 < quality <= 1 and 0 < risk < 1):
        raise InputError(f"floor {quality}, risk {risk}", where="floor", hint="both lie between 0 and 1")
    ahead = _ahead(scores, cheap, dear, ahead)
    wider = math.sqrt(1.0 + count / ahead) if ahead else 1.0
    order = np.argsort(-scores, kind="stable")
    sent, low, high = scores[order], cheap[order], dear[order]
    each_dear, each_cheap = (1 - quality) * high, low - quality * high
    sums = _kept(each_dear, each_cheap)
    squares = _kept(each_dear**2, each_cheap**2)
    best, margin = count, 0.0
    for number in range(_STEPS, -1, -1):
        cut = round(number / _STEPS * count)
        if 0 < cut < count and sent[cut - 1] == sent[cut]:
            continue  # rows of one score go one way
        bound = mean_lower(float(sums[cut]), float(squares[cut]), count, risk)
        mean = float(sums[cut]) / count
        bound = mean - (mean - bound) * wider
        if number < _STEPS and not bound >= 0:
            break
        best, margin = cut, bound
    dear_mean = float(high.mean())
    reached = float(high[:best].sum() + low[best:].sum()) / count
    return Floor(
        quality=quality,
        risk=risk,
        ahead=ahead,
        rows=count,
        cut=_cut(sent, best),
        dear_share=best / count,
        kept=reached / dear_mean if dear_mean else 1.0,
        kept_lower=1.0
        if best == count
        else quality + margin / dear_mean
        if dear_mean and math.isfinite(margin)
        else 0.0,
        cheap_quality=float(low.mean()),
        dear_quality=dear_mean,
    )


def hold_share(
    scores: Floats, cheap: Floats, dear: Floats, *, share: float, risk: float = 0.05, ahead: int | None = None
) -> Floor:
    """Find the cut-off at which no more than a share goes to the dear model, and the quality that is proved there.

    The share is given, not looked for on these rows: nothing is fitted but the cut-off's height, so the quality found is that of the
    next rows, too, but for luck, and the proof costs no further calls.

    Args:
        scores: of rows that the score was not learned from; shape (n,).
        cheap: how good the cheap answer was, 0..1; shape (n,).
        dear: likewise.
        share: of the rows, 0..1, that may go to the dear model; rows of one score go one way, so it may be fewer.
        risk: chance that the quality is below what is said to be proved, one side.
        ahead: see `hold_floor`.

    Raises:
        InputError: a share outside 0..1, or shapes that differ.
    """
    count = len(scores)
    if not (0 <= share <= 1 and 0 < risk < 1):
        raise InputError(f"share {share}, risk {risk}", where="floor", hint="both lie between 0 and 1")
    ahead = _ahead(scores, cheap, dear, ahead)
    wider = math.sqrt(1.0 + count / ahead) if ahead else 1.0
    order = np.argsort(-scores, kind="stable")
    sent = scores[order]
    best = math.floor(share * count + 1e-9)
    while 0 < best < count and sent[best - 1] == sent[best]:
        best -= 1
    high = dear[order]
    served = np.concatenate([high[:best], cheap[order][best:]])
    proved = 1.0 if best == count else _proved(served, high, risk, wider)
    dear_mean = float(high.mean())
    return Floor(
        quality=proved,
        risk=risk,
        ahead=ahead,
        rows=count,
        cut=_cut(sent, best),
        dear_share=best / count,
        kept=float(served.mean()) / dear_mean if dear_mean else 1.0,
        kept_lower=proved,
        cheap_quality=float(cheap.mean()),
        dear_quality=dear_mean,
    )


def _proved(served: Floats, dear: Floats, risk: float, wider: float) -> float:
    """Return the largest share of the dear model's quality, up to 1, that what is served is proved to keep."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        each = served - middle * dear
        mean = float(each.mean())
        bound = mean_lower(float(each.sum()), float((each**2).sum()), len(each), risk)
        low, high = (middle, high) if mean - (mean - bound) * wider >= 0 else (low, middle)
    return low


def _cut(sent: Floats, best: int) -> float | None:
    """Return the cut-off between the first `best` of scores in falling order and the rest; None where all are sent."""
    if best == len(sent):
        return None
    return float(np.nextafter(sent[0], math.inf)) if best == 0 else float((sent[best - 1] + sent[best]) / 2)


def _kept(dear: Floats, cheap: Floats) -> Floats:
    """Return for each number of rows sent to the dear model the sum over all rows; shape (n + 1,)."""
    head = np.concatenate([[0.0], np.cumsum(dear)])
    tail = np.concatenate([np.cumsum(cheap[::-1])[::-1], [0.0]])
    result: Floats = head + tail
    return result


def curve(scores: Floats, cheap: Floats, dear: Floats) -> Floats:
    """Return the mean quality when 0, 1, .. n rows of the highest score go to the dear model; equal scores go by lot.

    Shape (n + 1,).
    """
    gain = dear - cheap
    _, place = np.unique(-scores, return_inverse=True)
    mean = np.bincount(place, gain) / np.bincount(place)
    each = mean[np.sort(place)]
    result: Floats = (cheap.sum() + np.concatenate([[0.0], np.cumsum(each)])) / len(scores)
    return result


def area(scores: Floats, cheap: Floats, dear: Floats) -> float:
    """Return APGR: the share of the gap between the models that is recovered, on average over shares of dear calls.

    Random choice has 0.5. (arXiv 2406.18665, computed on all cuts.)

    Raises:
        InputError: the models are as good as each other.
    """
    gap = float(dear.mean() - cheap.mean())
    if not gap:
        raise InputError("both models are right equally often", where="outcomes", hint="there is no gap to recover")
    reached = curve(scores, cheap, dear)
    return float((reached[1:] + reached[:-1]).mean() / 2 - reached[0]) / gap


def share_at(scores: Floats, cheap: Floats, dear: Floats, quality: float) -> float:
    """Return the smallest share of dear calls at which the mean quality reaches a share of the dear model's, read off the curve."""
    reached = curve(scores, cheap, dear)
    enough = np.flatnonzero(reached >= quality * dear.mean())
    return float(enough[0]) / len(scores) if len(enough) else 1.0
