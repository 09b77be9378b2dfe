"""Sampled frames beside as many at an even pace, clip by clip: where the even pace is as good, it is the one to take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.run.result import EvenPace
from reelwise.stages import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.flow import Piece
    from reelwise.plan import Plan

__all__ = ["against_even_pace", "even_pace_says"]


def against_even_pace(plan: Plan, base: Plan, left: Sequence[Piece]) -> tuple[EvenPace, ...]:
    """Hold the frames that a plan keeps of each clip against as many at an even pace.

    Args:
        plan: with the lever.
        base: without it; nothing is compared where both sample alike.
        left: what the plan leaves of the clips.
    """
    import msgspec

    from reelwise import video

    samples = [stage for stage in plan.of(Sample) if stage not in base.of(Sample)]
    if not samples:
        return ()
    sample, rows = samples[0], []
    for piece in {one.track.info.path: one for one in left}.values():
        if piece.frames is None or not len(piece.frames):
            continue
        scores = sample.scores_of(piece.track) if sample.way == "question" else None
        choice = video.hold_against(piece.track, piece.frames, piece.stretches, by=sample.way, scores=scores)
        rows.append(
            EvenPace(
                clip=Path(piece.track.info.path).name,
                by=choice.by,
                frames=choice.seen.frames,
                frames_even=choice.uniform.frames,
                chosen=_figures(msgspec.to_builtins(choice.seen)),
                even=_figures(msgspec.to_builtins(choice.uniform)),
                judged_by=choice.judged_by,
                verdict=choice.verdict,
            )
        )
    return tuple(rows)


def _figures(seen: dict[str, float | None]) -> dict[str, float | None]:
    return {name: value for name, value in seen.items() if name != "frames"}


def even_pace_says(rows: Sequence[EvenPace]) -> str:
    """Say in one line how sampled frames compare with as many at an even pace; empty where nothing was compared."""
    from reelwise.video.seen import FIGURES

    if not rows:
        return ""
    if rows[0].by == "uniform":
        return "This is the even pace that every other way is held against."
    if len(rows) > 1:
        counts = {verdict: sum(one.verdict == verdict for one in rows) for verdict in ("better", "level", "worse")}
        return (
            f"By {rows[0].by}, beside as many frames at an even pace: better on {counts['better']}, level on "
            f"{counts['level']}, {'WORSE' if counts['worse'] else 'worse'} on {counts['worse']} of {len(rows):,} clips."
        )
    (one,) = rows
    pairs = ((name, one.chosen[name], one.even[name]) for name in one.judged_by)
    shown = [f"{FIGURES[name]} {a:.1%}, evenly {b:.1%}" for name, a, b in pairs if a is not None and b is not None]
    if not shown:
        return "There is nothing in this clip that this way looks for: an even pace does as well."
    word = {"better": "better than", "level": "no better than", "worse": "WORSE than"}[one.verdict]
    count = "1 frame" if one.frames == 1 else f"{one.frames:,} frames"
    return f"{count} by {one.by}: {word} as many at an even pace ({'; '.join(shown)})."
