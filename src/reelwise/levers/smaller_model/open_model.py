"""Lever 8: swap a frontier API for a small open model where quality allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["OpenModel"]


class OpenModel(Lever, frozen=True, kw_only=True):
    """Host an open model of 1 to 7 billion parameters in place of a rented one."""

    card: ClassVar[Card] = Card(
        number=8,
        family="smaller_model",
        title="Swap a frontier API for a small open model where quality allows",
        summary="Above a steady volume, owning the model beats renting it by the token. For segmentation a T4 at 15 frames a second costs $9.74 a million frames, an image API $1,000.",
        effort="weeks",
        risk="an idle card costs the same as a busy one; quality and licence (AGPL, non-commercial) are yours to check",
        latency="yours to set: no queue of others, but your own peak",
        prerequisites=(
            "volume that keeps a card busy",
            "a set of cases with known answers",
            "somebody who runs the machines",
        ),
        ask=(
            "What does the API cost a month today, and how many busy cards would do the same work?",
            "Does the licence allow your use?",
        ),
        sources=(
            "25-levers article, lever 8 (2026-06-03)",
            "g4dn.xlarge 0.526 USD an hour: karpenter-provider-aws price list, 2026-07-20; 15 frames a second is an assumption of the segmentation article",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit calls to a rented model under a load that keeps a machine busy."""
        if not plan.of(Call, lambda call: call.host is None):
            return no("every model of the plan is self-hosted already")
        if workload.kind == "generate":
            return no("open models of 1 to 7 billion parameters are for reading video, not for generating it")
        if workload.load == "spiky":
            return no("a spiky load leaves a machine of your own idle most of the time")
        return yes(
            f"calls go to a rented model under a {workload.load} load: find the volume at which a card is cheaper"
        )
