"""The motion signal: what changed since the previous frame, and what differs from a slowly learned background.

Cells are single luma samples about 160 to the long side. A cell is active where it leaves the range that the background
shows in its 3x3 neighbourhood (so trembling texture is none) by more than its own learned noise, and where neighbours
agree. Light that changes for the whole picture is fitted and taken out. Light that changes unevenly is fitted tile by tile and
believed only where it explains nearly all of what seems active: an object leaves edges, a cloud does not. What has stood still for some seconds becomes background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from reelwise.video.signals import Grids, Times

__all__ = ["Motion"]

_CHUNK = 32
_LEVEL_MIN = 10.0
_LEVEL_MAX = 40.0
_SUPPORT = 4  # active cells among 3x3, itself included
_WORTH = 0.001  # share of active cells worth asking whether they are light
_EXPLAINED = (
    0.35  # light explains a frame where it leaves less than this of its active cells; of an object it leaves more
)
_TILE = 16
_SPARSE = slice(None, None, 6)  # light is fitted on one cell in 36
_RELIT_EVERY = 4  # frames for which one fit of the tiles is good

Cells = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Motion:
    """Measures change, activity and the box of the active cells.

    Args:
        seconds_learn: time constant of the background.
        seconds_absorb: how long a thing stands still until it is background.
    """

    name = "motion"
    columns = ("change", "activity", "left", "top", "right", "bottom")

    def __init__(self, *, seconds_learn: float = 20.0, seconds_absorb: float = 2.0) -> None:
        self._learn = seconds_learn
        self._absorb = seconds_absorb
        self._background: Cells | None = None
        self._noise: Cells = np.zeros((0, 0), np.float32)
        self._still: Cells = np.zeros((0, 0), np.float32)
        self._previous: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._time = 0.0
        self._lit: Cells | None = None
        self._tone: Cells = np.zeros(2, np.float32)

    def measure(self, grids: Grids, times: Times) -> NDArray[np.float32]:
        """Measure consecutive frames; the first call also learns the first background from its frames.

        Returns:
            float32 (n, 6): change and activity as shares, then the box in cells.
        """
        if self._background is None:
            self._start(grids, times)
        parts = [self._chunk(grids[at : at + _CHUNK], times[at : at + _CHUNK]) for at in range(0, len(grids), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.columns)), np.float32)

    def _start(self, grids: Grids, times: Times) -> None:
        picks = np.unique(np.linspace(0, len(grids) - 1, min(25, len(grids))).astype(int))
        self._background = np.median(grids[picks], axis=0).astype(np.float32)
        self._noise = np.zeros(grids.shape[1:], np.float32)
        if len(grids) > 2:
            pairs = np.unique(np.linspace(1, len(grids) - 1, min(25, len(grids) - 1)).astype(int))
            self._noise = np.median(_distance(grids[pairs], grids[pairs - 1]), axis=0).astype(np.float32)
        self._still = np.zeros(grids.shape[1:], np.float32)
        self._previous = grids[0].copy()
        self._time = float(times[0])

    def _chunk(self, grids: Grids, times: Times) -> NDArray[np.float32]:
        seconds = max(0.0, float(times[-1]) - self._time)
        before = np.concatenate((self._previous[None], grids[:-1]))
        distance = _distance(grids, before)
        changed, change = self._changed(grids, before, distance)
        active, activity = self._active(grids, changed)
        found = np.zeros((len(grids), len(self.columns)), np.float32)
        found[:, 0] = change
        found[:, 1] = activity
        found[:, 2:] = _boxes(active, activity)
        self._learn_noise(distance, changed, change, seconds)
        self._learn_background(grids, changed, active, activity, seconds)
        self._previous = grids[-1].copy()
        self._time = float(times[-1])
        return found

    def _changed(self, grids: Grids, before: Grids, distance: Grids) -> tuple[Mask, Cells]:
        limit = np.clip(self._noise * 5.6, _LEVEL_MIN, _LEVEL_MAX).astype(np.uint8)
        raw = distance > limit
        step = grids[:, _SPARSE, _SPARSE].astype(np.int16) - before[:, _SPARSE, _SPARSE]
        shift = np.median(step.reshape(len(grids), -1), axis=1)
        for index in np.flatnonzero(np.abs(shift) >= 2):  # the light changed from one frame to the next
            moved = grids[index].astype(np.int16) - before[index] - np.int16(shift[index])
            raw[index] = np.abs(moved) > limit
        return _supported(raw)

    def _active(self, grids: Grids, changed: Mask) -> tuple[Mask, Cells]:
        background = self._background
        assert background is not None  # noqa: S101 - `measure` starts before it comes here
        level = np.clip(self._noise * 4.0, _LEVEL_MIN, _LEVEL_MAX)
        low, high = _neighbourhood(background)
        low -= level
        high += level
        light = _light(grids, background)
        raw = np.empty(grids.shape, np.bool_)
        # whole levels: frames under the same light are compared with the same bounds
        steps, kind = np.unique(
            np.where(np.abs(light).max(axis=1, keepdims=True) < 1.5, 0, light.round()), axis=0, return_inverse=True
        )
        for number, (offset, gain) in enumerate(steps):
            lit = np.float32(offset) + np.float32(gain) * (background - 128.0) / 128.0
            here = kind.reshape(-1) == number
            picked = grids if len(steps) == 1 else grids[here]
            raw[here] = (picked > _as_uint8(high + lit)) | (picked < _as_uint8(low + lit))
        self._tone = light[-1]
        active, share = _supported(raw)
        self._lit = None
        worst = int(np.argmax(share))
        if share[worst] > _WORTH:
            explained = self._relit(grids, worst, low, high)[1][0] < _EXPLAINED * share[worst]
        else:
            explained = False
        if not explained:
            self._lit = None
        else:
            # what is left after light explained a frame is an object only if it moves: shadows come and go gently
            moving = np.logical_or.reduce(changed, axis=0)
            fitted = -_RELIT_EVERY
            for index in np.flatnonzero(share > _WORTH).tolist():
                fresh = index - fitted >= _RELIT_EVERY
                fitted = index if fresh else fitted
                once, _ = self._relit(grids, index, low, high, fresh=fresh)
                active[index], share[index] = _only(once[0], moving)
        return active, share

    def _relit(self, grids: Grids, index: int, low: Cells, high: Cells, *, fresh: bool = True) -> tuple[Mask, Cells]:
        """Judge one frame again with its light fitted tile by tile."""
        assert self._background is not None  # noqa: S101 - see `_active`
        if fresh or self._lit is None:
            self._lit = _light_of_tiles(grids[index], self._background)
        lit = self._lit
        raw = (grids[index] > _as_uint8(high + lit)) | (grids[index] < _as_uint8(low + lit))
        return _supported(raw[None])

    def _learn_noise(self, distance: Grids, changed: Mask, change: Cells, seconds: float) -> None:
        calm = np.flatnonzero(change < 0.3)  # a moving camera is not noise
        if len(calm) == 0:
            return
        picked = distance if len(calm) == len(distance) else distance[calm]
        typical = _mean(picked)
        if changed.any():
            # a passing object raises a cell's noise only slowly, permanent unrest (leaves, water) does
            typical = np.minimum(typical, 2.0 * self._noise + 1.0)
        self._noise += np.float32(1 - np.exp(-seconds / 15.0)) * (typical - self._noise)

    def _learn_background(self, grids: Grids, changed: Mask, active: Mask, activity: Cells, seconds: float) -> None:
        background = self._background
        assert background is not None  # noqa: S101 - see `_active`
        rate = np.float32(1 - np.exp(-seconds / self._learn))
        if self._lit is not None:
            # the light changed and stays changed: follow it now, and take what did not move with it
            resting = ~changed.any(axis=0)
            background[resting] = grids[-1][resting]
            background[~resting] += self._lit[~resting]
            self._still[:] = 0
            return
        if np.abs(self._tone).max() >= 0.5:
            # follow light that changes for the whole picture at once, so that it need not be fitted for long
            background += self._tone[0] + self._tone[1] * (background - 128.0) / 128.0
        if not activity.any():
            background += rate * (_mean(grids) - background)
            self._still[:] = 0
            return
        calm = ~active
        count = calm.sum(axis=0, dtype=np.uint8)
        total = np.add.reduce(grids * calm, axis=0, dtype=np.uint16)
        background += rate / len(grids) * (total - count * background)
        rested = ~changed.any(axis=0) & (count < len(grids) / 2)
        self._still = np.where(rested, self._still + np.float32(seconds), np.float32(0))
        absorbed = self._still >= self._absorb
        if absorbed.any():
            background[absorbed] = _mean(grids)[absorbed]
            self._still[absorbed] = 0


def _mean(grids: Grids) -> Cells:
    """Average at most 256 grids; sums of a few bytes fit 16 bits, which is twice as fast as 32."""
    return np.asarray(np.add.reduce(grids, axis=0, dtype=np.uint16) * np.float32(1 / len(grids)), np.float32)


def _distance(a: Grids, b: Grids) -> Grids:
    return np.maximum(a, b) - np.minimum(a, b)


def _as_uint8(cells: Cells) -> NDArray[np.uint8]:
    return np.clip(cells, 0, 255).astype(np.uint8)


def _neighbourhood(cells: Cells) -> tuple[Cells, Cells]:
    """Return the smallest and the largest value among each cell's 3x3."""
    low, high = cells.copy(), cells.copy()
    for into, choose in ((low, np.minimum), (high, np.maximum)):
        row = into.copy()
        choose(row[:, 1:], into[:, :-1], out=row[:, 1:])
        choose(row[:, :-1], into[:, 1:], out=row[:, :-1])
        into[:] = row
        choose(into[1:], row[:-1], out=into[1:])
        choose(into[:-1], row[1:], out=into[:-1])
    return low, high


