"""Lever 4: gate the expensive model behind a cheap trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from reelwise.levers.base import Card, Lever, Verdict, no, sees_pictures, yes
from reelwise.stages import Gate as GateStage
from reelwise.units import is_array

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Gate"]


class Gate(Lever, frozen=True, kw_only=True):
    """Run the model only on stretches where the picture changes."""

    method: Literal["auto", "packets", "keyframes", "luma", "full", "person"] = "auto"
    mode: Literal["coarse", "exact"] = "exact"
    threshold: Annotated[float, Meta(gt=0, lt=1)] | None = None
    pad_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.0
    at: Literal["edge", "cloud"] = "cloud"

    card: ClassVar[Card] = Card(
        number=4,
        family="process_less",
        title="Gate the expensive model behind a cheap trigger",
        summary="Replace the schedule by an event: a near-free motion test decides when the model runs. At 2 % activity that is fiftyfold.",
        effort="days",
        risk="what the trigger misses, the model never sees",
        latency="a second or two, until the stretch is over",
        prerequisites=("footage that is idle most of the time", "its active share, measured"),
        ask=("What does a missed event cost?", "Is the camera fixed?"),
        sources=("25-levers article, lever 4: 2 % active, fiftyfold",),
    )
    owns: ClassVar[tuple[str, ...]] = ("gate.method", "gate.mode", "gate.threshold", "gate.pad_seconds", "gate.at")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit footage whose active share is known."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if not facts.known("gate.active_share", workload.footage):
            return no("the active share is not measured: run `reelwise audit`, or give facts.gate.active_share")
        if plan.of(GateStage):
            return no("the plan has a gate")
        if self.threshold is not None and self.method not in {"auto", "full"}:
            return no(f"the method {self.method} has no threshold: leave it out, or take method full")
        share, _ = facts.get("gate.active_share", source_class=workload.footage)
        if not is_array(share) and share == 0:
            return no("nothing happened in the footage that was looked at: look at some in which something does")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Add the gate; an existing one stays as it is."""
        if plan.of(GateStage):
            return plan
        return plan.put(self.stage())

    def stage(self) -> GateStage:
        """Return the stage that it adds."""
        return GateStage(
            method=self.method, mode=self.mode, threshold=self.threshold, pad_seconds=self.pad_seconds, at=self.at
        )
