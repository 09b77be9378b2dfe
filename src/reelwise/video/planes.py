"""From a decoded frame to a small luma grid: every n-th sample of the luma plane, no scaling library in between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

__all__ = ["LONG_SIDE_CELLS", "Sampler", "shape_of"]

LONG_SIDE_CELLS = 160

_EIGHT = re.compile(r"^(yuva?j?4\d\dp|gray|nv\d\d)$")
_DEEP = re.compile(r"^(?:yuva?4\d\dp|gray)(9|10|12|14|16)le$")
_HIGH = re.compile(r"^p[024]1[026]le$")  # the value sits in the high bits


def shape_of(width: int, height: int) -> tuple[int, int, int]:
    """Return rows and columns of the grid for a picture, and the stride between samples."""
    stride = max(1, -(-max(width, height) // LONG_SIDE_CELLS))
    return -(-height // stride), -(-width // stride), stride


class Sampler:
    """Samples frames of one clip; the grid keeps its first shape where the size changes in mid-stream."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._format = ""
        self._shape = (0, 0)
        self._stride = 1
        self._index: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self._shift = 0

    def sample(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return a uint8 (rows, columns) grid that shares no memory with the frame."""
        size = (frame.width, frame.height)
        if size != self._size or frame.format.name != self._format:
            self._plan(frame)
        if self._shift < 0:
            return self._reformatted(frame)
        plane = frame.planes[0]
        line = plane.line_size
        if line <= 0:
            return self._reformatted(frame)
        height, width = size[1], size[0]
        cells: NDArray[Any]
        if self._shift == 0:
            cells = np.frombuffer(memoryview(plane), np.uint8, height * line).reshape(height, line)[:, :width]
        else:
            cells = np.frombuffer(memoryview(plane), np.uint16, height * line // 2).reshape(height, line // 2)[
                :, :width
            ]
        small: NDArray[Any] = (
            cells[:: self._stride, :: self._stride] if self._index is None else cells[np.ix_(*self._index)]
        )
        if self._shift:
            small = small >> self._shift
        # a copy, so that the frame's buffer goes back to the decoder
        return np.array(small, np.uint8)

    def _plan(self, frame: VideoFrame) -> None:
        self._size = (frame.width, frame.height)
        self._format = frame.format.name
        rows, columns, stride = shape_of(*self._size)
        if self._shape == (0, 0):
            self._shape = (rows, columns)
        self._stride = stride
        self._index = None
        if (rows, columns) != self._shape:
            self._index = tuple(
                ((np.arange(n) + 0.5) * side / n).astype(np.intp)
                for n, side in zip(self._shape, (frame.height, frame.width), strict=True)
            )  # type: ignore[assignment]
        deep = _DEEP.match(self._format)
        if _EIGHT.match(self._format):
            self._shift = 0
        elif deep:
            self._shift = int(deep[1]) - 8
        else:
            self._shift = 8 if _HIGH.match(self._format) else -1

    def _reformatted(self, frame: VideoFrame) -> NDArray[np.uint8]:
        rows, columns = self._shape
        small = frame.reformat(width=columns, height=rows, format="gray", interpolation="FAST_BILINEAR")
        return np.asarray(small.to_ndarray(), np.uint8)
