"""What a lever throws away: in words, as coverage of active time, and as pictures of the largest change not sent."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.run.result import Moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.video import Skipped

__all__ = ["active_coverage", "kept_frames", "lost_moments", "sentence"]


def kept_frames(piece: Piece) -> list[int]:
    """Return the frames of a clip that are still in play."""
    from reelwise import video

    if piece.frames is not None:
        return [int(i) for i in piece.frames]
    return [i for first, last in video.frames_in(piece.track, piece.stretches) for i in range(first, last)]


def active_coverage(before: Sequence[Piece], after: Sequence[Piece]) -> float | None:
    """Say which share of active frames has a frame within a second that is still sent; None where nothing is active."""
    import numpy as np

    from reelwise import video

    left = {piece.track.info.path: piece for piece in after}
    covered = active = 0.0
    for piece in before:
        stretches = video.gate(piece.track, pad_seconds=0.0)
        frames = sum(last - first for first, last in video.frames_in(piece.track, stretches))
        if not frames:
            continue
        active += frames
        still = left.get(piece.track.info.path)
        if still is not None:
            covered += frames * video.coverage(piece.track, np.array(kept_frames(still), dtype=np.int64), stretches)
    return covered / active if active else None


def lost_moments(before: Sequence[Piece], after: Sequence[Piece], most: int = 3) -> tuple[Moment, ...]:
    """Show the largest changes that are not sent, as thumbnails."""
    import numpy as np

    from reelwise import video

    left = {piece.track.info.path: piece for piece in after}
    found: list[tuple[Piece, Skipped]] = []
    for piece in before:
        still = left.get(piece.track.info.path)
        kept = np.array(kept_frames(still) if still is not None else [], dtype=np.int64)
        found.extend((piece, one) for one in video.largest_skipped(piece.track, kept, most))
    found.sort(key=lambda pair: -pair[1].change)
    moments = []
    for piece, one in found[:most]:
        pictures = video.pictures(piece.track.info.path, [one.time], long_side=320)
        moments.append(
            Moment(
                clip=Path(piece.track.info.path).name,
                seconds=one.time,
                change=float(piece.track.change[one.frame]),
                jpeg=base64.b64encode(video.jpeg(pictures[0][1])).decode(),
            )
        )
    return tuple(moments)


def sentence(
    before: Sequence[Piece],
    after: Sequence[Piece],
    *,
    frames: tuple[float, float],
    audio: bool,
    plans: tuple[Plan, Plan],
) -> str:
    """Say in words what the model no longer sees.

    Args:
        before: pieces without the lever.
        after: pieces with it.
        frames: frames sent without and with it.
        audio: whether the workload has sound.
        plans: plan without and with the lever.
    """
    said = []
    seconds = sum(float(p.item.seconds) for p in before), sum(float(p.item.seconds) for p in after)
    if seconds[1] < seconds[0] - 1e-6:
        said.append(f"{seconds[0] - seconds[1]:,.1f} of {seconds[0]:,.1f} seconds are not sent")
    sheets = max((float(p.item.sheet) for p in after), default=1.0)
    if sheets > 1:
        said.append(
            f"up to {sheets:,.0f} frames share a picture: {frames[1]:,.0f} {'picture is' if round(frames[1]) == 1 else 'pictures are'} sent"
        )
    elif frames[1] < frames[0] - 1e-6:
        gone = frames[0] - frames[1]
        said.append(f"{gone:,.0f} of {frames[0]:,.0f} pictures {'is' if round(gone) == 1 else 'are'} not sent")
    sizes = {(p.item.width_px, p.item.height_px) for p in before}, {(p.item.width_px, p.item.height_px) for p in after}
    if after and sizes[0] != sizes[1]:
        old, new = (max(size, key=lambda wh: wh[0] * wh[1]) for size in sizes)
        said.append(f"frames of {old[0]}x{old[1]} become {new[0]}x{new[1]} pixels")
    sound = sum(float(p.item.audio_seconds) for p in before), sum(float(p.item.audio_seconds) for p in after)
    if audio and sound[1] < sound[0] - 1e-6:
        said.append(f"{sound[0] - sound[1]:,.1f} of {sound[0]:,.1f} seconds of sound are not sent")
    said.extend(_settings_said(*plans))
    if not said:
        return "Nothing is thrown away: the model sees the same."
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _settings_said(before: Plan, after: Plan) -> list[str]:
    """Name losses that are settings of calls and prompts."""
    from reelwise.stages import Call, Prompt, Route

    said = []
    levels = {call.detail for call in before.of(Call)}, {call.detail for call in after.of(Call)}
    if levels[0] != levels[1]:
        said.append(f"pictures are read at the level {', '.join(sorted(levels[1] - levels[0]))}")
    caps = [stage.output for stage in after.of(Prompt) if stage.output is not None and stage not in before.of(Prompt)]
    if caps:
        said.append(f"answers are cut at {min(caps):,.0f} tokens")
    if len(after.lanes) > len(before.lanes):
        models = sorted({call.model for call in after.of(Call)} - {call.model for call in before.of(Call)})
        share = "the easy share" if after.of(Route) else "what it is sure of"
        said.append(f"{share} is answered by {', '.join(models)}")
    return said
