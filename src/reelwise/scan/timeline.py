"""The time of a live stream: seconds from its first picture, whatever its own clock does, and what the wall clock says."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise

__all__ = ["Timeline"]

_BACK_SECONDS = 2.0
_AHEAD_SECONDS = 60.0
_GAP_SECONDS = 1.0
_GAP_INTERVALS = 6
_MINUTES = 10
_WINDOW, _REORDERED = 64, 16  # pictures looked at together for lost ones
_EVEN = 0.6  # of the steps; below, the rate varies and nothing can be said


class Timeline:
    """Turns the stamps of a stream, as they arrive, into seconds from the first picture.

    A clock that jumps back or far ahead is taken for one that was restarted: time goes on from there. After the stream
    was away, time goes on by the wall clock.
    """

    def __init__(self) -> None:
        self.last = 0.0
        self.interval = 0.04  # usual seconds from one picture to the next
        self.restarts = 0
        self.gaps = 0
        self.gap_seconds = 0.0
        self.lost = 0
        self.missing = 0
        self._offset = 0.0
        self._away, self._begun, self._waiting = True, False, False
        self._arrived = 0.0
        self._shown: list[float] = []
        self._late: deque[tuple[int, float]] = deque(maxlen=_MINUTES)

    def renew(self, interval: float) -> None:
        """Begin anew: the stream was opened; its own clock starts anywhere."""
        self.interval = interval
        self._away, self._waiting = True, False
        self._shown.clear()

    def read(self, stamp: float | None, arrived: float) -> tuple[float, bool]:
        """Return a picture's seconds, and whether time was mended here, so that no picture before belongs to it.

        Args:
            stamp: the stream's clock in seconds, None where unknown.
            arrived: wall clock in seconds when it was read.
        """
        mended = False
        if self._away:
            mended = not self._waiting
            begin = self.last + self._passed(arrived) if self._begun else 0.0
            self._begun = True
            if stamp is None:
                # as of RTSP's first picture: the clock is known when the next one comes
                self.missing += 1
                self._waiting = True
                self._place(begin, arrived)
                return begin, mended
            self._offset = begin - stamp
            self._away = self._waiting = False
        if stamp is None:
            self.missing += 1
            now = self.last + self.interval
        else:
            now = stamp + self._offset
            step = now - self.last
            if step < -_BACK_SECONDS or step > _AHEAD_SECONDS:
                self.restarts += 1
                mended = True
                now = self.last + self.interval
                self._offset = now - stamp
            elif not mended:
                self._step(now, step)
        self._place(now, arrived)
        return max(0.0, now), mended

    @property
    def offset(self) -> float:
        """What the stream's present clock lacks to seconds from the first picture."""
        return self._offset

    def seconds_of(self, stamp: float) -> float:
        """Turn a stamp of the stream's present clock, of sound say, into seconds."""
        return stamp + self._offset

    def at_wall(self, moment: float) -> float:
        """Turn a wall clock's seconds into the stream's: what is shown at that moment, as far as arrivals tell."""
        late = min((one for _, one in self._late), default=moment)
        return moment - late

    def wall_of(self, seconds: float) -> float:
        """Turn seconds of the stream into those of the wall clock."""
        return seconds + min((one for _, one in self._late), default=0.0)

    def _passed(self, arrived: float) -> float:
        passed = min(max(arrived - self._arrived, self.interval), 24 * 3600.0)
        if passed > _GAP_SECONDS:
            self.gaps += 1
            self.gap_seconds += passed
        return passed

    def _step(self, now: float, step: float) -> None:
        if step > max(_GAP_SECONDS, _GAP_INTERVALS * self.interval):
            self.gaps += 1
            self.gap_seconds += step
        self._shown.append(now)
        if len(self._shown) < _WINDOW + _REORDERED:
            return
        # the last ones may still get others in between
        self._shown.sort()
        steps = [b - a for a, b in pairwise(self._shown[: _WINDOW + 1])]
        usual = sorted(steps)[_WINDOW // 2]
        self._shown = self._shown[_WINDOW:]
        even = sum(abs(one - usual) < 0.1 * usual for one in steps)
        if usual > 0 and even > _EVEN * _WINDOW:
            self.interval = usual
            self.lost += sum(max(0, round(one / usual) - 1) for one in steps)

    def _place(self, now: float, arrived: float) -> None:
        self.last = max(self.last, now)
        self._arrived = arrived
        minute = math.floor(arrived / 60)
        late = arrived - now
        if not self._late or self._late[-1][0] != minute:
            self._late.append((minute, late))
        elif late < self._late[-1][1]:
            self._late[-1] = (minute, late)
