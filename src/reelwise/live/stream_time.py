"""The time of frames: it never goes back, and gaps are noticed."""

from __future__ import annotations

import math

__all__ = ["StreamTime"]

_GAP_SECONDS = 1.0
_GAP_INTERVALS = 6.0
_USUAL = 0.1


class StreamTime:
    """Turns the times that frames are given into seconds that only grow.

    Attributes:
        last: of the newest frame; None before the first.
        gaps: how often no frame came for over a second, and six usual steps.
        gap_seconds: how long, in all.
        gap: the step to the newest frame where it was such a gap, else 0.
    """

    def __init__(self) -> None:
        self.last: float | None = None
        self.gaps = 0
        self.gap_seconds = 0.0
        self.gap = 0.0
        self._shift = 0.0
        self._usual = 0.0

    def read(self, raw: float) -> float:
        """Return the seconds of the next frame."""
        seconds, before = raw + self._shift, self.last
        self.gap = 0.0
        if before is None:
            seconds = seconds if math.isfinite(seconds) else 0.0
        else:
            if not math.isfinite(seconds) or seconds < before:
                # a clip that begins again, a clock that was set back: time goes on from here
                seconds = before + self._usual
                self._shift = seconds - raw if math.isfinite(raw) else self._shift
            step = seconds - before
            if self._usual and step > max(_GAP_SECONDS, _GAP_INTERVALS * self._usual):
                self.gap = step
                self.gaps += 1
                self.gap_seconds += step
            else:
                self._usual += (_USUAL if self._usual else 1.0) * (step - self._usual)
        self.last = seconds
        return seconds
