"""Decoded pictures of a live stream to events, as they come: the motion of `watch`, without keeping what was measured."""

from __future__ import annotations

import math
from array import array
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.scan.watch import CHANGE_MIN, Watch
from reelwise.video.motion import Motion
from reelwise.video.stretches import ACTIVITY_MIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Movement", "Pictures", "differ"]

_MEASURE_SECONDS = 0.5
_FIRST_SECONDS = 2.5
_JOIN_SECONDS = 0.7
_MIN_SECONDS = 0.15
_FLOOR_PICTURES = 750
_FLOOR_MIN = 50
_DIFFERENT = 0.01


def differ(before: NDArray[np.uint8], after: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> bool:
    """Say whether something appeared, went or moved from one picture to another, light apart."""
    if before.shape != after.shape:
        return False
    if mask is not None and mask.shape == before.shape:
        before, after = np.where(mask, 128, before).astype(np.uint8), np.where(mask, 128, after).astype(np.uint8)
    measured = Motion().measure(np.stack([before, before, before, after]), np.array([0.0, 0.1, 0.2, 0.3]))
    return bool(measured[3, 1] > _DIFFERENT)


class Pictures(Watch):
    """Measures pictures and hands out what it measured, so that a run of any length takes the same memory."""

    def __init__(self, mask: NDArray[np.bool_] | None = None) -> None:
        super().__init__(mask)
        self._last = -math.inf
        self._measured = False

    def set_mask(self, mask: NDArray[np.bool_] | None) -> None:
        """Leave these cells out from now on."""
        self._mask = mask

    def add(self, seconds: float, grid: NDArray[np.uint8]) -> None:
        """Take one picture; one that comes out of order is passed over."""
        if seconds > self._last:
            self._last = seconds
            super().add(seconds, grid)

    def take(self, *, now: bool = False) -> list[tuple[float, float, float]]:
        """Measure what is held once it is enough, or `now`; return times, change and activity of what is new."""
        waited = self._stamps[-1] - self._stamps[0] if self._stamps else 0.0
        if now or waited >= (_MEASURE_SECONDS if self._measured else _FIRST_SECONDS):
            self._measure()
        if not self._found:
            return []
        self._measured = True
        table: NDArray[Any] = np.concatenate(self._found)
        new = list(zip(self._times, table[:, 0].tolist(), table[:, 1].tolist(), strict=True))
        self._times, self._found, self._stops = array("d"), [], []
        return new


class Movement:
    """Finds when pictures change, and holds back what is not seen against the background as well: light, noise.

    The rule is `watch.events_of`'s, applied to pictures as they come.

    Attributes:
        open_since: when the event under way began; nan while there is none.
        last: when something moved last; minus infinity if nothing did.
    """

    def __init__(self) -> None:
        self.open_since = math.nan
        self.last = -math.inf
        self._began = math.nan
        self._most_change = self._most_activity = 0.0
        self._changes: deque[float] = deque(maxlen=_FLOOR_PICTURES)
        self._floor = 0.0
        self._until_floor = _FLOOR_MIN

    def add(self, seconds: float, change: float, activity: float, interval: float) -> tuple[float, float] | None:
        """Take one picture's measurements; return the event that ended, if one did."""
        ended = self.ended(seconds)
        self._changes.append(change)
        self._until_floor -= 1
        if self._until_floor <= 0:
            # what moves all the time a little, noise, does not hold an event open
            self._floor = min(CHANGE_MIN, 2.0 * float(np.quantile(np.array(self._changes), 0.3)))
            self._until_floor = _FLOOR_MIN
        if change <= CHANGE_MIN / 2 + self._floor:
            return ended
        if math.isnan(self._began):
            self._began = seconds
            self._most_change = self._most_activity = 0.0
        self.last = seconds + interval
        self._most_change = max(self._most_change, change)
        self._most_activity = max(self._most_activity, activity)
        seen = self._most_change > CHANGE_MIN + self._floor and self._most_activity > ACTIVITY_MIN
        if math.isnan(self.open_since) and seen and self.last - self._began >= _MIN_SECONDS:
            self.open_since = self._began
        return ended

    def ended(self, now: float) -> tuple[float, float] | None:
        """Return the event that is over by now, if one is, and forget it."""
        if math.isnan(self._began) or now - self.last <= _JOIN_SECONDS:
            return None
        self._began = math.nan
        since, self.open_since = self.open_since, math.nan
        return None if math.isnan(since) else (since, self.last)
