"""Decoded pictures to events: motion on the luma grid, with static overlays masked and a shaking camera held still."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from reelwise.video.motion import Motion
from reelwise.video.stretches import ACTIVITY_MIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CHANGE_MIN", "Pulse", "Spans", "Watch", "events_of", "join_spans", "overlay_mask"]

Spans = list[tuple[float, float]]
"""Start and stop of each, in seconds."""

_FIRST = 96
_BLOCK = 32
_MOVED_SHARE = 0.15  # share of cells that differ before a shift of the whole picture is looked for
_TRIES = 6
_SHIFT_MAX = 12  # cells; more is a camera that turns
CHANGE_MIN = 0.002
"""Share of cells that change from one picture to the next where something moves."""

_EDGE = 1.25  # an event starts and stops with a picture that changes by this many times CHANGE_MIN
_PULSE_LEVEL = 14
_PULSES = 64
_JOIN_SECONDS = 0.7
_MIN_SECONDS = 0.15
_PAIRS_MIN = 4
_OVERLAY_LEVEL = 24
_OVERLAY_OFTEN = 0.7
_OVERLAY_SHARE = 0.03
_ALONG = 12  # an overlay's line is masked this many heights to both sides: minutes beside seconds


def overlay_mask(grids: list[NDArray[np.uint8]]) -> NDArray[np.bool_] | None:
    """Find what changes in nearly every pair of distant pictures and is small: a clock, a counter.

    Returns:
        bool (rows, columns), True where an overlay is; None where there is none, or too few pictures.
    """
    if len(grids) <= _PAIRS_MIN:
        return None
    stack = np.stack(grids).astype(np.int16)
    often = (np.abs(np.diff(stack, axis=0)) > _OVERLAY_LEVEL).mean(axis=0) >= _OVERLAY_OFTEN
    if not often.any() or often.mean() > _OVERLAY_SHARE:
        return None
    mask = np.zeros(often.shape, np.bool_)
    rows = np.flatnonzero(often.any(axis=1))
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > 2) + 1):
        top, bottom = max(0, int(band[0]) - 1), int(band[-1]) + 2
        across = np.flatnonzero(often[band].any(axis=0))
        reach = _ALONG * len(band)
        mask[top:bottom, max(0, int(across[0]) - reach) : int(across[-1]) + 2 + reach] = True
    return mask if mask.mean() <= 5 * _OVERLAY_SHARE else often


def _shift(now: NDArray[np.uint8], then: NDArray[np.uint8]) -> tuple[int, int]:
    """Estimate by phase correlation how many cells a picture moved down and right."""
    a, b = np.fft.rfft2(now.astype(np.float32) - now.mean()), np.fft.rfft2(then.astype(np.float32) - then.mean())
    cross = a * np.conj(b)
    peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=now.shape)
    down, right = np.unravel_index(int(np.argmax(peak)), peak.shape)
    rows, columns = now.shape
    return int(down) - (rows if down > rows // 2 else 0), int(right) - (columns if right > columns // 2 else 0)


class Watch:
    """Measures pictures of one run, from a key frame on, in the order they are shown.

    Args:
        mask: bool (rows, columns), cells to leave out; None for none.
    """

    def __init__(self, mask: NDArray[np.bool_] | None = None) -> None:
        self._mask = mask
        self._motion = Motion()
        self._held: list[NDArray[np.uint8]] = []
        self._stamps: list[float] = []
        self._size = _FIRST
        self._still: NDArray[np.uint8] | None = None
        self._unexplained = 0
        self._times: array[float] = array("d")
        self._found: list[NDArray[np.float32]] = []
        self._stops: list[int] = []

    def add(self, seconds: float, grid: NDArray[np.uint8]) -> None:
        """Take one picture; one that comes out of order is passed over."""
        last = self._stamps[-1] if self._stamps else self._times[-1] if self._times else -1e9
        if not seconds > last:
            return
        self._held.append(grid)
        self._stamps.append(seconds)
        if len(self._held) >= self._size:
            self._measure()

    def _measure(self) -> None:
        if not self._held:
            return
        if self._mask is not None and self._mask.shape == self._held[0].shape:
            for grid in self._held:
                grid[self._mask] = 128
        self._steady()
        times = np.array(self._stamps)
        self._found.append(self._motion.measure(np.stack(self._held), times)[:, :2])
        self._times.extend(self._stamps)
        self._stops.append(len(self._times))
        self._held, self._stamps, self._size = [], [], _BLOCK

    def _steady(self) -> None:
        """Move pictures back that are shifted as a whole against the run's first."""
        if self._still is None:
            self._still = self._held[0].copy()
        still = self._still
        sparse = still[1::5, 1::5].astype(np.int16)
        for index, grid in enumerate(self._held):
            apart = np.abs(grid[1::5, 1::5].astype(np.int16) - sparse) > 16
            if apart.mean() < _MOVED_SHARE:
                continue
            # a large object is no shake: after some pictures that no shift explains, only some are tried
            self._unexplained += 1
            if self._unexplained > _TRIES and self._unexplained % _TRIES:
                continue
            down, right = _shift(grid, still)
            if (down, right) == (0, 0) or max(abs(down), abs(right)) > _SHIFT_MAX:
                continue
            moved = np.roll(grid, (-down, -right), axis=(0, 1))
            edge = np.zeros(grid.shape, np.bool_)
            for axis, by in ((0, down), (1, right)):
                side = [slice(None), slice(None)]
                side[axis] = slice(-by, None) if by > 0 else slice(0, -by)
                if by:
                    edge[tuple(side)] = True
            moved[edge] = still[edge]
            before = np.abs(grid.astype(np.int16) - still) > 16
            after = np.abs(moved.astype(np.int16) - still) > 16
            if after.mean() < 0.5 * before.mean():
                self._held[index] = moved
                self._unexplained = 0

    def moved_last(self) -> float:
        """Measure what is held, and return when something moved last; minus infinity if nothing did."""
        self._measure()
        for table, stop in zip(reversed(self._found), reversed(self._stops), strict=True):
            moving = np.flatnonzero(table[:, 0] > _EDGE * CHANGE_MIN)
            if len(moving):
                return self._times[stop - len(table) + int(moving[-1])]
        return -np.inf

    def done(self) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        """Return times, change and activity of all pictures taken."""
        self._measure()
        table = np.concatenate(self._found) if self._found else np.zeros((0, 2), np.float32)
        return np.array(self._times), table[:, 0], table[:, 1]


