"""Length, size and sound of a clip, read from its container."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ClipSize", "clip_size"]

_PACKETS_MAX = 2_000_000


class ClipSize(Struct, frozen=True, kw_only=True):
    """What a container says.

    Attributes:
        seconds: of the picture; of the sound where there is no picture.
        width, height: pixels; 0 for sound alone.
        fps: frames a second.
        sound_seconds: 0 without sound.
    """

    seconds: float
    width: int = 0
    height: int = 0
    fps: float = 0.0
    sound_seconds: float = 0.0


def clip_size(data: bytes | Path) -> ClipSize | None:
    """Read a clip's container, from memory or a file; None where it is none, or PyAV cannot say how long it is."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(io.BytesIO(data) if isinstance(data, bytes) else str(data), "r", metadata_errors="ignore") as box:
            video = box.streams.video[0] if box.streams.video else None
            sound = box.streams.audio[0] if box.streams.audio else None
            whole = box.duration / 1_000_000 if box.duration else 0.0
            heard = _length(sound, whole) if sound is not None else 0.0
            if video is None:
                return ClipSize(seconds=heard, sound_seconds=heard) if heard > 0 else None
            fps = float(video.average_rate or video.guessed_rate or 0)
            seconds = _length(video, whole)
            if seconds <= 0:
                stamps = [
                    p.pts * p.time_base
                    for _, p in zip(range(_PACKETS_MAX), box.demux(video), strict=False)
                    if p.pts is not None
                ]
                seconds = float(max(stamps) - min(stamps)) + (1 / fps if fps else 0.0) if stamps else 0.0
            if seconds <= 0:
                return None
            return ClipSize(seconds=seconds, width=video.width, height=video.height, fps=fps, sound_seconds=heard)
    except (FFmpegError, OSError, ValueError, ArithmeticError):
        return None


def _length(stream: object, whole: float) -> float:
    duration, base = getattr(stream, "duration", None), getattr(stream, "time_base", None)
    return float(duration * base) if duration and base else whole
