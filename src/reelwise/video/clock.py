"""Time stamps that can be relied on: seconds from the first frame, strictly increasing."""

from __future__ import annotations

__all__ = ["Clock"]

_JUMP_BACK_SECONDS = 1.0
_JUMP_AHEAD_SECONDS = 3600.0
_BEYOND_DECLARED_SECONDS = 60.0


class Clock:
    """Repairs one stream's time stamps as its frames arrive.

    Args:
        interval: nominal seconds between frames, used where a stamp is missing.
        declared: declared duration in seconds, 0 where unknown; a stamp far beyond it is a broken one.
    """

    def __init__(self, interval: float, declared: float) -> None:
        self.interval = interval if 1e-4 <= interval <= 60 else 0.04
        self.repaired = 0
        self._first: float | None = None
        self._last = -1.0
        self._limit = declared + _BEYOND_DECLARED_SECONDS if declared > 0 else 0.0

    def read(self, stamp: float | None) -> float:
        """Turn a frame's stamp (seconds, any origin, or None) into seconds from the first frame."""
        if self._first is None:
            self._first = 0.0 if stamp is None else stamp
            self.repaired += stamp is None
            self._last = 0.0
            return 0.0
        expected = self._last + self.interval
        if stamp is None:
            self.repaired += 1
            self._last = expected
            return expected
        time = stamp - self._first
        jump = time - self._last
        too_far = jump > _JUMP_AHEAD_SECONDS or (jump > _JUMP_BACK_SECONDS and 0 < self._limit < time)
        if too_far or jump < -_JUMP_BACK_SECONDS:
            # the origin moved: all later stamps are shifted with it
            self._first = stamp - expected
            self.repaired += 1
            time = expected
        elif jump <= 1e-9:
            self.repaired += 1
            time = expected
        self._last = time
        return time
