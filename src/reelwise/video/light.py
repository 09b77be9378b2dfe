"""Fits of light: an offset and a gain between a background and a frame, for the whole picture or tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.cells import Cells

__all__ = ["SPARSE", "light_of_frames", "light_of_tiles", "shifts"]

SPARSE = slice(None, None, 6)  # light is fitted on one cell in 36
_TILE = 16


def shifts(sparse: NDArray[np.int16]) -> Cells:
    """Return by how many levels most cells move from each frame to the next; 0 below 2 levels.

    Args:
        sparse: (n + 1, cells), consecutive frames.

    Returns:
        float32 (n,).
    """
    steps = sparse[1:] - sparse[:-1]
    half = steps.shape[1] // 2
    found = np.zeros(len(steps), np.float32)
    more = np.add.reduce(steps >= 2, axis=1, dtype=np.int32) >= half
    less = np.add.reduce(steps <= -2, axis=1, dtype=np.int32) >= half
    for index in np.flatnonzero(more | less).tolist():  # only a change of light moves half the cells
        shift = np.median(steps[index])
        found[index] = shift if abs(shift) >= 2 else 0
    return found


def light_of_frames(sparse: NDArray[np.int16], background: Cells) -> Cells:
    """Fit each frame's light against the background on some of the cells.

    Returns:
        float32 (n, 2): offset in levels at mid-grey, and what a gain adds 128 levels above it.
    """
    base = background[SPARSE, SPARSE].reshape(-1)
    difference = sparse.astype(np.float32) - base
    offset, gain, middle = _robust_line(difference, np.broadcast_to(base, difference.shape))
    return np.stack((offset + gain * (128.0 - middle), gain * 128.0), axis=1)


def light_of_tiles(grid: NDArray[np.uint8], background: Cells) -> Cells:
    """Fit light tile by tile: clouds, lamps and exposure act on parts of a picture and on its tones unevenly."""
    rows, columns = grid.shape
    down, across = max(1, rows // _TILE), max(1, columns // _TILE)
    high, wide = rows // down, columns // across
    # whole tiles, on a quarter of the cells; what is left over at the edges takes its neighbour's light
    inner = (slice(0, down * high), slice(0, across * wide))
    base = _tiles(background[inner], high, wide)
    offset, gain, middle = _robust_line(_tiles(grid[inner].astype(np.float32), high, wide) - base, base)
    lit: Cells = _spread(gain, (down, across), (high, wide), background.shape) * background
    lit += _spread(offset - gain * middle, (down, across), (high, wide), background.shape)
    return lit


def _spread(values: Cells, tiles: tuple[int, int], tile: tuple[int, int], shape: tuple[int, ...]) -> Cells:
    """Give each cell its tile's value."""
    tall, long = (
        np.append(np.full(count - 1, side), whole - (count - 1) * side)
        for count, side, whole in zip(tiles, tile, shape, strict=True)
    )
    return values.reshape(tiles).repeat(long, axis=1).repeat(tall, axis=0)


def _tiles(cells: Cells, high: int, wide: int) -> Cells:
    rows, columns = cells.shape
    cut = cells.reshape(rows // high, high, columns // wide, wide)[:, ::2, :, ::2].swapaxes(1, 2)
    return cut.reshape((rows // high) * (columns // wide), -1)


def _robust_line(difference: Cells, base: Cells) -> tuple[Cells, Cells, Cells]:
    """Fit difference = offset + gain * (base - middle) for each row of (n, cells), leaving outliers out."""
    half = difference.shape[1] // 2
    residual = difference - np.partition(difference, half, axis=1)[:, half : half + 1]
    # about its mean, so that sums of squares keep their digits
    centre = base.mean(axis=1, keepdims=True)
    tone = base - centre
    offset = gain = middle = centre
    for width in (16.0, 12.0):
        if offset is not centre:
            residual = tone * -gain
            residual += difference
            residual += gain * (middle - centre) - offset
        weight = (np.abs(residual) < width).astype(np.float32)
        count = weight.sum(axis=1, keepdims=True) + np.float32(1e-6)
        held = weight * tone
        first = held.sum(axis=1, keepdims=True) / count
        offset = np.einsum("ij,ij->i", weight, difference)[:, None] / count
        # 25 levels squared a cell keep a flat tile from inventing a gain
        spread = np.einsum("ij,ij->i", held, tone)[:, None] + count * (25 - first * first)
        gain = (np.einsum("ij,ij->i", held, difference)[:, None] - count * first * offset) / spread
        gain = np.clip(gain, -0.6, 1.0)
        middle = centre + first
    return offset[:, 0], gain[:, 0], middle[:, 0]
