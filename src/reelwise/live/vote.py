"""Which side a place is on whose past is unknown: a vote of places near it that have its colour and whose side is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reelwise.live.opencv import opencv
from reelwise.live.thumb import CODES, SIDE, codes, keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Votes", "vote"]

_CELL = 8
"""Places a side of a cell; the nine cells around a place vote."""
_CELLS = SIDE // _CELL
_PADDED = _CELLS + 2
_EVERY = 2  # rows and columns that vote: a quarter of the places do as well as all
_FEW = 1
_VOTE = 65_536.0


class Votes(NamedTuple):
    """What came of a vote.

    Attributes:
        share: uint8 (n,): share of the votes for foreground, 0..255, or the old value where too few voted.
        unknown: bool (n,): no place that voted has that colour.
    """

    share: NDArray[np.uint8]
    unknown: NDArray[np.bool_]


def vote(
    small: NDArray[np.uint8], mask: NDArray[np.uint8], asked: NDArray[np.intp], broken: NDArray[np.uint8]
) -> Votes:
    """Let places vote.

    Where a moving arm uncovers a wall, flow drags the arm's mask over it: nothing in the last picture is what now is there. The wall
    beside it has the same colour and never moved.

    Args:
        small: RGB thumbnail, uint8 (SIDE, SIDE, 3).
        mask: uint8 (SIDE, SIDE).
        asked: places, as indices into the flat thumbnail, from the first to the last; one at least.
        broken: uint8 (SIDE, SIDE): 255 where a place may not vote, else 0.
    """
    cv2 = opencv()
    # only rows of cells that a place asked about is in or beside
    first = max(0, int(asked[0]) // (SIDE * _CELL) - 1)
    rows = slice(first * _CELL, (int(asked[-1]) // (SIDE * _CELL) + 2) * _CELL)
    # as bytes: what foreground a voter is, 255 for one that may not vote
    voters = cv2.max(cv2.min(mask[rows], _MOST), broken[rows])[::_EVERY, ::_EVERY].ravel()
    colours = keys(small)
    half = colours[rows][::_EVERY, ::_EVERY]
    bins = _VOTERS[: half.shape[0]] + codes(half)
    # both sums in one: sides add up to less than a vote
    count = (half.shape[0] * _EVERY // _CELL + 2) * _PADDED * CODES
    sums = np.bincount(bins.ravel(), weights=_WEIGHTS.take(voters), minlength=count)
    around = _BASE.take(asked - first * _CELL * SIDE) + codes(colours.ravel().take(asked)) + _AROUND
    both = sums.take(around).sum(axis=0)
    votes = np.floor(both / _VOTE)
    share = np.rint((both - votes * _VOTE) / np.maximum(votes, 1.0)).astype(np.uint8)
    unknown = votes < _FEW
    return Votes(np.where(unknown, mask.ravel()[asked], share), unknown)


def _base() -> NDArray[np.intp]:
    cells = np.arange(SIDE) // _CELL + 1
    return ((cells[:, None] * _PADDED + cells[None, :]) * CODES).astype(np.intp)


_MOST = 254
_WEIGHTS = np.append(_VOTE + np.append(np.arange(_MOST), 255.0), 0.0)
_BASE = _base()
_VOTERS = np.ascontiguousarray(_BASE[::_EVERY, ::_EVERY])
_AROUND = np.array([(y * _PADDED + x) * CODES for y in (-1, 0, 1) for x in (-1, 0, 1)], np.intp)[:, None]