def _supported(raw: Mask) -> tuple[Mask, Cells]:
    """Keep cells whose neighbours agree; return the mask (n, rows, columns) and each frame's share (n,)."""
    share = np.zeros(len(raw), np.float32)
    for index in range(len(raw)):
        frame = raw[index]
        count = np.count_nonzero(frame)
        if count < _SUPPORT:
            if count:
                frame[:] = False
            continue
        rows = np.flatnonzero(frame.any(axis=1))
        strip = frame[rows[0] : rows[-1] + 1]
        strip &= _neighbours(strip.view(np.uint8)) >= _SUPPORT
        share[index] = np.count_nonzero(strip) / frame.size
    return raw, share


def _neighbours(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Count each cell's 3x3, itself included.

    On the flat array, where the end of a row neighbours the start of the next: a third of the time, and harmless.
    """
    columns = cells.shape[1]
    flat = cells.reshape(-1)
    row = flat.copy()
    row[1:] += flat[:-1]
    row[:-1] += flat[1:]
    both = row.copy()
    both[columns:] += row[:-columns]
    both[:-columns] += row[columns:]
    return both.reshape(cells.shape)


def _only(active: Mask, where: Mask) -> tuple[Mask, float]:
    kept = active & where
    return kept, np.count_nonzero(kept) / kept.size


def _boxes(active: Mask, share: Cells) -> NDArray[np.float32]:
    boxes = np.zeros((len(active), 4), np.float32)
    for index in np.flatnonzero(share):
        columns = np.flatnonzero(active[index].any(axis=0))
        rows = np.flatnonzero(active[index].any(axis=1))
        boxes[index] = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return boxes


def _light(grids: Grids, background: Cells) -> Cells:
    """Fit each frame's light against the background on some of the cells.

    Returns:
        float32 (n, 2): offset in levels at mid-grey, and what a gain adds 128 levels above it.
    """
    base = background[_SPARSE, _SPARSE].reshape(-1)
    difference = grids[:, _SPARSE, _SPARSE].reshape(len(grids), -1).astype(np.float32) - base
    offset, gain, middle = _robust_line(difference, np.broadcast_to(base, difference.shape))
    return np.stack((offset + gain * (128.0 - middle), gain * 128.0), axis=1)


def _light_of_tiles(grid: NDArray[np.uint8], background: Cells) -> Cells:
    """Fit light tile by tile: clouds, lamps and exposure act on parts of a picture and on its tones unevenly."""
    rows, columns = grid.shape
    down, across = max(1, rows // _TILE), max(1, columns // _TILE)
    high, wide = rows // down, columns // across
    # whole tiles, on a quarter of the cells; what is left over at the edges takes its neighbour's light
    inner = (slice(0, down * high), slice(0, across * wide))
    base = _tiles(background[inner], high, wide)
    offset, gain, middle = _robust_line(_tiles(grid[inner].astype(np.float32), high, wide) - base, base)
    at = np.minimum(np.arange(rows) // high, down - 1)[:, None] * across
    index = at + np.minimum(np.arange(columns) // wide, across - 1)[None]
    lit: Cells = (offset - gain * middle)[index] + gain[index] * background
    return lit


def _tiles(cells: Cells, high: int, wide: int) -> Cells:
    rows, columns = cells.shape
    cut = cells.reshape(rows // high, high, columns // wide, wide)[:, ::2, :, ::2].swapaxes(1, 2)
    return cut.reshape((rows // high) * (columns // wide), -1)


def _robust_line(difference: Cells, base: Cells) -> tuple[Cells, Cells, Cells]:
    """Fit difference = offset + gain * (base - middle) for each row of (n, cells), leaving outliers out."""
    residual = difference - np.median(difference, axis=1, keepdims=True)
    offset = gain = middle = np.zeros((len(difference), 1), np.float32)
    for width in (16.0, 12.0):
        weight = (np.abs(residual) < width).astype(np.float32)
        count = weight.sum(axis=1, keepdims=True) + np.float32(1e-6)
        middle = (weight * base).sum(axis=1, keepdims=True) / count
        offset = (weight * difference).sum(axis=1, keepdims=True) / count
        spread = weight * (base - middle)
        # 25 levels squared a cell keep a flat tile from inventing a gain
        gain = (spread * (difference - offset)).sum(axis=1, keepdims=True)
        gain = gain / ((spread * (base - middle)).sum(axis=1, keepdims=True) + count * 25)
        gain = np.clip(gain, -0.6, 1.0)
        residual = difference - offset - gain * (base - middle)
    return offset[:, 0], gain[:, 0], middle[:, 0]
