"""Lever 15: right-size the GPU to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["RightSizeGpu"]


class RightSizeGpu(Lever, frozen=True, kw_only=True):
    """Serve the model on the card with the lowest price of an answer."""

    card: ClassVar[Card] = Card(
        number=15,
        family="serve_better",
        title="Right-size the GPU to the model",
        summary="A card is right where hourly price over answers an hour is lowest. A dearer card wins when it is faster by more than it is dearer, so this is a threshold to compute, not 'small model, small card'.",
        effort="hours",
        risk="less memory means smaller batches and shorter clips; frames a second on paper are not yours",
        latency="longer on a smaller card",
        prerequisites=("frames or requests a second of your model on each card", "the model's memory with its cache"),
        ask=("Does the model with its cache fit the smaller card?", "What does each card do on your own footage?"),
        sources=(
            "25-levers article, lever 15 (2026-06-03)",
            "memory, bandwidth and arithmetic of cards: NVIDIA AIConfigurator system tables, 2026-08-21",
            "an estimate, not a measurement: Qwen3-VL with pictures, H100 over L40S 3.45x (aiconfigurator-core 0.12.0)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit plans with hosts."""
        calls = hosted_calls(plan)
        if not calls:
            return no("every model is rented by the call: no card is yours to choose")
        named = {call.host for call in calls}
        skus = sorted({host.sku for host in plan.hosts if host.name in named})
        return yes(f"the plan pays for {', '.join(skus)}: compare with other cards")
