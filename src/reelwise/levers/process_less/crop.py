"""Lever 3: crop to the region of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, sees_pictures, yes
from reelwise.stages import Crop as CropStage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Crop"]


class Crop(Lever, frozen=True, kw_only=True):
    """Send the part of the frame where something happens, or a fixed polygon."""

    mode: Literal["fixed", "activity"] = "activity"
    polygon: tuple[tuple[float, float], ...] = ()

    card: ClassVar[Card] = Card(
        number=3,
        family="process_less",
        title="Crop to the region of interest",
        summary="If only the doorway matters, send the doorway. Saves where pixels are billed; a native Gemini video costs the same at any size.",
        effort="days",
        risk="context around the region is lost; a moved camera leaves the region empty",
        latency="shorter",
        prerequisites=("a camera that does not move, or a detector",),
        ask=("Does the answer need the surroundings?",),
        sources=("25-levers article, lever 3",),
    )
    owns: ClassVar[tuple[str, ...]] = ("crop.mode", "crop.polygon")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit fixed views whose active region is known."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if self.mode == "fixed":
            return yes() if self.polygon else no("no polygon is given")
        if not (facts.known("crop.width_share", workload.footage) or facts.known("crop.area_share", workload.footage)):
            return no("where things happen is not measured: run `reelwise audit`, or give facts.crop.area_share")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Add the crop; a fixed polygon wins over activity."""
        return plan.merge(
            CropStage,
            lambda: CropStage(mode=self.mode, polygon=self.polygon),
            lambda s: s if s.mode == "fixed" else replace(s, mode=self.mode, polygon=self.polygon),
        )
