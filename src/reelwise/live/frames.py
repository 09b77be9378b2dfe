"""Frames: whether what was given is one, and whether there is anything on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["checked_frame", "is_black"]

_SIDE_MIN = 16
_STRIDE = 10
_BRIGHTEST = 24
_MEAN = 10.0


def checked_frame(frame: Any) -> NDArray[np.uint8]:
    """Return a frame, RGB uint8 (height, width, 3).

    Raises:
        InputError: it is none.
    """
    if not isinstance(frame, np.ndarray):
        raise InputError(
            f"a frame was expected, not {type(frame).__name__}", where="frame", hint="RGB uint8 (height, width, 3)"
        )
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or min(frame.shape[:2]) < _SIDE_MIN:
        raise InputError(
            f"a frame of shape {frame.shape} and type {frame.dtype}",
            where="frame",
            hint=f"RGB uint8 (height, width, 3), sides of {_SIDE_MIN} pixels at least",
        )
    return frame


def is_black(frame: NDArray[np.uint8]) -> bool:
    """Say whether a frame is black: a lens cap, a cut, a camera that has not woken up. A scene at night is not."""
    step = max(1, min(frame.shape[:2]) // _STRIDE)
    some = frame[step // 2 :: step, step // 2 :: step]
    if some[len(some) // 2].max() >= _BRIGHTEST:  # nearly always: the other rows need not come from memory
        return False
    return bool(some.max() < _BRIGHTEST and some.mean() < _MEAN)
