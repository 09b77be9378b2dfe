"""The frames of clips that a smaller model is made from, and those that are held back to judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise import video
from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Footage", "footage_of"]

Frame = NDArray[np.uint8]

_LONG_SIDE = 384  # the networks look at 256 pixels or fewer
_FRAMES_MAX = 3_000
_USED_MIN, _HELD_MIN = 16, 8
_TOGETHER = 64


class Footage(Struct, frozen=True, kw_only=True):
    """Frames, RGB uint8 (height, width, 3), each list in the order of clips and time.

    Attributes:
        used: what the smaller model is made from.
        held: what it is judged on, and has not seen.
        clips: name and content hash of each clip.
        seconds: footage that the frames were taken from.
        held_is: what is held back, in words.
    """

    used: tuple[Frame, ...]
    held: tuple[Frame, ...]
    clips: tuple[tuple[str, str], ...]
    seconds: float
    held_is: str


def footage_of(
    clips: Sequence[Path], *, hold: float = 1 / 3, hold_clips: Sequence[Path] = (), frames: int = 300
) -> Footage:
    """Take frames at an even pace.

    Args:
        clips: what the model is made from; without `hold_clips`, the end of each is held back.
        hold: share of each clip's time that is held back: its end, for what comes later is what it will have to do.
        hold_clips: other clips to judge it on; then all of `clips` is used.
        frames: of each clip, at most.

    Raises:
        MediaError: a clip cannot be read.
        InputError: too few frames, too many, or a share out of range.
    """
    if not 0.05 <= hold <= 0.9 or not clips:
        raise InputError(f"{hold:g} of the clip held back", where="--hold", hint="give a share from 0.05 to 0.9")
    if frames < _USED_MIN or frames * (len(clips) + len(hold_clips)) > _FRAMES_MAX:
        raise InputError(
            f"{frames} frames of each of {len(clips) + len(hold_clips)} clips",
            where="--frames",
            hint=f"{_USED_MIN} or more, {_FRAMES_MAX:,} in all",
        )
    used: list[Frame] = []
    held: list[Frame] = []
    named: list[tuple[str, str]] = []
    seconds = 0.0
    for clip in (*clips, *hold_clips):
        info = video.probe(clip)
        named.append((clip.name, info.sha256_head))
        seconds += info.seconds
        pictures = _pictures(clip, info, frames)
        cut = len(pictures) if hold_clips else round(len(pictures) * (1 - hold))
        if clip in hold_clips and len(named) > len(clips):
            held += pictures
        else:
            used += pictures[:cut]
            held += pictures[cut:]
    if len(used) < _USED_MIN or len(held) < _HELD_MIN:
        raise InputError(
            f"{len(used)} frames to make a model from and {len(held)} to judge it on are too few",
            where=str(clips[0]),
            hint=f"{_USED_MIN} and {_HELD_MIN} are the least: give a longer clip, or more clips",
        )
    held_is = f"{len(hold_clips)} other clips" if hold_clips else f"the last {hold:.0%} of each clip"
    return Footage(used=tuple(used), held=tuple(held), clips=tuple(named), seconds=round(seconds, 3), held_is=held_is)


def _pictures(clip: Path, info: video.ClipInfo, frames: int) -> list[Frame]:
    count = min(frames, max(1, round((info.seconds or 0.0) * (info.fps or 25.0))))
    length = info.seconds or 1.0
    times = [length * (index + 0.5) / count for index in range(count)]
    return [
        picture
        for start in range(0, count, _TOGETHER)
        for _, picture in video.pictures(clip, times[start : start + _TOGETHER], long_side=_LONG_SIDE)
    ]
