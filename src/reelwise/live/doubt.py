"""What a carried mask probably gets wrong by now, and when that is worth an inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.live.flow import moved_marks
from reelwise.live.opencv import opencv
from reelwise.live.thumb import HALF, SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Doubt"]

_UNKNOWN, _NEW, _CHANGED = np.uint8(1), np.uint8(2), np.uint8(4)
_PER_MARK = ((_UNKNOWN, 0.10), (_NEW, 0.04), (_CHANGED, 0.05))
_PER_SOFT = 0.18
"""How much of the error (1 - IoU) each kind of doubtful place makes, per place of foreground. Fitted on webcam clips and a hall camera
by non-negative least squares, rounded: bench/live.py says which."""

_ONCE = 0.034
_IN_ALL = 0.45
"""The expected error of one frame, and the sum over all frames since the last inference, at which the need is 1."""

_LEFT_FREE, _PER_LEFT, _LEFT_MOST = 0.2, 2.0, 0.2
"""A mask that has lost more than a fifth of its places since the model answered: somebody leaves, and the model may say any moment that
nobody is there. Each further percent counts as so many of error, up to a limit: what is left of a rate is not all spent on one exit. One
that grows is no such case: who leans in does it slowly."""

_EMPTY_SHARE = 0.005
_LOW, _HIGH = 51, 204  # of 255: a place in between is neither
_GAIN_MIN, _GAIN_MAX = 0.5, 2.0
_GAIN_STEP = 0.3
_ERROR_MIN = 0.01
_ALARM_FALSE, _ALARM_DULL, _ALARM_MIN, _ALARM_REST = 0.8, 0.25, 0.07, 1.1


class Doubt:
    """Keeps, for each place, what has made it doubtful since the last inference; these marks move along with the picture.

    Attributes:
        expected: the error (1 - IoU) expected of the mask on the last frame.
    """

    def __init__(self) -> None:
        self.expected = 0.0
        self._sum = 0.0
        self._gain = self._alarm = 1.0
        self._empty = True
        self._area = _EMPTY_SHARE * SIDE * SIDE
        self._marks = np.zeros((SIDE, SIDE), np.uint8)

    def move(self, places: NDArray[np.float32]) -> None:
        """Move the marks along with a frame's flow."""
        self._marks = moved_marks(self._marks, places)

    def mark(
        self, unknown: NDArray[np.uint8], new: NDArray[np.uint8], changed: NDArray[np.uint8], plain: NDArray[np.uint8]
    ) -> None:
        """Mark places, 255 or 0 each, uint8 (SIDE, SIDE).

        Args:
            unknown: their colour was nowhere near.
            new: the flow does not explain them, away from the foreground.
            changed: they changed sides by vote.
            plain: they show background that a model has called so: no doubt about those.
        """
        marks = (unknown & _UNKNOWN) | (new & _NEW)
        marks |= self._marks
        marks &= ~plain | _CHANGED
        marks |= changed & _CHANGED
        self._marks = marks

    def weigh(self, low: NDArray[np.uint8]) -> float:
        """Take note of a frame with its carried mask, uint8 (SIDE, SIDE), and return its need."""
        cv2 = opencv()
        soft = cv2.countNonZero(cv2.inRange(low, _LOW, _HIGH))
        error = _PER_SOFT * soft + sum(share * cv2.countNonZero(self._marks & bit) for bit, share in _PER_MARK)
        if self._empty:
            self.expected = self._alarm * min(error / self._area, 1.0)
            if error / self._area < _ONCE:
                self._alarm = min(1.0, self._alarm * _ALARM_REST)
        else:
            lost = 1.0 - _area(low) / self._area
            leaving = min(_PER_LEFT * max(0.0, lost - _LEFT_FREE), _LEFT_MOST)
            self.expected = min(self._gain * error / self._area + leaving, 1.0)
        return self.pass_by()

    def pass_by(self) -> float:
        """Take note of a frame that looks like the last one, and return its need."""
        self._sum += self.expected
        once = 0.0 if self._empty and self._alarm < _ALARM_DULL else self.expected / _ONCE
        return max(once, self._sum / _IN_ALL)

    def learn(self, expected: float, error: float) -> None:
        """Compare the error that was expected of a mask with the one that a model's answer showed."""
        if self._empty:
            self._alarm = 1.0 if error > 0 else max(_ALARM_MIN, self._alarm * _ALARM_FALSE)
            return
        ratio = max(error, _ERROR_MIN) / max(expected, _ERROR_MIN / 10)
        self._gain = float(np.clip(self._gain * ratio**_GAIN_STEP, _GAIN_MIN, _GAIN_MAX))

    def reset(self, low: NDArray[np.uint8]) -> None:
        """Begin again with a model's mask, uint8 (SIDE, SIDE)."""
        area, least = _area(low), _EMPTY_SHARE * SIDE * SIDE
        self._area, self._empty = max(area, least), area < least
        self._marks[:] = 0
        self._sum = 0.0
        self.expected = 0.0


def _area(low: NDArray[np.uint8]) -> int:
    cv2 = opencv()
    return int(cv2.countNonZero(cv2.threshold(low, HALF, 255, cv2.THRESH_BINARY)[1]))
