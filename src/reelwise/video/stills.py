"""Pictures at given times, decoded from the key frame before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.video.reader import Reader
from reelwise.video.sizes import fit

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

__all__ = ["pictures"]

_AHEAD_SECONDS = 4.0  # nearer than that, decoding on is cheaper than going back to a key frame
_FRAMES_MAX = 20_000  # decoded for one picture
_EPSILON = 1e-4
_JUMP_SECONDS = 60.0


def pictures(
    path: str | os.PathLike[str], times: Sequence[float], *, long_side: int = 320
) -> list[tuple[float, NDArray[np.uint8]]]:
    """Decode the pictures on screen at some moments.

    Decoding starts at the key frame before each moment, so the work is bounded by the distance of key frames. A clip that
    cannot be jumped in, or whose time stamps needed repair, is decoded once from its start.

    Args:
        path: the clip.
        times: seconds from the first frame, as in `Track.times`, in any order; past the end gives the last picture.
        long_side: pixels of the longer side at most; even sides, never scaled up.

    Returns:
        One (seconds of the frame, RGB uint8 (height, width, 3), upright) for each time, in the order given.

    Raises:
        MediaError: the clip cannot be read, or nothing of it decodes.
    """
    if any(not time >= 0 for time in times):
        raise InputError("a time is a number of seconds, 0 or more", hint="take them from a track")
    wanted = sorted(set(times))
    if not wanted:
        return []
    found = _by_seeking(path, wanted, long_side)
    if found is None:
        found = _by_reading(path, wanted, long_side)
    return [found[time] for time in times]


Found = dict[float, tuple[float, "NDArray[np.uint8]"]]


def _by_reading(path: str | os.PathLike[str], wanted: list[float], long_side: int) -> Found:
    found: Found = {}
    with Reader(path) as reader:
        last: tuple[float, VideoFrame] | None = None
        ahead = list(reversed(wanted))
        for seconds, frame in reader.frames():
            while ahead and last is not None and seconds > ahead[-1] + _EPSILON:
                found[ahead.pop()] = (last[0], _scaled(reader, last[1], long_side))
            last = (seconds, frame)
            if not ahead:
                return found
        if last is None:
            raise reader.nothing()
        end = (last[0], _scaled(reader, last[1], long_side))
        found.update(dict.fromkeys(ahead, end))
    return found


def _by_seeking(path: str | os.PathLike[str], wanted: list[float], long_side: int) -> Found | None:
    """Find pictures key frame by key frame; None where the clip does not allow it."""
    found: Found = {}
    with Reader(path) as reader:
        frames = reader.raw_frames()
        first = next(frames, None)
        if first is None:
            raise reader.nothing()
        if first[0] is None:
            return None
        zero = first[0]
        last: tuple[float, VideoFrame] = (0.0, first[1])
        pending: tuple[float, VideoFrame] | None = None
        for time in wanted:
            at = pending[0] if pending is not None else last[0]
            if time > at + _AHEAD_SECONDS:
                if not reader.seek(time + zero):
                    return None
                frames, pending = reader.raw_frames(), None
                landed = next(frames, None)
                if landed is None or landed[0] is None or landed[0] - zero > time + _EPSILON:
                    return None
                last = (landed[0] - zero, landed[1])
            step = _forward(frames, last, pending, time, zero)
            if step is None:
                return None
            last, pending = step
            found[time] = (last[0], _scaled(reader, last[1], long_side))
    return found


def _forward(
    frames: Iterator[tuple[float | None, VideoFrame]],
    last: tuple[float, VideoFrame],
    pending: tuple[float, VideoFrame] | None,
    time: float,
    zero: float,
) -> tuple[tuple[float, VideoFrame], tuple[float, VideoFrame] | None] | None:
    """Decode up to a moment: the frame on screen then, and the one after it."""
    for _ in range(_FRAMES_MAX):
        if pending is not None:
            if pending[0] > time + _EPSILON:
                return last, pending
            last, pending = pending, None
        following = next(frames, None)
        if following is None:
            return last, None
        if following[0] is None or not 0 < following[0] - zero - last[0] < _JUMP_SECONDS:
            return None  # a track repaired these stamps: read from the start, as it did
        pending = (following[0] - zero, following[1])
    return None


def _scaled(reader: Reader, frame: VideoFrame, long_side: int) -> NDArray[np.uint8]:
    width, height = reader.upright(frame)
    return reader.rgb(frame, *fit(width, height, long_side))
