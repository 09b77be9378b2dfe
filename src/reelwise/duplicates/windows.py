"""Parts of small pictures on grids of another size: linear maps, so that a crop or a trimmed bar costs two small products."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pictures", "resampled", "weights"]

Pictures = NDArray[np.float32]


@lru_cache(maxsize=4096)
def weights(out: int, cells: int, low: float, high: float) -> Pictures:
    """Return the (out, cells) matrix that averages `cells` samples of 0..1 over `out` equal parts of low..high.

    A part narrower than a cell takes a whole cell's width around its middle, which interpolates.
    """
    width = max((high - low) / out, 1.0 / cells)
    middle = low + (np.arange(out) + 0.5) * (high - low) / out
    left, right = (middle - width / 2)[:, None] * cells, (middle + width / 2)[:, None] * cells
    edge = np.arange(cells)[None, :]
    share = np.clip(np.minimum(right, edge + 1) - np.maximum(left, edge), 0, None)
    matrix: Pictures = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def resampled(pictures: NDArray[np.generic], out: int, window: tuple[float, float, float, float]) -> Pictures:
    """Average a part of each picture over an out x out grid.

    Args:
        pictures: (n, rows, columns), any number type.
        out: cells of a side of the result.
        window: left, top, right, bottom as fractions of the picture.

    Returns:
        float32 (n, out, out).
    """
    count, rows, columns = pictures.shape
    left, top, right, bottom = (round(side, 4) for side in window)
    across = weights(out, columns, left, right)
    down = weights(out, rows, top, bottom)
    flat = np.ascontiguousarray(pictures, np.float32).reshape(count * rows, columns) @ across.T
    result: Pictures = np.matmul(down, flat.reshape(count, rows, out))
    return result
