"""Near-duplicate frames: a picture that is as good as one that was just answered for."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.clips import Track

__all__ = ["FrameReuse", "leave_out_alike"]

T = TypeVar("T")
_SIDE = 24
_LONG_SIDE: Final = 160
_TOGETHER: Final = 32
_LUMA: Final = (0.299, 0.587, 0.114)  # BT.601


class FrameReuse(Generic[T]):
    """Keeps the answers for the last few frames and serves them for frames that look the same. One thread, one stream.

    A frame is compared with the frame that was ANSWERED, not with the one before: slow drift adds up and is seen.

    Args:
        most_different: mean difference of a cell of 24 x 24 at most, in steps of 255 (1.5 is noise of a camera), beside the worst cell
            at most eight times that: a small thing that appears counts.
        age_seconds: an answer is not served for longer.
        frames: answers that are kept.

    Raises:
        InputError: a limit that is not positive.
    """

    def __init__(self, *, most_different: float = 1.5, age_seconds: float = 10.0, frames: int = 16) -> None:
        if not (0 < most_different < 255 and age_seconds > 0 and frames > 0):
            raise InputError("a limit is not positive", where="frame reuse", hint="give more than 0")
        self.most_different, self.age_seconds, self.frames = most_different, age_seconds, frames
        self._kept: OrderedDict[int, tuple[float, NDArray[np.float32], T]] = OrderedDict()
        self._number = 0

    def find(self, seconds: float, luma: NDArray[np.uint8]) -> T | None:
        """Return the answer for the most alike kept frame that is alike enough, or None.

        Args:
            seconds: the frame's time.
            luma: uint8 (h, w), 24 x 24 at least.
        """
        seen = self._cells(luma)
        best, answer = self.most_different, None
        for made, cells, kept in self._kept.values():
            if not 0 <= seconds - made <= self.age_seconds:
                continue
            apart = np.abs(cells - seen)
            mean = float(apart.mean())
            if mean <= best and float(apart.max()) <= 8 * self.most_different:
                best, answer = mean, kept
        return answer

    def put(self, seconds: float, luma: NDArray[np.uint8], answer: T) -> None:
        """Keep the answer for a frame at `seconds` of the clip, brightness (h, w); the oldest goes."""
        self._number += 1
        self._kept[self._number] = (seconds, self._cells(luma), answer)
        while len(self._kept) > self.frames:
            self._kept.popitem(last=False)

    @staticmethod
    def _cells(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
        if luma.ndim != 2 or min(luma.shape) < _SIDE or luma.dtype != np.uint8:
            raise InputError(
                f"a frame of {luma.dtype} {luma.shape}", where="frame reuse", hint="give uint8 luma, 24 x 24 or more"
            )
        rows = np.linspace(0, luma.shape[0], _SIDE + 1).astype(int)
        columns = np.linspace(0, luma.shape[1], _SIDE + 1).astype(int)
        sums = np.add.reduceat(np.add.reduceat(luma, rows[:-1], axis=0, dtype=np.float32), columns[:-1], axis=1)
        cells: NDArray[np.float32] = np.asarray(sums / np.outer(np.diff(rows), np.diff(columns)), np.float32)
        return cells


def leave_out_alike(track: Track, chosen: Any, *, most_different: float, age_seconds: float) -> Any:
    """Leave out frames that look like one that is kept and was shown at most `age_seconds` before; the first one is always kept.

    Args:
        track: the clip; its file is opened once more, for the chosen pictures alone.
        chosen: indexes of frames, ascending.
        most_different: mean difference of a cell at most; see `FrameReuse`.
        age_seconds: for how long a frame stands in for later ones.

    Returns:
        The indexes that are kept.

    Raises:
        MediaError: the clip cannot be read any more.
    """
    from reelwise.video.stills import pictures

    kept: FrameReuse[int] = FrameReuse(most_different=most_different, age_seconds=age_seconds)
    left: list[int] = []
    for start in range(0, len(chosen), _TOGETHER):
        part = [int(at) for at in chosen[start : start + _TOGETHER]]
        times = [float(track.times[at]) for at in part]
        shown = pictures(track.info.path, [track.start_seconds + time for time in times], long_side=_LONG_SIDE)
        for at, time, (_, rgb) in zip(part, times, shown, strict=True):
            if min(rgb.shape[:2]) < _SIDE:
                left.append(at)  # a sliver: too few pixels to tell
                continue
            luma = np.asarray(np.round(rgb @ np.array(_LUMA)), np.uint8)
            if kept.find(time, luma) is None:
                kept.put(time, luma, at)
                left.append(at)
    return np.array(left, dtype=np.asarray(chosen).dtype)
