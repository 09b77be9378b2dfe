"""The motion signal: what changed since the frame before, and what differs from a slowly learned background.

Cells are single luma samples about 160 to the long side. A cell is active where it leaves the range that the background
shows in its 3x3 neighbourhood (so trembling texture is none) by more than its own learned noise, and where neighbours
agree. Light that changes for the whole picture is fitted and taken out. Light that changes unevenly is fitted tile by tile and
believed only where it explains nearly all of what seems active: an object leaves edges, a cloud does not. What has stood still for some seconds becomes background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelwise.video.cells import any_frame, boxes_of, distance, mean, mean_where_not, neighbourhood, supported
from reelwise.video.light import SPARSE, light_of_frames, light_of_tiles, shifts

if TYPE_CHECKING:
    from reelwise.video.cells import Cells, Mask
    from reelwise.video.signals import Grids, Times

__all__ = ["Motion"]

_CHUNK = 32
_LEVEL_MIN = 10.0
_LEVEL_MAX = 40.0
_WORTH = 0.001  # share of active cells worth asking whether they are light
_EXPLAINED = (
    0.35  # light explains a frame where it leaves less than this of its active cells; of an object it leaves more
)
_SAME_LIGHT = 1.5  # levels
_RELIT_EVERY = 4  # frames for which one fit of the tiles is good

Bytes = NDArray[np.uint8]


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
        self._previous: Bytes = np.zeros((0, 0), np.uint8)
        self._time = 0.0
        self._lit: Cells | None = None
        self._steady = True  # the last block's light was the background's
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
            self._noise = np.median(distance(grids[pairs], grids[pairs - 1]), axis=0).astype(np.float32)
        self._still = np.zeros(grids.shape[1:], np.float32)
        self._previous = grids[0].copy()
        self._time = float(times[0])

    def _chunk(self, grids: Grids, times: Times) -> NDArray[np.float32]:
        count = len(grids)
        seconds = max(0.0, float(times[-1]) - self._time)
        apart = np.empty_like(grids)
        apart[0] = distance(grids[0], self._previous)
        np.subtract(np.maximum(grids[1:], grids[:-1]), np.minimum(grids[1:], grids[:-1]), out=apart[1:])
        sparse = np.empty((count + 1, *grids[0, SPARSE, SPARSE].shape), np.int16)
        sparse[0] = self._previous[SPARSE, SPARSE]
        sparse[1:] = grids[:, SPARSE, SPARSE]
        sparse = sparse.reshape(count + 1, -1)
        raw = np.empty((2 * count, *grids.shape[1:]), np.bool_)
        shift = self._see_change(grids, apart, sparse, raw[:count])
        bounds = self._see_activity(grids, sparse[1:], shift, raw[count:])
        share = supported(raw)
        changed, active = raw[:count], raw[count:]
        activity = share[count:]
        moving = any_frame(changed)
        self._take_light_out(grids, active, activity, moving, bounds)
        found = np.empty((count, len(self.columns)), np.float32)
        found[:, 0] = share[:count]
        found[:, 1] = activity
        found[:, 2:] = boxes_of(active, activity)
        self._learn_noise(apart, share[:count], seconds)
        self._learn_background(grids, moving, active, activity, seconds)
        self._previous = grids[-1].copy()
        self._time = float(times[-1])
        return found

    def _see_change(self, grids: Grids, apart: Grids, sparse: NDArray[np.int16], raw: Mask) -> Cells:
        """Mark the cells that differ from the frame before; return by how much the light moved."""
        limit = self._level(5.6)
        np.greater(apart, limit, out=raw)
        shift = shifts(sparse)
        for index in np.flatnonzero(shift).tolist():  # the light changed from one frame to the next
            before = grids[index - 1] if index else self._previous
            moved = grids[index].astype(np.int16) - before - np.int16(shift[index])
            raw[index] = np.abs(moved) > limit
        return shift

    def _see_activity(self, grids: Grids, sparse: NDArray[np.int16], shift: Cells, raw: Mask) -> tuple[Bytes, Bytes]:
        """Mark the cells that leave the background's range; return that range under the background's own light."""
        background = self._background
        assert background is not None  # noqa: S101 - `measure` starts before it comes here
        low, high = neighbourhood(background)
        level = self._level(4.0)
        low = np.maximum(low, level) - level
        high = np.minimum(high, 255 - level) + level
        light = self._light(sparse, shift)
        # whole levels: frames under the same light are compared with the same bounds
        same: dict[tuple[float, float], list[int]] = {}
        for index, (offset, gain) in enumerate(light.round().tolist()):
            same.setdefault((offset, gain), []).append(index)
        for (offset, gain), frames in same.items():
            lit = background * np.float32(gain / 128) + np.float32(offset - gain) if offset or gain else None
            below, above = _moved(low, lit), _moved(high, lit)
            above -= below
            if len(frames) == len(grids):
                np.greater(grids - below, above, out=raw)
                continue
            for index in frames:
                np.greater(grids[index] - below, above, out=raw[index])
        return low, high

    def _level(self, factor: float) -> Bytes:
        """Return how far each cell must leave what is expected of it."""
        level = self._noise * np.float32(factor)
        np.maximum(level, _LEVEL_MIN, out=level)
        np.minimum(level, _LEVEL_MAX, out=level)
        return level.astype(np.uint8)

    def _light(self, sparse: NDArray[np.int16], shift: Cells) -> Cells:
        """Return each frame's light, zeros where it is the background's; all frames are fitted only where some differ."""
        background = self._background
        assert background is not None  # noqa: S101 - see `_see_activity`
        if self._steady and not shift.any():
            light = light_of_frames(sparse[sorted({0, len(sparse) // 2, len(sparse) - 1})], background)
            if np.abs(light).max() < _SAME_LIGHT:
                self._tone = light[-1]
                return np.zeros((len(sparse), 2), np.float32)
        light = light_of_frames(sparse, background)
        self._tone = light[-1].copy()
        light[np.abs(light).max(axis=1) < _SAME_LIGHT] = 0
        self._steady = not light.any()
        return light

    def _take_light_out(
        self, grids: Grids, active: Mask, share: Cells, moving: Mask, bounds: tuple[Bytes, Bytes]
    ) -> None:
        """Judge frames again, in place, where light that differs from tile to tile explains the most active one."""
        self._lit = None
        worst = int(np.argmax(share))
        if share[worst] <= _WORTH:
            return
        if self._relit(grids, [worst], bounds)[1][0] >= _EXPLAINED * share[worst]:
            self._lit = None
            return
        # what is left after light explained a frame is an object only if it moves: shadows come and go gently
        some: list[int] = []
        for index in [*np.flatnonzero(share > _WORTH).tolist(), len(grids) + _RELIT_EVERY]:
            if some and index - some[0] >= _RELIT_EVERY:
                kept, _ = self._relit(grids, some, bounds)
                kept &= moving
                active[some] = kept
                share[some] = [np.count_nonzero(frame) / moving.size for frame in kept]
                some = []
            some.append(index)

    def _relit(self, grids: Grids, frames: list[int], bounds: tuple[Bytes, Bytes]) -> tuple[Mask, Cells]:
        """Judge frames again with the first one's light, fitted tile by tile."""
        assert self._background is not None  # noqa: S101 - see `_see_activity`
        self._lit = light_of_tiles(grids[frames[0]], self._background)
        below, above = (_moved(bound, self._lit) for bound in bounds)
        above -= below
        raw = np.empty((len(frames), *grids.shape[1:]), np.bool_)
        for index, one in zip(frames, raw, strict=True):
            np.greater(grids[index] - below, above, out=one)
        return raw, supported(raw)

    def _learn_noise(self, apart: Grids, change: Cells, seconds: float) -> None:
        calm = np.flatnonzero(change < 0.3)  # a moving camera is not noise
        if len(calm) == 0:
            return
        typical = mean(apart if len(calm) == len(apart) else apart[calm])
        if change.any():
            # a passing object raises a cell's noise only slowly, permanent unrest (leaves, water) does
            np.minimum(typical, 2.0 * self._noise + 1.0, out=typical)
        typical -= self._noise
        typical *= np.float32(1 - np.exp(-seconds / 15.0))
        self._noise += typical

    def _learn_background(self, grids: Grids, moving: Mask, active: Mask, activity: Cells, seconds: float) -> None:
        background = self._background
        assert background is not None  # noqa: S101 - see `_see_activity`
        rate = np.float32(1 - np.exp(-seconds / self._learn))
        if self._lit is not None:
            # the light changed and stays changed: follow it now, and take what did not move with it
            background[:] = np.where(moving, background + self._lit, grids[-1])
            self._still[:] = 0
            return
        if np.abs(self._tone).max() >= 0.5:
            # follow light that changes for the whole picture at once, so that it need not be fitted for long
            background *= np.float32(1 + self._tone[1] / 128.0)
            background += np.float32(self._tone[0] - self._tone[1])
        if not activity.any():
            usual = mean(grids)
            usual -= background
            usual *= rate
            background += usual
            self._still[:] = 0
            return
        usual, calm = mean_where_not(grids, active)
        usual -= background
        usual *= rate * calm
        background += usual
        self._still += np.float32(seconds)
        self._still *= ~moving & (calm < 0.5)
        absorbed = self._still >= self._absorb
        if absorbed.any():
            background[absorbed] = mean(grids)[absorbed]
            self._still[absorbed] = 0


def _moved(bound: Bytes, lit: Cells | None) -> Bytes:
    """Move a bound with the light.

    One comparison then serves both bounds: what is below the lower one differs from it, in bytes, by more than the range.
    """
    if lit is None:
        return bound.copy()
    moved = lit.astype(np.int16)
    moved += bound
    np.maximum(moved, 0, out=moved)
    np.minimum(moved, 255, out=moved)
    return moved.astype(np.uint8)
