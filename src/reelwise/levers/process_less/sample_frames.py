"""Lever 1: sample frames, do not process all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, sees_pictures, yes
from reelwise.stages import Sample

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["SampleFrames"]


class SampleFrames(Lever, frozen=True, kw_only=True):
    """Send `fps` frames a second at most; with `adaptive` only those that changed."""

    fps: Annotated[float, Meta(gt=0, le=240)] = 0.5
    adaptive: bool = False

    card: ClassVar[Card] = Card(
        number=1,
        family="process_less",
        title="Sample frames; do not process all of them",
        summary="Send one frame every few seconds, or only frames that changed. A second of video is mostly copies of one frame.",
        effort="hours",
        risk="short events fall between two frames; check the largest change that was not sent",
        latency="shorter: fewer tokens to read",
        prerequisites=("know the shortest event that must not be missed",),
        ask=("How short is the shortest thing the answer depends on?",),
        sources=(
            "25-levers article, lever 1 (2026-06-03)",
            "Efficient Video Sampling, arXiv:2510.14624: time to first token up to 4x lower",
            "counter-evidence: SGLang PR 20857 (VideoMME 0.781 to 0.750 at 0.8 pruning)",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("sample.fps", "sample.adaptive")
    offers: ClassVar[tuple[dict[str, object], ...]] = (
        {"fps": 1.0},
        {"fps": 0.5},
        {"fps": 0.2},
        {"fps": 0.1},
        {"fps": 1.0, "adaptive": True},
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit every workload that looks at pictures."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if self.adaptive and not facts.has("sample.frames_per_second", workload.footage):
            return no("how many frames change is not measured: run `reelwise audit` on your footage")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Take the lower rate of the two."""
        return plan.merge(
            Sample,
            lambda: Sample(fps=self.fps, adaptive=self.adaptive),
            lambda s: replace(s, fps=min(s.fps, self.fps), adaptive=s.adaptive or self.adaptive),
        )
