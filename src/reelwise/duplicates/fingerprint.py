"""Fingerprints of a clip from its small luma plane: two 24 x 24 pictures a second, black bars cut off.

What is stored is the picture, not a hash of it: hashes for looking up and all that is compared are linear maps of it. A
crop is then a window, a bar is a window, and what moves is the difference of two pictures.
"""

from __future__ import annotations

import hashlib

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.duplicates.windows import resampled, weights
from reelwise.errors import InputError

__all__ = ["RATE", "SIDE", "STORED", "Builder", "Fingerprint", "paired", "picture_of", "reduced"]

SIDE = 24
"""Cells of a side of the stored picture, whatever the clip's aspect: a resize that changes it changes nothing."""
RATE = 8
"""Pictures a second that are taken of a clip; two of them are stored, the others find the phase of a question."""
STORED = 2
"""Stored pictures a second: the first is keyed, the one half a second later tells two passers-by at the same place apart."""
_COARSE = 48
_KEEP_MOST = RATE * 1200  # pictures in memory; a longer clip is thinned to half the rate, again and again
_SECONDS_MOST = 7 * 86_400
_SAME = 1e-3  # seconds that two times may differ by and be the same
_BLENDED = 0.25  # seconds between two frames between which pictures are blended
_BAR_MOST = 0.36  # of a side
_BAR_SPREAD = 9  # luma levels that a flat bar may vary by, in space and time, compression included
_BAR_LEVEL = 40  # bars are dark

Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Fingerprint(Struct, frozen=True, kw_only=True, eq=False):
    """One clip's fingerprint.

    Attributes:
        pictures: uint8 (n, 24, 24), luma, `rate` of them a second from the first frame on, bars cut off.
        rate: pictures a second: 8, less for clips of more than twenty minutes, at least 2.
        seconds: length of the clip.
        box: what the bars leave: left, top, right, bottom as fractions.
    """

    pictures: NDArray[np.uint8]
    rate: int
    seconds: float
    box: Box = WHOLE

    def each_second(self) -> NDArray[np.uint8]:
        """Return what is stored: uint8 (seconds, 2, 24, 24), two pictures a second; the last may be there twice."""
        return paired(self.pictures, self.rate, 0, -(-len(self.pictures) // self.rate))

    def content_hash(self) -> str:
        """Hash what is stored: 32 hex digits, the same for the same pictures."""
        return hashlib.sha256(self.each_second().tobytes()).hexdigest()[:32]


def paired(pictures: NDArray[np.uint8], rate: int, first: int, seconds: int) -> NDArray[np.uint8]:
    """Return two pictures for each second from one on, the last one for those after it, the first for those before.

    Args:
        pictures: uint8 (n, 24, 24).
        rate: pictures a second.
        first: which is the first; may be negative.
        seconds: how many.

    Returns:
        uint8 (seconds, 2, 24, 24).
    """
    index = first + np.arange(seconds)[:, None] * rate + np.arange(STORED) * (rate // STORED)
    taken: NDArray[np.uint8] = pictures[np.clip(index, 0, len(pictures) - 1)]
    return taken


def reduced(grids: NDArray[np.uint8], out: int = _COARSE) -> NDArray[np.uint8]:
    """Average luma grids to out x out cells: uint8 (n, rows, columns) to uint8 (n, out, out)."""
    count, rows, columns = grids.shape
    across, down = weights(out, columns, 0.0, 1.0), weights(out, rows, 0.0, 1.0)
    small = np.empty((count, out, out), np.uint8)
    for start in range(0, count, 32):  # stays in the cache
        part = grids[start : start + 32].astype(np.float32)
        flat = part.reshape(-1, columns) @ across.T
        mean = np.matmul(down, flat.reshape(len(part), rows, out))
        mean += 0.5
        small[start : start + 32] = mean
    return small


def picture_of(coarse: NDArray[np.uint8], box: Box = WHOLE) -> NDArray[np.uint8]:
    """Turn coarse pictures into stored ones: uint8 (n, 48, 48) to uint8 (n, 24, 24), the box cut out."""
    if box == WHOLE:
        quad = coarse.reshape(len(coarse), SIDE, 2, SIDE, 2).astype(np.uint16)
        return (
            (quad[:, :, 0, :, 0] + quad[:, :, 0, :, 1] + quad[:, :, 1, :, 0] + quad[:, :, 1, :, 1] + 2) >> 2
        ).astype(np.uint8)
    return (resampled(coarse, SIDE, box) + 0.5).astype(np.uint8)


class Builder:
    """Takes a clip's luma grids in order and makes its fingerprint; memory is bounded whatever the clip's length."""

    def __init__(self) -> None:
        self._coarse: list[NDArray[np.uint8]] = []
        self._waiting: list[NDArray[np.uint8]] = []
        self._rate = RATE
        self._next = 0
        self._count = 0
        self._darkest: NDArray[np.uint8] | None = None
        self._brightest: NDArray[np.uint8] | None = None
        self._last: tuple[float, NDArray[np.uint8]] | None = None
        self._heard = 0.0

    @property
    def taken(self) -> int:
        """Count the pictures taken so far."""
        return self._count + len(self._waiting)

    def wants(self, seconds: float) -> bool:
        """Say whether a frame at this time is needed: the last before the next eighth of a second, or one on or past it."""
        step = max(0.0, seconds - self._heard)
        self._heard = seconds
        return seconds + min(step, _BLENDED) + _SAME >= self._next / self._rate

    def add(self, seconds: float, grid: NDArray[np.uint8]) -> None:
        """Take one frame that is wanted. Between two frames at most a quarter of a second apart pictures are blended in time.

        Args:
            seconds: from the first frame, ascending.
            grid: uint8 (rows, columns), as displayed, of equal shape throughout.

        Raises:
            InputError: more than a week of video.
        """
        if seconds > _SECONDS_MOST:
            raise InputError("is longer than a week", hint="cut it into days")
        while self._next / self._rate <= seconds + _SAME:
            if self._last is None or self._next / self._rate >= seconds - _SAME:
                self._take(grid)
                continue
            before, last = self._last
            wide = seconds - before
            if wide > _BLENDED:
                self._take(last)  # a gap in the frames: what was on screen stays there
                continue
            part = round(256 * (self._next / self._rate - before) / wide)
            mixed = last.astype(np.uint16) * np.uint16(256 - part) + grid * np.uint16(part) + np.uint16(128)
            self._take((mixed >> 8).astype(np.uint8))
        self._last = seconds, grid

    def _take(self, grid: NDArray[np.uint8]) -> None:
        self._waiting.append(grid)
        self._next += 1
        if len(self._waiting) >= 32:
            self._reduce()

    def _reduce(self) -> None:
        if not self._waiting:
            return
        block = np.stack(self._waiting)
        self._waiting.clear()
        dark, bright = block.min(axis=0), block.max(axis=0)
        self._darkest = dark if self._darkest is None else np.minimum(self._darkest, dark)
        self._brightest = bright if self._brightest is None else np.maximum(self._brightest, bright)
        self._coarse.append(reduced(block))
        self._count += len(block)
        if self._count > _KEEP_MOST and self._rate > STORED:
            kept = np.concatenate(self._coarse)[::2]
            self._coarse, self._count = [kept], len(kept)
            self._rate //= 2
            self._next = len(kept)

    def done(self, seconds: float = 0.0) -> Fingerprint:
        """Finish: find the bars, cut them off, and return the fingerprint.

        Args:
            seconds: length of the clip; default, the time of the last picture.

        Raises:
            InputError: no frame was added.
        """
        self._reduce()
        if self._darkest is None or self._brightest is None:
            raise InputError("a fingerprint needs a frame", hint="the clip may be cut off")
        box = bars(self._darkest, self._brightest)
        pictures = picture_of(np.concatenate(self._coarse), box)
        return Fingerprint(
            pictures=pictures, rate=self._rate, seconds=max(seconds, (len(pictures) - 1) / self._rate), box=box
        )


def bars(darkest: NDArray[np.uint8], brightest: NDArray[np.uint8]) -> Box:
    """Find flat dark bars at the edges.

    Args:
        darkest: uint8 (rows, columns), each cell's least luma over the clip.
        brightest: the same of the greatest.

    Returns:
        What they leave, as fractions; the whole picture where a side would lose more than 36 %.
    """
    low, high = darkest.astype(np.int16), brightest.astype(np.int16)
    flat = (high - low <= _BAR_SPREAD) & (high <= _BAR_LEVEL)
    top, bottom = _edges(flat, low, high, axis=1)
    inner = slice(top, low.shape[0] - bottom)
    left, right = _edges(flat[inner], low[inner], high[inner], axis=0)
    rows, columns = low.shape
    return (left / columns, top / rows, 1 - right / columns, 1 - bottom / rows)


def _edges(flat: NDArray[np.bool_], low: NDArray[np.int16], high: NDArray[np.int16], *, axis: int) -> tuple[int, int]:
    """Count the lines that are bar from either end; one more line at a bar's edge, where half of it may be picture."""
    level = np.median(low, axis=axis)
    even = (
        (high.max(axis=axis) - low.min(axis=axis) <= 2 * _BAR_SPREAD)
        & (flat.mean(axis=axis) > 0.98)
        & (level <= _BAR_LEVEL)
    )
    count = len(even)
    first = count if even.all() else int(np.argmin(even))
    last = 0 if even.all() else int(np.argmin(even[::-1]))
    if max(first, last) > _BAR_MOST * count:
        return 0, 0
    return first + (first > 0), last + (last > 0)
