"""What a run is about: each clip, or part of one, as a piece in play, with what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reelwise.facts import settings_hash
from reelwise.run.footage import piece_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.flow import Piece
    from reelwise.run.job import Job
    from reelwise.run.scans import Scans
    from reelwise.script import Script
    from reelwise.video import ClipInfo, Track
    from reelwise.workload import Workload

__all__ = ["copies_of", "looked_at", "name_of", "pieces_of", "span_of"]


def looked_at(track: Track) -> ClipInfo:
    """Return what a clip's container says; of one that was decoded in part, that part's share of it."""
    info = track.info
    if info.seconds <= track.seconds + 0.5:
        return info
    share = track.seconds / info.seconds
    return msgspec.structs.replace(
        info, seconds=track.seconds, frames=track.frames, audio_seconds=min(info.audio_seconds, track.seconds),
        bytes=round(info.bytes * share),
    )  # fmt: skip


def pieces_of(job: Job, workload: Workload, tracks: Sequence[Track], scans: Scans | None) -> list[Piece]:
    """Put each clip in play once, with what is said about it."""
    most = float(job.script.output_most or "inf")
    copies = copies_of(job.script, tracks)
    return [
        msgspec.structs.replace(
            piece_of(workload, msgspec.structs.replace(track), scans), script=_about(job.script, track)
        ).with_item(count=1.0, views=1.0, duplicates=copies, tokens_output_most=most)
        for track in tracks
    ]


def _about(script: Script, track: Track) -> Script:
    """Fill in what the text says of an item."""
    path = Path(track.info.path)
    return script.about(path.name, path.resolve().parent.name, seconds=track.seconds, start=track.start_seconds)


def name_of(piece: Piece) -> str:
    """Name what a piece is about: the content, how much of it is looked at, and what is said of it."""
    track = piece.track
    return settings_hash((track.info.sha256_head, *span_of(track), piece.script.told))


def copies_of(script: Script, tracks: Sequence[Track]) -> float:
    """Say how often each content comes: the same bytes, looked at from the same second on, that are told the same."""
    names = {(track.info.sha256_head, *span_of(track), _about(script, track).told) for track in tracks}
    return len(tracks) / max(1, len(names))


def span_of(track: Track) -> tuple[float, float]:
    """Return from which second of its file on a track is, and how long."""
    return round(track.start_seconds, 3), round(track.seconds, 3)
