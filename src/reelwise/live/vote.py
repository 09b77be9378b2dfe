"""Which side a place is on whose past is unknown: a vote of places near it that have its colour and whose side is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reelwise.live.opencv import opencv
from reelwise.live.thumb import CODES, SIDE, codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Votes", "vote"]

_CELL = 8
"""Places a side of a cell; the nine cells around a place vote."""
_PADDED = SIDE // _CELL + 2
_EVERY = 2  # rows and columns that vote: a quarter of the places do as well as all
_FEW = 1
_VOTE = 1024.0


class Votes(NamedTuple):
    """What came of a vote.

    Attributes:
        share: float32 (n,): share of the votes for foreground, or the old value where too few voted.
        unknown: bool (n,): no place that voted has that colour.
    """

    share: NDArray[np.float32]
    unknown: NDArray[np.bool_]


def vote(
    small: NDArray[np.uint8], mask: NDArray[np.float32], asked: NDArray[np.intp], sure: NDArray[np.bool_]
) -> Votes:
    """Let places vote.

    Where a moving arm uncovers a wall, flow drags the arm's mask over it: nothing in the last picture is what now is there. The wall
    beside it has the same colour and never moved.

    Args:
        small: RGB thumbnail, uint8 (SIDE, SIDE, 3).
        mask: float32 (SIDE, SIDE), 0..1.
        asked: places, as indices into the flat thumbnail.
        sure: bool (SIDE, SIDE): who may vote.
    """
    half = opencv().resize(small, (SIDE // _EVERY, SIDE // _EVERY), interpolation=opencv().INTER_NEAREST)
    some = (_BASE[::_EVERY, ::_EVERY] + codes(half)).ravel()
    # both sums in one: a bin has at most as many votes as a cell has places, and their sides add up to no more than they are
    weight = sure[::_EVERY, ::_EVERY].ravel() * (_VOTE + mask[::_EVERY, ::_EVERY].ravel().astype(np.float64))
    sums = np.bincount(some, weights=weight, minlength=_BINS)
    around = _BASE.ravel()[asked] + codes(small.reshape(-1, 1, 3)[asked])[:, 0] + _AROUND
    both = sums[around].sum(axis=0)
    count = np.floor(both / _VOTE)
    share = both - count * _VOTE
    unknown = count < _FEW
    old = mask.ravel()[asked]
    return Votes(np.where(unknown, old, share / np.maximum(count, 1.0)).astype(np.float32), unknown)


def _base() -> NDArray[np.intp]:
    cells = np.arange(SIDE) // _CELL + 1
    return ((cells[:, None] * _PADDED + cells[None, :]) * CODES).astype(np.intp)


_BASE = _base()
_BINS = _PADDED * _PADDED * CODES
_AROUND = np.array([(y * _PADDED + x) * CODES for y in (-1, 0, 1) for x in (-1, 0, 1)], np.intp)[:, None]
