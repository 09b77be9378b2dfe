"""Arithmetic on blocks of grids: whole blocks at a time, in bytes, so that numpy's overhead is paid once a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from reelwise.video.signals import Grids

__all__ = ["Cells", "Mask", "any_frame", "boxes_of", "distance", "mean", "mean_where_not", "neighbourhood", "supported"]

Cells = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SUPPORT = 4  # active cells among 3x3, itself included
_TOGETHER = 8  # frames a step: they and their sums stay in the processor's second cache
_MEAN_OF = 6  # frames that are enough for an average over a block


def supported(raw: Mask) -> Cells:
    """Clear the cells whose neighbours do not agree, in place.

    Args:
        raw: (n, rows, columns), contiguous.

    Returns:
        float32 (n,): the share of cells left in each frame.
    """
    cells = raw[0].size
    columns = raw.shape[2]
    flat = raw.reshape(len(raw), cells)
    share = np.zeros(len(raw), np.float32)
    busy = []
    for index, frame in enumerate(flat):
        count = np.count_nonzero(frame)
        if count >= _SUPPORT:
            busy.append(index)
        elif count:
            frame[:] = False
    for at in range(0, len(busy), _TOGETHER):
        some = busy[at : at + _TOGETHER]
        picked = flat[some]
        kept = _neighbours(picked.view(np.uint8), columns) >= _SUPPORT
        kept &= picked
        for index, frame in zip(some, kept, strict=True):
            count = np.count_nonzero(frame)
            flat[index] = frame
            share[index] = count / cells
    return share


def _neighbours(flat: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Count each cell's 3x3, itself included, in (n, cells).

    The end of a row neighbours the start of the next: a third of the time, and harmless.
    """
    row = flat.copy()
    row[:, 1:] += flat[:, :-1]
    row[:, :-1] += flat[:, 1:]
    both = row.copy()
    both[:, columns:] += row[:, :-columns]
    both[:, :-columns] += row[:, columns:]
    return both


def boxes_of(active: Mask, share: Cells) -> NDArray[np.float32]:
    """Return float32 (n, 4): left, top, right, bottom of the active cells, zeros where there are none."""
    boxes = np.zeros((len(active), 4), np.float32)
    busy = np.flatnonzero(share)
    if not len(busy):
        return boxes
    picked = active if len(busy) == len(active) else active[busy]
    rows, columns = picked.shape[1:]
    for side, (held, length) in enumerate(
        ((np.logical_or.reduce(picked, axis=1), columns), (np.logical_or.reduce(picked, axis=2), rows))
    ):
        boxes[busy, side] = held.argmax(axis=1)
        boxes[busy, side + 2] = length - held[:, ::-1].argmax(axis=1)
    return boxes


def any_frame(masks: Mask) -> Mask:
    """Return the cells that are set in any of the frames."""
    found: Mask = np.logical_or.reduce(masks, axis=0)
    return found


def mean(grids: Grids) -> Cells:
    """Average a block over a few of its frames, evenly picked."""
    few = grids[_few(len(grids))]
    total = np.zeros(grids.shape[1:], np.uint16)
    for grid in few:
        total += grid
    return np.multiply(total, np.float32(1 / len(few)), dtype=np.float32)


def mean_where_not(grids: Grids, masks: Mask) -> tuple[Cells, Cells]:
    """Average a block over those of a few frames in which a cell is not set.

    Returns:
        The average, 0 where there is none, and the share 0..1 of frames that went into it.
    """
    few = _few(len(grids))
    total = np.zeros(grids.shape[1:], np.uint16)
    count = np.zeros(grids.shape[1:], np.uint8)
    clear = np.logical_not(masks[few]).view(np.uint8)
    for grid, one in zip(grids[few], clear, strict=True):
        total += grid * one
        count += one
    average = np.divide(total, np.maximum(count, 1), dtype=np.float32)
    return average, np.multiply(count, np.float32(1 / len(clear)), dtype=np.float32)


def _few(count: int) -> slice:
    step = max(1, count // _MEAN_OF)
    return slice(step // 2, None, step)


def distance(a: Grids, b: Grids) -> Grids:
    """Return the absolute difference, in bytes."""
    high: Grids = np.maximum(a, b)
    high -= np.minimum(a, b)
    return high


def neighbourhood(cells: Cells) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the smallest and the largest value among each cell's 3x3, in whole levels."""
    whole = np.minimum(np.maximum(cells + np.float32(0.5), 0), 255).astype(np.uint8)
    found = []
    for choose in (np.minimum, np.maximum):
        row = whole.copy()
        choose(row[:, 1:], whole[:, :-1], out=row[:, 1:])
        choose(row[:, :-1], whole[:, 1:], out=row[:, :-1])
        both = row.copy()
        choose(both[1:], row[:-1], out=both[1:])
        choose(both[:-1], row[1:], out=both[:-1])
        found.append(both)
    return found[0], found[1]
