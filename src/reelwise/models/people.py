"""Find people with both networks: where only one of them sees a person, it is a bottle, a flower or a lens flare.

A network that cuts out who sits before a camera marks whatever stands in front where nobody does. The two were trained apart
and err apart: on clips without people they hardly ever agree (docs/models.md has the counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.models.masks import opencv
from reelwise.models.person import PersonSegmentation

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reelwise.models.segment import SegmentModel

__all__ = ["SHARE_MIN", "People"]

SHARE_MIN = 0.005
"""Of the picture: what is smaller is no person to these networks. It is also below what counts as an empty mask."""

Box = tuple[float, float, float, float]


class People:
    """Say where people are in a picture; an object is used by one thread at a time.

    Args:
        threads: cores that one picture may use.
        folder: where models are installed; None for $REELWISE_CACHE or the user's cache.
        networks: the two models that must agree; None for the installed ones.

    Raises:
        MissingExtraError, InputError: see `PersonSegmentation`.
    """

    def __init__(
        self, threads: int = 1, folder: Path | None = None, *, networks: tuple[SegmentModel, SegmentModel] | None = None
    ) -> None:
        self._cv2 = opencv()
        self._first, self._second = networks or (
            PersonSegmentation("landscape", threads, folder),
            PersonSegmentation("general", threads, folder),
        )

    def mask(self, frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return where both see a person: bool of the first network's size. RGB uint8 (height, width, 3) is taken."""
        first = self._first(frame) > 0.5
        if not first.any():
            return first
        second = self._cv2.resize(self._second(frame), first.shape[::-1]) > 0.5
        both: NDArray[np.bool_] = first & second
        return both

    def __call__(self, frame: NDArray[np.uint8]) -> list[Box]:
        """Return a box around each person: left, top, right, bottom in pixels of the frame; people who touch share one."""
        mask = self.mask(frame)
        if not mask.any():
            return []
        _, _, parts, _ = self._cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        down, across = frame.shape[0] / mask.shape[0], frame.shape[1] / mask.shape[1]
        return [
            (left * across, top * down, (left + width) * across, (top + height) * down)
            for left, top, width, height, area in parts[1:].tolist()
            if area >= SHARE_MIN * mask.size
        ]
