"""Whether a model can be relied on, and whether budgets let it be called: pauses between tries, and how it is found to be back."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from reelwise.errors import BudgetError
from reelwise.live.modes import BASIC, OFF, Wish

if TYPE_CHECKING:
    from reelwise.live.target import Limits

__all__ = ["Denial", "Health"]

_RETRIES_HELD = 3.0
_RETRY_SHARE = 0.1
_RECENT = 5
_SLOW_NEEDED = 3
_BACK_NEEDED = 2


class Health:
    """Looks at what became of each call, and says whether another one may be made.

    A failure is tried again at once, on the newest frame, as often in a row as `limits.retries` says, and in all for a tenth of the
    calls at most (and three). After that it pauses, longer each time. Some failures in a row, or answers that are too slow, and the
    model is down: then one call is made after each pause, to find out whether it is back.

    Args:
        limits: see `Limits`.
        slow: whether slow answers count: only where another model can take over.
    """

    def __init__(self, limits: Limits, *, slow: bool) -> None:
        self._limits = limits
        self._slow_seconds = limits.slow_seconds if slow else 0.0
        self.down = ""
        self.why = ""
        self.retries = 0
        self._row = 0
        self._again = -math.inf
        self._pause = limits.probe_seconds
        self._budget = _RETRIES_HELD
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._good = 0
        self._retry_now = False

    @property
    def median_seconds(self) -> float:
        """The median of the last five answers; 0 where there is none."""
        return median(self._recent) if self._recent else 0.0

    @property
    def retry_due(self) -> bool:
        """Whether the last call failed and is to be tried again at once."""
        return self._retry_now

    def may_call(self, now: float) -> bool:
        """Say whether a call may be made."""
        return now >= self._again

    def begun(self) -> None:
        """Take note that a call is made."""
        if self._retry_now:
            self.retries += 1
        self._retry_now = False

    def answered(self, now: float, seconds: float) -> None:
        """Take note of a good answer and how long it took."""
        self._row = 0
        self._budget = min(_RETRIES_HELD, self._budget + _RETRY_SHARE)
        self._recent.append(seconds)
        if self.down:
            self._probed(now, seconds)
        elif self._slow_seconds and len(self._recent) >= _SLOW_NEEDED and self.median_seconds > self._slow_seconds:
            self._fall(now, "slow", f"answers take {self.median_seconds:.2g} s, {self._slow_seconds:g} s are wanted")

    def _probed(self, now: float, seconds: float) -> None:
        if self._slow_seconds and seconds > self._slow_seconds:
            self._good = 0
            self._wait_longer(now)
            return
        self._good += 1
        if self.down == "slow" and self._good < _BACK_NEEDED:
            self._again = now + self._limits.probe_seconds
            return
        self.down = self.why = ""
        self._again, self._pause = now, self._limits.probe_seconds
        self._recent.clear()

    def failed(self, now: float, said: str, *, jammed: bool = False) -> None:
        """Take note of a failure.

        Args:
            now: when, by the clock.
            said: what went wrong.
            jammed: whether no further call can be made before one comes back: nothing more will fail, so the model is down already.
        """
        self._row += 1
        self._good = 0
        if self.down:
            self._wait_longer(now)
        elif jammed:
            self._fall(now, "failing", f"its calls do not come back: {said}")
        elif self._row >= self._limits.failures_max:
            self._fall(now, "failing", f"{self._row} failures in a row: {said}")
        elif self._row <= self._limits.retries and self._budget >= 1:
            self._budget -= 1
            self._retry_now = True
            self._again = now
        else:
            self._again = now + min(self._pause, self._limits.probe_seconds_max)

    def _fall(self, now: float, down: str, why: str) -> None:
        self.down, self.why = down, why
        self._good, self._retry_now = 0, False
        self._pause = self._limits.probe_seconds
        self._again = now + self._pause

    def _wait_longer(self, now: float) -> None:
        self._pause = min(2 * self._pause, self._limits.probe_seconds_max)
        self._again = now + self._pause


class Denial:
    """What a budget has said no to: after a pause one call is tried again, until one is let through.

    Args:
        limits: the pauses; a budget that says when to come again is believed, within the longest.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._again = -math.inf
        self._pause = limits.probe_seconds
        self.wish: Wish | None = None

    def told(self, error: BaseException | None, said: str, now: float) -> None:
        """Take note of a no."""
        mode, wanted = BASIC, None
        if isinstance(error, BudgetError):
            mode = OFF if error.reason in {"killed", "off"} else BASIC
            wanted = error.retry_seconds
        self.wish = Wish(mode, "denied", said)
        self._again = now + min(max(self._pause, wanted or 0.0), self._limits.probe_seconds_max)
        self._pause = min(2 * self._pause, self._limits.probe_seconds_max)

    def over(self) -> None:
        """Take note that a call was let through."""
        self.wish, self._pause = None, self._limits.probe_seconds

    def may_call(self, now: float) -> bool:
        """Say whether a call may be tried."""
        return self.wish is None or now >= self._again
