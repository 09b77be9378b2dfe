"""What a model that finds the foreground of a picture looks like to those who use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SegmentModel"]


class SegmentModel(Protocol):
    """Any function from a picture to a mask that has a name: a network here, an image API, an HTTP endpoint."""

    @property
    def name(self) -> str:
        """What receipts and facts call it."""

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability 0..1 that each place is foreground.

        Args:
            frame: RGB uint8 (height, width, 3).

        Returns:
            float32 (h, w) of any size; who uses it scales it to the picture.
        """
