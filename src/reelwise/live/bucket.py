"""A bucket of calls that fills with time: what may be spent now, so that no window is ever overspent. Exact: integers only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["HALF", "WHOLE", "Bucket", "hour_bucket", "minute_bucket"]

WHOLE, HALF = 2, 1
"""How fast it fills, in halves of its rate."""

_HOUR_US, _MINUTE_US = 3_600_000_000, 60_000_000
_BURST_OF_HOUR = 3  # percent
_BURST_OF_MINUTE = 2  # a half: thirty seconds


class Bucket:
    """Calls that may be made.

    From any moment on for a time T, fewer calls than `capacity + rate x T` can be made, however they come.

    Args:
        rate: calls that flow in during a period.
        period_us: the period in microseconds.
        capacity: calls that it holds at most.
        level: calls in it at the beginning.

    Attributes:
        mean_seconds: from one call to the next, on average.
        fill_seconds: until an empty one is full.
    """

    def __init__(self, rate: Fraction, period_us: int, capacity: Fraction, level: Fraction) -> None:
        # one unit is so small that all amounts are whole: nothing is rounded, ever
        self._call = 2 * period_us * math.lcm(rate.denominator, capacity.denominator, level.denominator)
        self._per_half_us = int(rate * self._call / (2 * period_us))
        self._capacity = int(capacity * self._call)
        self._level = int(level * self._call)
        self._at_us: int | None = None
        self.mean_seconds = float(period_us / rate) / 1e6
        self.fill_seconds = float(capacity / rate) * period_us / 1e6

    def refill(self, at_us: int, halves: int = WHOLE) -> float:
        """Let flow in what the time since the last refill brings; return how many seconds that was."""
        before, self._at_us = self._at_us, at_us
        if before is None or at_us <= before:
            self._at_us = at_us if before is None else before
            return 0.0
        self._level = min(self._capacity, self._level + self._per_half_us * (at_us - before) * halves)
        return (at_us - before) / 1e6

    @property
    def has_call(self) -> bool:
        """Whether one call may be made now."""
        return self._level >= self._call

    @property
    def fullness(self) -> float:
        """How full it is, 0 to 1; below 0 where a call cost more than was thought."""
        return self._level / self._capacity

    def take(self) -> None:
        """Take one call."""
        self._level -= self._call

    def settle(self, share: Fraction) -> None:
        """Correct the last call: it cost this share of what was taken, 0 where it was not billed at all."""
        back = self._call - share * self._call
        self._level = min(self._capacity, self._level + math.floor(back))


def hour_bucket(calls: int) -> Bucket:
    """Make a bucket of which no 60 minutes ever take more than so many calls, and full use takes 97 % of them at least."""
    from fractions import Fraction

    capacity = max(Fraction(1), Fraction(calls * _BURST_OF_HOUR, 100))
    return Bucket(calls + 1 - capacity, _HOUR_US, capacity, capacity)


def minute_bucket(calls: Fraction) -> Bucket:
    """Make a bucket that lets so many calls a minute pass over time, and gathers up to thirty seconds' worth for when they are wanted."""
    from fractions import Fraction

    capacity = max(Fraction(1), calls / _BURST_OF_MINUTE)
    return Bucket(calls, _MINUTE_US, capacity, max(Fraction(1), capacity * 3 / 4))