class Pulse:
    """Says at once whether a picture differs from the one before: cheap, and only good for deciding what to decode next.

    Args:
        mask: bool (rows, columns), cells to leave out; None for none.
    """

    def __init__(self, mask: NDArray[np.bool_] | None = None) -> None:
        self._mask = mask
        self._before: NDArray[np.int16] | None = None
        self._seen: array[float] = array("d")
        self._usual = 0.0

    def moves(self, grid: NDArray[np.uint8]) -> bool:
        """Compare a picture with the one before; light that changes for the whole picture, and usual noise, is no movement."""
        now = grid[:, ::2].astype(np.int16)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return False
        apart = now - before
        some = sorted(apart[::9, ::7].ravel().tolist())
        apart -= some[len(some) // 2]  # light
        if self._mask is not None and self._mask.shape == grid.shape:
            apart[self._mask[:, ::2]] = 0
        share = (np.count_nonzero(apart > _PULSE_LEVEL) + np.count_nonzero(apart < -_PULSE_LEVEL)) / apart.size
        self._seen.append(share)
        if len(self._seen) % 8 == 0:
            self._usual = sorted(self._seen[-_PULSES:])[3 * len(self._seen[-_PULSES:]) // 10]
        return bool(share > CHANGE_MIN + min(CHANGE_MIN, 2.0 * self._usual))


def events_of(
    times: NDArray[np.float64], change: NDArray[np.float32], activity: NDArray[np.float32], interval: float
) -> list[tuple[float, float]]:
    """Find when pictures change, and drop what is not seen against the background as well: light, noise."""
    found: list[list[float]] = []  # first and last picture that differ clearly, last that differs a little
    most: list[tuple[float, float]] = []
    # what moves all the time a little, noise, does not hold an event open
    floor = min(CHANGE_MIN, 2.0 * float(np.quantile(change, 0.3))) if len(change) else 0.0
    clearly = _EDGE * CHANGE_MIN + floor
    for at in np.flatnonzero(change > CHANGE_MIN / 2 + floor):
        moment, moved, seen = float(times[at]), float(change[at]), float(activity[at])
        if found and moment - found[-1][2] <= _JOIN_SECONDS + interval:
            found[-1][2] = moment
            most[-1] = (max(most[-1][0], moved), max(most[-1][1], seen))
        else:
            found.append([np.inf, -np.inf, moment])
            most.append((moved, seen))
        if moved > clearly:
            found[-1][:2] = min(found[-1][0], moment), moment
    return [
        (start, last + interval)
        for (start, last, _), (moved, seen) in zip(found, most, strict=True)
        if moved > clearly and seen > ACTIVITY_MIN and last + interval - start >= _MIN_SECONDS
    ]


def join_spans(spans: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Join spans that overlap or lie at most `gap` seconds apart."""
    joined: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined
