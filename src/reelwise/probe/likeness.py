"""How like the teacher's a model's masks are: intersection over union, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.masks import opencv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from reelwise.models.segment import SegmentModel

__all__ = ["EMPTY_SHARE", "Likeness", "checked_mask", "iou", "likeness_of", "masks_of"]

EMPTY_SHARE = 0.005
"""A mask that covers less of the frame counts as empty; two empty ones are alike, with an IoU of 1."""

_BLOCK = 10  # frames next to each other are alike: the mean's spread is drawn from blocks of them
_DRAWS = 1_000
_SEED = 7


class Likeness(Struct, frozen=True, kw_only=True):
    """IoU over frames.

    Attributes:
        mean: over all frames; low and high: 5th and 95th percentile of that mean, drawn anew from blocks of ten frames.
        p5: 5th percentile of the frames: what the bad moments look like.
        worst: of all frames.
        frames: how many.
    """

    mean: float
    low: float
    high: float
    p5: float
    worst: float
    frames: int


def checked_mask(mask: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Return a model's answer as a mask.

    Raises:
        InputError: it is no array of two axes, or holds what is no number.
    """
    array = np.asarray(mask, np.float32)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise InputError(
            f"answered with an array of shape {array.shape}", where=name, hint="return a float array (h, w) from 0 to 1"
        )
    return array


def masks_of(model: SegmentModel, frames: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """Return a model's masks of some frames, checked."""
    return [checked_mask(model(frame), model.name) for frame in frames]


def iou(mask: NDArray[np.float32], teacher: NDArray[np.float32]) -> float:
    """Return how much two masks overlap, at a threshold of 0.5 and the teacher's size.

    A mask below half a percent of the frame counts as empty. Two empty masks are alike: 1.
    """
    if mask.shape != teacher.shape:
        mask = opencv().resize(mask, teacher.shape[::-1])
    one, two = mask > 0.5, teacher > 0.5
    if one.mean() < EMPTY_SHARE:
        one = np.zeros_like(one)
    if two.mean() < EMPTY_SHARE:
        two = np.zeros_like(two)
    either = np.count_nonzero(one | two)
    return 1.0 if not either else np.count_nonzero(one & two) / either


def likeness_of(masks: Sequence[NDArray[np.float32]], teacher: Sequence[NDArray[np.float32]]) -> Likeness:
    """Compare a model's masks with the teacher's, frame by frame in the order of time.

    Raises:
        InputError: there is no frame.
    """
    if not masks:
        raise InputError("there is no frame to compare", where="probe", hint="give a longer clip")
    each = np.array([iou(one, two) for one, two in zip(masks, teacher, strict=True)])
    blocks = [each[start : start + _BLOCK] for start in range(0, len(each), _BLOCK)]
    sums, sizes = np.array([one.sum() for one in blocks]), np.array([len(one) for one in blocks])
    drawn = np.random.default_rng(_SEED).integers(0, len(blocks), (_DRAWS, len(blocks)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    mean = float(each.mean())
    low, high = (float(one) for one in np.quantile(means, (0.05, 0.95)))
    return Likeness(
        mean=round(mean, 4),
        low=round(min(low, mean), 4),
        high=round(max(high, mean), 4),
        p5=round(float(np.quantile(each, 0.05)), 4),
        worst=round(float(each.min()), 4),
        frames=len(each),
    )
