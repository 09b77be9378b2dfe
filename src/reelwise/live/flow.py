"""Where each place of a thumbnail was in the one before: dense optical flow, by inverse search (DIS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.live.opencv import opencv
from reelwise.live.thumb import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Flow", "moved", "moved_both", "moved_marks"]

_FINEST = 1  # half of the thumbnail's resolution; finer costs four times as much and carries masks no better
_STRIDE = 8


class Flow:
    """The flow between two thumbnails."""

    def __init__(self) -> None:
        cv2 = opencv()
        self._dis: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setFinestScale(_FINEST)
        self._dis.setPatchStride(_STRIDE)
        self._dis.setUseSpatialPropagation(False)  # a tenth of the time; carried masks are no worse

    def __call__(self, now: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return for each place of `now` where it was in `before`.

        Args:
            now: uint8 (SIDE, SIDE), grey.
            before: the same.

        Returns:
            float32 (SIDE, SIDE, 2): x and y, in places.
        """
        places: NDArray[np.float32] = self._dis.calc(now, before, None)
        places += PLACES
        return places


def moved(picture: NDArray[Any], places: NDArray[np.float32]) -> NDArray[Any]:
    """Fetch each place of a picture, (SIDE, SIDE) or (SIDE, SIDE, n), from where it was; outside of the edges what is nearest is taken."""
    cv2 = opencv()
    found: NDArray[Any] = cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found


def moved_both(
    small: NDArray[np.uint8], mask: NDArray[np.uint8], places: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Fetch the places of a thumbnail and of a mask at once: as four bytes they move in half the time."""
    cv2 = opencv()
    both = cv2.cvtColor(small, cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(mask, both, 3)
    both = moved(both, places)
    return cv2.cvtColor(both, cv2.COLOR_RGBA2RGB), cv2.extractChannel(both, 3)


def moved_marks(marks: NDArray[np.uint8], places: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Fetch bits, uint8 (SIDE, SIDE), from where they were: the nearest place's, since bits cannot be mixed."""
    cv2 = opencv()
    found: NDArray[np.uint8] = cv2.remap(marks, places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return found


PLACES = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32)
"""Each place's own x and y."""
