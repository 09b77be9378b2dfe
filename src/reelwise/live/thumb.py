"""Small pictures of frames, and the colours in them as a few codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CODES", "HALF", "SIDE", "alike", "codes", "keys", "largest", "thumbnail"]

SIDE = 128
"""Places a side, whatever the frame's shape is: networks squash frames too."""

HALF = 127
"""Small masks are bytes; above this a place is foreground."""

CODES = 128
"""Codes of a colour: 8 of light, 4 by 4 of hue."""

_BETWEEN = 160
_HUE_STEP = 16  # webcams are pale: nearly all hues lie within 2 steps of grey


def thumbnail(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a frame to a thumbnail, uint8 (SIDE, SIDE, 3).

    Twice bilinear, from every n-th row: once alone it skips most pixels of a large frame, and what it hits flickers; by area it takes
    2.6 ms at 720p; and rows that are not read are not fetched from memory.
    """
    cv2 = opencv()
    rows = frame[:: max(1, frame.shape[0] // SIDE)]
    between = cv2.resize(rows, (_BETWEEN, min(_BETWEEN, rows.shape[0])), interpolation=cv2.INTER_LINEAR)
    small: NDArray[np.uint8] = cv2.resize(between, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return small


def largest(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the largest of each place's three values: uint8 (SIDE, SIDE)."""
    cv2 = opencv()
    # into arrays that are there: cv2.split takes three times as long to make its own
    red, green, blue = cv2.split(colours, [np.empty((SIDE, SIDE), np.uint8) for _ in range(3)])
    found: NDArray[np.uint8] = cv2.max(cv2.max(red, green, red), blue, red)
    return found


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    """Return 255 where two thumbnails, RGB (SIDE, SIDE, 3), differ by at most so many levels in every colour, else 0: uint8 (SIDE, SIDE)."""
    cv2 = opencv()
    found: NDArray[np.uint8] = cv2.threshold(largest(cv2.absdiff(one, other)), levels, 255, cv2.THRESH_BINARY_INV)[1]
    return found


def keys(small: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the colours of an RGB thumbnail in 16 bits each: uint16 (h, w)."""
    cv2 = opencv()
    found: NDArray[np.uint8] = cv2.cvtColor(small, cv2.COLOR_RGB2BGR565)
    return found.view(np.uint16)[..., 0]


def codes(colours: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the code 0..127 of each of several colours in 16 bits, of any shape: looked up in a fraction of the time of computing it."""
    found: NDArray[np.uint8] = _CODES.take(colours)
    return found


def _code_of_each() -> NDArray[np.uint8]:
    """Return the code of each colour in 16 bits: 5 of red, 6 of green, 5 of blue, each taken for the middle of its step."""
    every = np.arange(1 << 16)
    red, green, blue = every >> 11 << 3 | 4, (every >> 5 & 63) << 2 | 2, (every & 31) << 3 | 4
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    to_red, to_blue = _hue(0.713 * (red - light)), _hue(0.564 * (blue - light))
    found: NDArray[np.uint8] = (light.astype(np.int64) // 32 * 16 + to_red * 4 + to_blue).astype(np.uint8)
    return found


def _hue(difference: NDArray[np.float64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.clip(np.floor(difference / _HUE_STEP) + 2, 0, 3).astype(np.int64)
    return found


_CODES = _code_of_each()
