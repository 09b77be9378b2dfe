"""One run of decoded pictures in a live stream: from the key frame before a candidate until nothing moves any more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.scan.pictures import Movement, Pictures
from reelwise.scan.watch import CHANGE_MIN
from reelwise.video.stretches import ACTIVITY_MIN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Run"]

_SETTLED_SECONDS = 0.9
_IDLE_SECONDS = 1.5
_KEYS_TO_LEARN = 4


class Run:
    """Pictures under way.

    Args:
        moment: when the candidate that it looks at began, in seconds.
        mask: bool (rows, columns), cells to leave out; None for none.

    Attributes:
        since: pictures before this are decoded because others need them, and not looked at.
        most: how unusual packets were at most.
        measured: the last picture that was looked at, in seconds.
    """

    def __init__(self, moment: float, mask: NDArray[np.bool_] | None) -> None:
        self.pictures = Pictures(mask)
        self.movement = Movement()
        self.since = -math.inf
        self.most = 0.0
        self._moment = moment
        self.measured = moment
        self._keys = 0

    def look(self, interval: float, *, now: bool = False) -> list[tuple[float, float]]:
        """Measure what is held if it is enough, or `now`.

        Returns:
            Spans to tell: with an infinite stop where something began, with its stop where it ended.
        """
        told: list[tuple[float, float]] = []
        before = self.movement.open_since
        for seconds, change, activity in self.pictures.take(now=now):
            self.measured = seconds
            ended = self.movement.add(seconds, change, activity, interval)
            if ended is not None:
                told.append(ended)
        over = self.movement.ended(self.measured)
        if over is not None:
            told.append(over)
        since = self.movement.open_since
        if since != before and not math.isnan(since):
            told.append((since, math.inf))
        return told

    def ended(self) -> tuple[float, float] | None:
        """Return the event under way as one that ends here; None if there is none."""
        return self.movement.ended(math.inf)

    def is_over(self, *, unusual: bool) -> bool:
        """Say whether nothing has moved for long enough; longer where packets still call it unusual."""
        still = self.measured - max(self.movement.last, self._moment)
        return still > (_IDLE_SECONDS if unusual else _SETTLED_SECONDS)

    def key_differs(self, seconds: float, grid: NDArray[np.uint8]) -> bool:
        """Take a key frame on its own; say whether something is there, or moved, that was not before."""
        self.pictures.add(seconds, grid)
        self._keys += 1
        found = self.pictures.take(now=self._keys >= _KEYS_TO_LEARN)
        return any(activity > ACTIVITY_MIN and change > CHANGE_MIN for _, change, activity in found)
