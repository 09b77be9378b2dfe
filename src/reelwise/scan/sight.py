"""Which signal a live stream is judged by, learned and held to account while it runs.

For the first seconds everything is decoded: what moved then, and what packets made of it, says whether packets tell active
from quiet. After that a bounded sample of key frames, at most 0.3 % of what decoding everything costs, is compared with one
another where packets saw nothing; where most of them differ, packets are not believed any more.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from reelwise.scan.pictures import differ
from reelwise.scan.watch import overlay_mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelwise.scan.levels import Levels

__all__ = ["Sight"]

Signal = Literal["packets", "keyframes", "luma"]

_SAMPLE_SHARE = 0.003
_KEY_COST = 4.0
_SAMPLES_FREE = 4  # so that an hour is not needed before the first comparison
_SAMPLE_SECONDS = 8.0
_CHECKS = 12
_GRIDS = 12
_KEY_GAP_MAX = 2.0
_JUDGE_SECONDS = 60.0
_AGAIN_SECONDS = 600.0
_NEAR_SECONDS = 0.6
_PACKETS_MIN = 250


class Sight:
    """Chooses the signal.

    Args:
        levels: what packets have taught so far.
        warm_up_seconds: how long everything is decoded first.
        forced: a signal to take whatever is learned; None to choose.
    """

    def __init__(self, levels: Levels, *, warm_up_seconds: float, forced: Signal | None = None) -> None:
        self.signal: Signal = forced or "luma"
        self.why = "asked for" if forced else f"learning for the first {warm_up_seconds:g} s"
        self.mask: NDArray[np.bool_] | None = None
        self.longest_gap = 0.0
        self.warm = False
        self._levels, self._warm_up, self._forced = levels, warm_up_seconds, forced
        self._missed: deque[bool] = deque(maxlen=_CHECKS)
        self._grids: deque[NDArray[np.uint8]] = deque(maxlen=_GRIDS)
        self._events: deque[tuple[float, float]] = deque(maxlen=64)
        self._unusual: deque[tuple[float, float]] = deque(maxlen=64)
        self._frames = self._sampled = 0
        self._last_key = self._last_sample = self._judged = self._failed = float("-inf")
        self._comparable = False
        self._known_since = float("inf")

    def packet(self, seconds: float, score: float, *, key: bool) -> None:
        """Take note of a packet and of how unusual it is; nan where that is not known."""
        self._frames += 1
        unusual = score > self._levels.limit
        if score == score:  # noqa: PLR0124 - not nan
            self._known_since = min(self._known_since, seconds)
        if key:
            if self._last_key > float("-inf"):
                self.longest_gap = max(self.longest_gap, seconds - self._last_key)
            self._last_key = seconds
        if unusual:
            self._comparable = False
            if self._unusual and seconds - self._unusual[-1][1] <= _NEAR_SECONDS:
                self._unusual[-1] = (self._unusual[-1][0], seconds)
            else:
                self._unusual.append((seconds, seconds))

    def event(self, start: float, stop: float) -> None:
        """Take note of an event that decoded pictures showed."""
        self._events.append((start, stop))
        self._comparable = False

    def broke(self) -> None:
        """Take note that the stream was away: what was before cannot be compared with what follows."""
        self._comparable = False
        self._last_key = float("-inf")

    def due(self, seconds: float) -> bool:
        """Say whether a key frame that is decoded anyway should be taken as a sample."""
        return seconds - self._last_sample >= _SAMPLE_SECONDS

    def wants_sample(self, seconds: float) -> bool:
        """Say whether this key frame should be decoded for its own sake: within the budget, and not too soon."""
        free = (self._sampled - _SAMPLES_FREE) * _KEY_COST
        return self.due(seconds) and free <= _SAMPLE_SHARE * self._frames

    def sample(self, seconds: float, grid: NDArray[np.uint8], *, quiet: bool, counts: bool) -> None:
        """Take a key frame.

        Args:
            seconds: when it is shown.
            grid: uint8 (rows, columns).
            quiet: whether nothing is under way.
            counts: whether it was decoded for its own sake, and so counts against the budget.
        """
        self._sampled += counts
        self._last_sample = seconds
        if self._grids and self._grids[-1].shape != grid.shape:
            self._grids.clear()
            self.mask = None
        if self._comparable and quiet and self._grids and self.signal == "packets":
            self._missed.append(differ(self._grids[-1], grid, self.mask))
        self._grids.append(grid)
        self._comparable = quiet
        self.mask = overlay_mask(list(self._grids))

    def judge(self, seconds: float, size: tuple[int, int]) -> bool:
        """Choose the signal again if it is time to; say whether it changed."""
        if not self.warm:
            if seconds < self._warm_up or (self._frames < _PACKETS_MIN and seconds < 4 * self._warm_up):
                return False
            self.warm = True
        elif seconds - self._judged < _JUDGE_SECONDS and not self._betrayed():
            return False
        self._judged = seconds
        if self._forced:
            return False
        before = self.signal
        separable, why = self._levels.judge(size)
        if separable and self._betrayed():
            separable, why = (
                False,
                f"packets saw nothing where {sum(self._missed)} of {len(self._missed)} key frames differ",
            )
            self._failed = seconds
            self._missed.clear()
        elif separable and seconds - self._failed < _AGAIN_SECONDS:
            return False
        elif separable and before != "packets":
            separable, why = self._agree(why)
        if separable:
            agreed = (
                f"; {len(self._missed) - sum(self._missed)} of {len(self._missed)} key frames agree"
                if self._missed
                else ""
            )
            self.signal, self.why = "packets", f"packet sizes tell active from quiet: {why}{agreed}"
        elif 0 < self.longest_gap <= _KEY_GAP_MAX:
            self.signal, self.why = "keyframes", f"{why}; key frames are at most {self.longest_gap:.1f} s apart"
        else:
            apart = f"up to {self.longest_gap:.1f} s apart" if self.longest_gap else "not seen yet"
            self.signal, self.why = "luma", f"{why}; key frames are {apart}, so events can pass between them"
        return self.signal != before

    def _betrayed(self) -> bool:
        return sum(self._missed) >= 2 and sum(self._missed) > len(self._missed) / 2

    def _agree(self, why: str) -> tuple[bool, str]:
        """Hold what packets called unusual against the events that decoded pictures showed."""
        known = self._known_since + 1.0
        events = [one for one in self._events if one[1] - one[0] >= _NEAR_SECONDS and one[0] >= known]
        found = sum(
            any(a <= stop + _NEAR_SECONDS and b >= start - _NEAR_SECONDS for a, b in self._unusual)
            for start, stop in events
        )
        if found < len(events) / 2 or (events and not found):
            return False, f"packets saw {found} of {len(events)} events that decoded pictures show"
        return True, f"{why}; packets saw {found} of {len(events)} events in decoded pictures" if events else why
