"""Percentiles of any number of values in bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Durations", "Shares"]

_STEP = math.log(1.02)
_LEAST = 1e-7


class Durations:
    """Times from a tenth of a microsecond up, kept to two percent."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.most = 0.0
        self._bins: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Take one."""
        self.count += 1
        self.total += seconds
        self.most = max(self.most, seconds)
        place = int(math.log(max(seconds, _LEAST) / _LEAST) / _STEP)
        self._bins[place] = self._bins.get(place, 0) + 1

    def at(self, share: float) -> float:
        """Return the value that a share of all does not exceed; 0 where there is none."""
        if not self.count:
            return 0.0
        left = max(1, math.ceil(share * self.count))
        for place in sorted(self._bins):
            left -= self._bins[place]
            if left <= 0:
                return min(self.most, _LEAST * math.exp((place + 0.5) * _STEP))
        return self.most

    def milliseconds(self) -> dict[str, float]:
        """Return mean, p50, p95 and p99 in milliseconds."""
        mean = self.total / self.count if self.count else 0.0
        named = {"mean": mean, "p50": self.at(0.5), "p95": self.at(0.95), "p99": self.at(0.99)}
        return {name: float(f"{1000 * value:.3g}") for name, value in named.items()}


class Shares:
    """Values from 0 to 1, kept to four decimals."""

    _PLACES = 10_000

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = 1.0
        self._bins: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Take one."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        place = round(value * self._PLACES)
        self._bins[place] = self._bins.get(place, 0) + 1

    @property
    def mean(self) -> float:
        """The mean; 1 where there is none."""
        return self.total / self.count if self.count else 1.0

    def at(self, share: float) -> float:
        """Return the value that a share of all does not exceed, between the two nearest, as numpy's percentile."""
        if not self.count:
            return 1.0
        rank = share * (self.count - 1)
        low, high = math.floor(rank), math.ceil(rank)
        values = list(self._ranked({low, high}))
        return values[0] + (rank - low) * (values[-1] - values[0])

    def _ranked(self, ranks: set[int]) -> Iterator[float]:
        wanted, seen = sorted(ranks), 0
        for place in sorted(self._bins):
            seen += self._bins[place]
            while wanted and wanted[0] < seen:
                yield place / self._PLACES
                wanted.pop(0)
