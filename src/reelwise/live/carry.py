"""Carries the last mask to the newest frame, and says how much that frame asks for an inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Carrier", "Ticket"]

_SIDE = 64
_LEVELS = 2.0  # mean difference, of 255, that asks for an inference


class Ticket(NamedTuple):
    """A frame that went to the model: its number, and its thumbnail."""

    number: int
    thumbnail: NDArray[np.uint8]


class Carrier:
    """Reuses the last mask as it is; asks by the mean difference of thumbnails to the last frame that was inferred.

    Args:
        size: (height, width) of the masks, in places.
    """

    def __init__(self, size: tuple[int, int] = (256, 256)) -> None:
        self._cv2 = opencv()
        self.size = size
        self.mask: NDArray[np.float32] | None = None
        self.need = 0.0
        self._seen = 0
        self._masked = 0
        self._thumbnail: NDArray[np.uint8] = np.zeros((_SIDE, _SIDE), np.uint8)
        self._inferred: NDArray[np.uint8] | None = None

    @property
    def age(self) -> int:
        """Frames since the frame that the mask was computed on."""
        return self._seen - self._masked

    def see(self, frame: NDArray[np.uint8]) -> None:
        """Take the next frame, RGB uint8 (height, width, 3)."""
        self._seen += 1
        small = self._cv2.resize(frame, (_SIDE, _SIDE), interpolation=self._cv2.INTER_LINEAR)
        self._thumbnail = self._cv2.cvtColor(small, self._cv2.COLOR_RGB2GRAY)
        if self._inferred is not None:
            self.need = float(self._cv2.absdiff(self._thumbnail, self._inferred).mean()) / _LEVELS

    def ask(self) -> Ticket:
        """Say that the last frame seen goes to the model."""
        self._inferred = self._thumbnail
        return Ticket(self._seen, self._thumbnail)

    def answer(self, ticket: Ticket, mask: NDArray[np.float32]) -> None:
        """Take the mask of a frame, perhaps frames later: float32 `size`."""
        self.mask = mask
        self._masked = ticket.number
