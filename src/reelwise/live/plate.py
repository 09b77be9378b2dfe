"""The background as it last looked, place by place: what was behind somebody who now moved away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.live.opencv import opencv
from reelwise.live.thumb import SIDE, alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Plate"]

_LEVELS = 11
"""Levels, of 255, that a place of the same background may differ by in any colour."""
_SURE = 25  # of 255
_MARGIN = 5


class Plate:
    """Remembers each place's colour whenever a model calls it background; a camera that moves makes it forget by overwriting."""

    def __init__(self) -> None:
        self._colours = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._known = np.zeros((SIDE, SIDE), np.uint8)
        self._margin = np.ones((_MARGIN, _MARGIN), np.uint8)

    def learn(self, small: NDArray[np.uint8], low: NDArray[np.uint8]) -> None:
        """Take over what a model's mask, uint8 (SIDE, SIDE), leaves well outside of the foreground."""
        cv2 = opencv()
        outside = cv2.compare(cv2.dilate(low, self._margin), _SURE, cv2.CMP_LE)
        cv2.copyTo(small, outside, self._colours)
        self._known = cv2.max(self._known, outside)

    def shows(self, small: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return 255 where a thumbnail shows the remembered background, else 0."""
        cv2 = opencv()
        found: NDArray[np.uint8] = cv2.min(alike(small, self._colours, _LEVELS), self._known)
        return found
