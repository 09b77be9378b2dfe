"""Small pictures of frames, and the colours in them as a few codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CODES", "SIDE", "alike", "codes", "thumbnail"]

SIDE = 128
"""Places a side, whatever the frame's shape is: networks squash frames too."""

CODES = 128
"""Codes of a colour: 8 of light, 4 by 4 of hue."""

_BETWEEN = 160
_NONE = (0.0, 0.0, 0.0, 0.0)
_GREY = 128
_HUE_STEP = 16  # webcams are pale: nearly all hues lie within 2 steps of grey


def thumbnail(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a frame to a thumbnail, uint8 (SIDE, SIDE, 3).

    Twice bilinear, from every n-th row: once alone it skips most pixels of a large frame, and what it hits flickers; by area it takes
    2.6 ms at 720p; and rows that are not read are not fetched from memory.
    """
    cv2 = opencv()
    rows = frame[:: max(1, frame.shape[0] // SIDE)]
    between = cv2.resize(rows, (_BETWEEN, _BETWEEN), interpolation=cv2.INTER_LINEAR)
    small: NDArray[np.uint8] = cv2.resize(between, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return small


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8], levels: float) -> NDArray[np.uint8]:
    """Return 255 where two thumbnails differ by at most so many levels in every colour, else 0."""
    cv2 = opencv()
    found: NDArray[np.uint8] = cv2.inRange(cv2.absdiff(one, other), _NONE, (levels, levels, levels, 255.0))
    return found


def codes(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colour code 0..127 of each place of an RGB thumbnail."""
    cv2 = opencv()
    light, red, blue = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    found: NDArray[np.uint8] = cv2.LUT(light, _LIGHT) + cv2.LUT(red, _RED) + cv2.LUT(blue, _BLUE)
    return found


_LEVELS = np.arange(256)
_HUE = np.clip((_LEVELS - _GREY) // _HUE_STEP + 2, 0, 3)
_LIGHT, _RED, _BLUE = ((_LEVELS // 32) * 16).astype(np.uint8), (_HUE * 4).astype(np.uint8), _HUE.astype(np.uint8)
