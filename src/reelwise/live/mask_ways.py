"""Ways to a mask of every frame with a model that is asked about some: the last one held, or the adaptive loop; each through a plan's eyes."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - a struct's field
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.live.adaptive import Adaptive
from reelwise.live.opencv import opencv
from reelwise.live.simulated import SimulatedTime
from reelwise.live.target import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from reelwise.live.source import Picture
    from reelwise.live.target import Target
    from reelwise.video import Track

__all__ = ["Frames", "Held", "Loop", "View", "seen", "whole"]

_EMPTY = np.zeros((2, 2), np.float32)


class View(Struct):
    """How a plan sees a part.

    Attributes:
        frames: indices within the part of those that it sends; shape (n,).
        box: the region that it sends: left, top, right, bottom, 0..1 of the frame.
        size: width and height at which it is sent, in pixels.
    """

    frames: NDArray[np.int64]
    box: tuple[float, float, float, float]
    size: tuple[int, int]


class Frames:
    """A clip's frames, in order, in parts that do not overlap."""

    def __init__(self, pictures: Iterator[Picture]) -> None:
        self._pictures = pictures
        self._next: Picture | None = None

    def of(self, part: Track) -> Iterator[tuple[int, Picture]]:
        """Yield a part's frames with their index in it, nearest by time."""
        times = part.times + part.start_seconds
        half = 0.5 * part.seconds / max(1, part.frames)
        while True:
            picture, self._next = self._next or next(self._pictures, None), None
            if picture is None:
                return
            if picture.seconds > times[-1] + half:
                self._next = picture
                return
            index = int(np.clip(np.searchsorted(times, picture.seconds - 1e-6), 0, len(times) - 1))
            if index and abs(times[index - 1] - picture.seconds) < abs(times[index] - picture.seconds):
                index -= 1
            if abs(times[index] - picture.seconds) <= half:
                yield index, picture


class Held:
    """The masks of a plan: of the frames that it sends, and in between the last one."""

    def __init__(self, ask: Callable[[NDArray[np.uint8], View], NDArray[np.float32] | None], view: View) -> None:
        self._ask, self._view, self._sent = ask, view, set(view.frames.tolist())
        self._mask: NDArray[np.float32] = _EMPTY

    def looks_at(self, index: int) -> bool:
        """Say whether a frame is sent."""
        return index in self._sent

    def mask(self, rgb: NDArray[np.uint8], index: int, _at: float) -> NDArray[np.float32]:
        """Return the mask of an RGB frame, uint8 (h, w, 3): float32 of the model's own shape, foreground 0..1."""
        if index in self._sent:
            found = self._ask(rgb, self._view)
            self._mask = self._mask if found is None else found
        return self._mask


class Loop:
    """The masks of the adaptive loop, in the stream's own time."""

    def __init__(
        self,
        ask: Callable[[NDArray[np.uint8], View], NDArray[np.float32] | None],
        target: Target,
        price: Fraction,
        view: View,
    ) -> None:
        self._view, self._time, self._ask = view, SimulatedTime(), ask
        usd = price / 10**9
        self._adaptive = Adaptive(
            self._asked, quality=target.quality, inferences_a_minute=target.inferences_a_minute,
            usd_an_hour=target.usd_an_hour, usd_per_call=usd, limits=Limits(wait_seconds=None), clock=self._time,
            worker=self._time, name="model",
        )  # fmt: skip

    def _asked(self, rgb: NDArray[np.uint8]) -> Any:
        return self._ask(rgb, self._view)

    def looks_at(self, _index: int) -> bool:
        """Say that every frame is looked at, whether it is sent or not."""
        return True

    def mask(self, rgb: NDArray[np.uint8], _index: int, at: float) -> NDArray[np.float32]:
        """Return the mask of an RGB frame, uint8 (h, w, 3): float32 of the model's own shape, foreground 0..1."""
        self._time.move(at)
        return self._adaptive.look(rgb, at).mask

    def close(self) -> None:
        """End the loop."""
        self._adaptive.close()


def seen(rgb: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Cut out what a plan sends of an RGB frame, uint8 (h, w, 3), at the size that it sends; never larger than it is."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = view.box
    cut = rgb[round(top * height) : max(round(bottom * height), 1), round(left * width) : max(round(right * width), 1)]
    if view.size[0] < cut.shape[1] or view.size[1] < cut.shape[0]:
        cv2 = opencv()
        cut = cv2.resize(cut, view.size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cut)


def whole(mask: NDArray[np.float32], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Put a region's mask, float32 (h, w), where it belongs in the whole frame, at the same scale; nothing is foreground outside."""
    left, top, right, bottom = box
    if (left, top, right, bottom) == (0.0, 0.0, 1.0, 1.0):
        return mask
    high, wide = mask.shape
    height, width = max(high, round(high / (bottom - top))), max(wide, round(wide / (right - left)))
    whole = np.zeros((height, width), np.float32)
    y, x = min(round(top * height), height - high), min(round(left * width), width - wide)
    whole[y : y + high, x : x + wide] = mask
    return whole
