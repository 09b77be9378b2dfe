"""Masks of thumbnails at full size: where nothing has changed since the model answered, with the detail of that answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.live.opencv import opencv
from reelwise.live.thumb import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Detail"]

_SAME = 25  # of 255
_LEVEL = np.float32(1 / 255)


class Detail:
    """Scales masks up; made for one size.

    Args:
        size: (height, width) of the masks, in places.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._answer: NDArray[np.float32] | None = None
        self._then: NDArray[np.uint8] | None = None
        whole = all(side % SIDE == 0 for side in size)
        self._scale = (size[0] // SIDE, size[1] // SIDE) if whole else None

    def learn(self, answer: NDArray[np.float32], low: NDArray[np.uint8]) -> None:
        """Take a model's answer for the newest frame, float32 `size`, and what it is at uint8 (SIDE, SIDE)."""
        self._answer, self._then = answer, low

    def forget(self) -> None:
        """Let go of it."""
        self._answer = self._then = None

    def of(self, low: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a mask, uint8 (SIDE, SIDE), as float32 `size`, 0..1: an array of its own."""
        if self._answer is None or self._then is None:
            return _enlarged(low, self._size)
        cv2 = opencv()
        changed = cv2.threshold(cv2.absdiff(low, self._then), _SAME, 255, cv2.THRESH_BINARY)[1]
        full = self._answer.copy()
        if self._scale is None:
            marks = cv2.resize(changed, self._size[::-1], interpolation=cv2.INTER_NEAREST)
            cv2.copyTo(_enlarged(low, self._size), marks, full)
            return full
        left, top, width, height = cv2.boundingRect(changed)
        if width:
            self._change(full, low, changed, slice(top, top + height), slice(left, left + width))
        return full

    def _change(
        self, full: NDArray[np.float32], low: NDArray[np.uint8], changed: NDArray[np.uint8], rows: slice, columns: slice
    ) -> None:
        """Scale up only the rows and columns that have changed, with a place around them that edges are mixed with."""
        cv2, (down, across) = opencv(), self._scale or (1, 1)
        top, left = max(0, rows.start - 1), max(0, columns.start - 1)
        around = low[top : rows.stop + 1, left : columns.stop + 1]
        some = _enlarged(around, (around.shape[0] * down, around.shape[1] * across))
        part = (slice(rows.start * down, rows.stop * down), slice(columns.start * across, columns.stop * across))
        inner = tuple(
            slice(one.start - first * scale, one.stop - first * scale)
            for one, first, scale in zip(part, (top, left), (down, across), strict=True)
        )
        marks = changed[rows, columns]
        # each place as often as the scale says: a third of the time of cv2.resize
        marks = np.repeat(cv2.merge([marks] * across).reshape(marks.shape[0], -1), down, axis=0)
        cv2.copyTo(some[inner], marks, full[part])


def _enlarged(low: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    cv2 = opencv()
    floats = low.astype(np.float32)
    floats *= _LEVEL
    found: NDArray[np.float32] = cv2.resize(floats, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return found
