"""What the adaptive loop is held against: policies that others use or recommend, each with one threshold for all clips.

Frames are judged on thumbnails of 256x256 by area, as good as any of them could ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["PEERS", "Clip", "chosen", "reused"]

_SKIP_MOST = 30


class Clip:
    """Frames with the model's own mask of each."""

    def __init__(self, name: str, fps: float, frames: list[NDArray[np.uint8]], masks: NDArray[np.float32]) -> None:
        self.name, self.fps, self.frames, self.masks = name, fps, frames, masks
        self.small = [cv2.resize(one, (256, 256), interpolation=cv2.INTER_AREA) for one in frames]
        self.grey = [
            cv2.cvtColor(cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
            for one in self.small
        ]


def skip(clip: Clip, now: int, last: int) -> float:  # noqa: ARG001 - one signature for all
    """Every n-th frame."""
    return now - last


def article(clip: Clip, now: int, last: int) -> float:  # noqa: ARG001 - it looks at the frame before, whatever was inferred
    """The article's `is_static_scene`: mean difference from the frame before."""
    return float(cv2.absdiff(clip.grey[now], clip.grey[now - 1]).mean())


def obs(clip: Clip, now: int, last: int) -> float:
    """The gate of OBS's background removal: PSNR to the last frame that was inferred (its default: 35 dB)."""
    return -float(cv2.PSNR(clip.small[now], clip.small[last]))


PEERS: dict[str, tuple[Callable[[Clip, int, int], float], tuple[float, ...]]] = {
    "fixed skip, mask reused": (skip, (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)),
    "the article's pseudo-code": (article, (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0, 6.0)),
    "OBS plugin's gate, mask reused": (
        obs, (-40, -38, -36, -35, -34, -33, -32, -31, -30, -29, -28, -27, -26, -25, -24, -23, -22, -21, -20, -18)),
}  # fmt: skip


def chosen(clip: Clip, signal: Callable[[Clip, int, int], float], threshold: float) -> list[int]:
    """Return the frames that a policy infers: where its signal reaches its threshold, at the latest after 30 frames."""
    keys = [0]
    most = max(_SKIP_MOST, int(threshold)) if signal is skip else _SKIP_MOST
    for now in range(1, len(clip.frames)):
        if now - keys[-1] >= most or signal(clip, now, keys[-1]) >= threshold:
            keys.append(now)
    return keys


def reused(clip: Clip, keys: list[int]) -> NDArray[np.float32]:
    """Return the masks of all frames where the last inferred one is shown again."""
    last = np.repeat(keys, np.diff([*keys, len(clip.frames)]))
    return clip.masks[last]
