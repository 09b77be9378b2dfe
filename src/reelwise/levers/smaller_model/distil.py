"""Lever 9: distil a smaller student model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no
from reelwise.levers.serve_better.serving_runtime import hosted_calls
from reelwise.levers.smaller_model.probed import probed, with_variant

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Distil"]


class Distil(Lever, frozen=True, kw_only=True):
    """Train a small student to copy the model you host."""

    card: ClassVar[Card] = Card(
        number=9,
        family="smaller_model",
        title="Distil a smaller student model",
        summary="A student copies its teacher on your kind of footage and is smaller and faster for good. Distil-Whisper is half the size, about 6x faster and within one percent.",
        effort="weeks",
        risk="the student fails on what it was not taught: a new scene, unseen people; keep the teacher as an audit",
        latency="shorter: less to compute",
        prerequisites=("a model you host", "footage with the teacher's answers", "a hold-out set that decides"),
        ask=(
            "Is the scene closed, or will new things appear?",
            "Do the teacher's terms allow training on its answers?",
        ),
        sources=(
            "25-levers article, lever 9 (2026-06-03), for Distil-Whisper",
            "Online Model Distillation, ICCV 2019: 7 to 17x lower run time than its Mask R-CNN teacher on one stream",
        ),
    )

    owns: ClassVar[tuple[str, ...]] = ("host.variant",)
    excludes: ClassVar[tuple[str, ...]] = ("quantize", "open_model", "edge")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit models that are served by hosts of the plan, where some loss is allowed and both speed and loss are measured."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: there is none of yours to shrink (see open_model)")
        if workload.quality_floor is not None and workload.quality_floor >= 1:
            return no("quality_floor 1 leaves no room for a student's losses")
        if all(host.variant != "full" for host in plan.hosts):
            return no("every host runs a smaller network already")
        return probed("distil", facts, workload.footage)

    def apply(self, plan: Plan) -> Plan:
        """Run the smaller network on every machine that runs the full one."""
        return with_variant(plan, "distilled")
