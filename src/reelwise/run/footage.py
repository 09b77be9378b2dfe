"""Clips as pieces of footage: whole, in halves and in segments, each with the amounts of its item."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.flow import Item, Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.run.scans import Scans
    from reelwise.video import Track
    from reelwise.workload import Workload

__all__ = ["SEGMENT_SECONDS", "Footage", "footage_of", "halves", "item_of", "part_of", "piece_of", "segments"]

SEGMENT_SECONDS = 10.0
"""Shortest segment: events last seconds, and a shorter one would only say that they do."""
_SEGMENTS_A_CLIP = 40


def item_of(workload: Workload, track: Track) -> Item:
    """Count one clip: its own size and length, the workload's text and repetition."""
    prompt, again, info = workload.prompt, workload.repetition, track.info
    whole = info.seconds or track.seconds
    part = min(1.0, track.seconds / whole) if whole > 0 else 1.0
    return Item(
        count=again.views,
        seconds=track.seconds,
        frames=float(track.frames),
        width_px=info.width,
        height_px=info.height,
        audio_seconds=min(info.audio_seconds, track.seconds),
        has_sound=info.has_audio,
        megabytes=info.bytes / 1e6 * part,
        tokens_prefix=prompt.prefix,
        tokens_prompt=prompt.question,
        tokens_output=prompt.output,
        questions=again.questions,
        views=again.views,
        duplicates=again.duplicates,
        footage=workload.footage,
    )


def piece_of(workload: Workload, track: Track, scans: Scans | None = None) -> Piece:
    """Put a whole clip, or a part that was cut out of one, in play."""
    return Piece(item=item_of(workload, track), track=track, stretches=((0.0, track.seconds),), scan=scans)


def part_of(track: Track, start: float, stop: float) -> Track:
    """Cut a part out of what decoding has measured, with times from its own start."""
    import numpy as np

    first, last = (int(i) for i in np.searchsorted(track.times, [start - 1e-9, stop - 1e-9]))
    windows = track.audio_window_seconds
    a, b = round(start / windows), round(stop / windows)
    seconds = min(stop, track.seconds) - start
    share = seconds / track.seconds if track.seconds else 0.0
    sound = max(0.0, min(stop, track.info.audio_seconds) - start)
    info = msgspec.structs.replace(
        track.info, seconds=seconds, audio_seconds=sound, bytes=round(track.info.bytes * share), frames=last - first
    )
    return msgspec.structs.replace(
        track,
        info=info,
        seconds=seconds,
        frames=last - first,
        times=track.times[first:last] - start,
        change=track.change[first:last],
        activity=track.activity[first:last],
        boxes=track.boxes[first:last],
        audio=track.audio[a:b],
        extra={name: values[first:last] for name, values in track.extra.items()},
        start_seconds=track.start_seconds + start,
    )


def _cut(track: Track, parts: int) -> list[Track]:
    step = track.seconds / parts
    cut = [part_of(track, i * step, (i + 1) * step) for i in range(parts)]
    return [part for part in cut if part.frames > 0]


def segments(track: Track) -> list[Track]:
    """Cut a clip into equal segments of ten seconds or more, at most forty."""
    return _cut(track, max(1, min(_SEGMENTS_A_CLIP, int(track.seconds / SEGMENT_SECONDS))))


def halves(track: Track) -> tuple[Track, Track] | None:
    """Cut a clip in the middle; None where a half would be shorter than two seconds."""
    if track.seconds < 4:
        return None
    cut = _cut(track, 2)
    return (cut[0], cut[1]) if len(cut) == 2 else None


class Footage(Struct, frozen=True):
    """The clips as pieces: whole, and cut into segments; `on` names them."""

    whole: list[Piece]
    parts: list[Piece]
    on: str


def footage_of(workload: Workload, tracks: Sequence[Track], scans: Scans | None = None) -> Footage:
    """Put clips in play, whole and in segments; `scans` remembers what scanning them found."""
    names = ", ".join(Path(t.info.path).name for t in tracks[:3])
    more = f" and {len(tracks) - 3} more" if len(tracks) > 3 else ""
    return Footage(
        [piece_of(workload, t, scans) for t in tracks],
        [piece_of(workload, part, scans) for t in tracks for part in segments(t)],
        f"{names}{more}",
    )
