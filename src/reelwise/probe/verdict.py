"""Whether a smaller model is taken: it must be faster, and its masks like the teacher's; else it is refused with the numbers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from reelwise.probe.likeness import Likeness
from reelwise.probe.speed import Speed

__all__ = ["DISTIL", "QUANTIZE", "Floors", "Verdict", "judge"]

Share = Annotated[float, Meta(ge=0, le=1)]


class Floors(Struct, frozen=True, kw_only=True):
    """What a smaller model must reach.

    Attributes:
        iou: mean IoU with the teacher on held-back frames.
        iou_p5: its 5th percentile.
        ratio: how much faster it must be, in the 5th percentile of the rounds.
    """

    iou: Share
    iou_p5: Share
    ratio: float = 1.0


QUANTIZE = Floors(iou=0.98, iou_p5=0.95)
"""The same network in coarser numbers has to compute (almost) the same."""

DISTIL = Floors(iou=0.95, iou_p5=0.85)
"""Another network has learned to; see docs/models.md for what students reach."""


class Verdict(Struct, frozen=True, kw_only=True):
    """A smaller model, measured.

    Attributes:
        lever: quantize or distil.
        accepted: whether it passes all floors.
        why: in words, with the numbers: why it is accepted, or each floor that it misses.
        speed, likeness, floors: what was measured and what was asked for.
    """

    lever: str
    accepted: bool
    why: tuple[str, ...]
    speed: Speed
    likeness: Likeness
    floors: Floors


def judge(lever: str, speed: Speed, likeness: Likeness, floors: Floors) -> Verdict:
    """Accept or refuse a smaller model by what was measured."""
    missed = []
    if speed.low <= floors.ratio:
        what = "slower" if speed.ratio < 1 else "not surely faster" if floors.ratio == 1 else "not fast enough"
        missed.append(
            f"it is {what}: {speed.ratio:.2f} times the teacher's speed ({speed.low:.2f} to {speed.high:.2f}), "
            f"above {floors.ratio:g} is asked for"
        )
    if likeness.mean < floors.iou:
        missed.append(f"its masks differ: IoU {likeness.mean:.3f} on average, {floors.iou:g} is asked for")
    if likeness.p5 < floors.iou_p5:
        missed.append(
            f"its bad moments are bad: IoU {likeness.p5:.3f} at the 5th percentile, {floors.iou_p5:g} is asked for"
        )
    taken = f"{speed.ratio:.2f} times as fast at IoU {likeness.mean:.3f} (5th percentile {likeness.p5:.3f})"
    return Verdict(
        lever=lever, accepted=not missed, why=tuple(missed) or (taken,), speed=speed, likeness=likeness, floors=floors
    )
