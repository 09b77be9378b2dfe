"""Masks: whether a model's answer is one, and how well two of them overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EMPTY_SHARE", "FOREGROUND", "Checked", "Nonsense", "checked_mask", "iou", "scaled"]

FOREGROUND = 0.5
"""From this probability on a place is foreground."""
EMPTY_SHARE = 0.005
"""A mask with less foreground than this share of the frame counts as empty."""

_SIDE_MIN, _SIDE_MAX = 2, 16_384
_SLACK = 1e-3  # what float16 and resizing add to 0 and 1

Nonsense = Literal["", "shape", "dtype", "nan", "range"]


class Checked(NamedTuple):
    """A model's answer, looked at.

    Attributes:
        mask: float32 (h, w), 0..1; None where it is none.
        kind: what is wrong; empty where nothing is.
        said: the same in words.
    """

    mask: NDArray[np.float32] | None
    kind: Nonsense = ""
    said: str = ""


def checked_mask(answer: Any) -> Checked:
    """Say whether an answer is a mask, and return it as float32 0..1.

    Taken are (h, w), (h, w, 1) and (1, h, w); floats from 0 to 1, booleans, and bytes of 0..255 or 0..1. What is not numbers,
    has another shape, or holds NaN or values outside of 0..1, is no mask: nothing is guessed.
    """
    # an object that only sits in an array of its own was no array
    if not (hasattr(answer, "__array__") or isinstance(answer, list | tuple)):
        return Checked(None, "dtype", f"a mask was expected, the model answered {type(answer).__name__}")
    values = np.asarray(answer)
    if values.ndim == 3 and 1 in {values.shape[0], values.shape[2]}:
        values = values[..., 0] if values.shape[2] == 1 else values[0]
    if values.ndim != 2 or not all(_SIDE_MIN <= side <= _SIDE_MAX for side in values.shape):
        return Checked(None, "shape", f"a mask (h, w) was expected, the model answered one of shape {values.shape}")
    if values.dtype == np.bool_:
        return Checked(values.astype(np.float32))
    if values.dtype == np.uint8:
        return Checked(values.astype(np.float32) / (255.0 if values.max() > 1 else 1.0))
    return _checked_floats(values)


def _checked_floats(values: NDArray[Any]) -> Checked:
    if values.dtype.kind != "f":
        return Checked(None, "dtype", f"a mask of floats 0..1 was expected, the model answered {values.dtype}")
    mask = np.ascontiguousarray(values, np.float32)
    low, high = float(mask.min()), float(mask.max())
    if not np.isfinite(low) or not np.isfinite(high):
        return Checked(None, "nan", "the model's mask holds NaN or infinite values")
    if low < -_SLACK or high > 1 + _SLACK:
        return Checked(None, "range", f"the model's mask has values from {low:.3g} to {high:.3g}, not 0..1")
    return Checked(np.clip(mask, 0.0, 1.0) if low < 0 or high > 1 else mask)


def scaled(mask: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale a mask to (height, width)."""
    if mask.shape == size:
        return mask
    cv2 = opencv()
    smaller = mask.shape[0] > size[0] and mask.shape[1] > size[1]
    found: NDArray[np.float32] = cv2.resize(
        mask, (size[1], size[0]), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    return found


def iou(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return how well the foregrounds of two masks overlap: intersection over union.

    1 where both are empty; a mask with under 0.5 % foreground counts as empty. The other is scaled to the size of the one.
    """
    a, b = one >= FOREGROUND, scaled(other, (one.shape[0], one.shape[1])) >= FOREGROUND
    first, second = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    least = EMPTY_SHARE * a.size
    if first < least or second < least:
        return float(first < least and second < least)
    both = int(np.count_nonzero(a & b))
    return both / (first + second - both)
