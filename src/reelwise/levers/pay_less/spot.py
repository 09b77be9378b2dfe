"""Lever 19: run interruptible work on spot GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Spot"]


class Spot(Lever, frozen=True, kw_only=True):
    """Rent spare capacity that may be taken back at short notice."""

    card: ClassVar[Card] = Card(
        number=19,
        family="pay_less",
        title="Run interruptible work on spot GPUs",
        summary="Spare capacity sells at 60 to 90 % off by the article; the dated prices we hold show 40 to 65 %. Each interruption loses the work since the last checkpoint.",
        effort="days",
        risk="reclaimed with two minutes' notice or less; in one trace a zone had capacity 17 % of the time",
        latency="jobs wait for capacity and start again after an interruption",
        prerequisites=("jobs that save their state and can be repeated", "a fallback on demand for deadlines"),
        ask=(
            "How long is a unit of work, and what does its loss cost?",
            "What happens when no capacity is there for an hour?",
        ),
        sources=(
            "25-levers article, lever 19 (2026-06-03)",
            "GCP a2-highgpu-1g us-central1 2025-03-06: 64.8 % off; g2-standard-4 europe-west4 2026: 40 % off (secondary)",
            "SkyPilot spot traces, AWS V100, 2023-02: 0.095 to 1.39 interruptions an hour, capacity there 17 to 90 % of the time",
            "Can't Be Late, NSDI 2024: 27 to 84 % saved with deadlines met; SkyServe, arXiv:2411.01438: 43 %",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted work that can stop and go on."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: there is no machine to take as spot (see flex and batch_api)")
        if workload.latency in {"realtime", "seconds"}:
            return no(f"answers are due within `{workload.latency}`: a reclaimed machine interrupts them")
        if workload.latency == "minutes":
            return yes("work can be repeated, but answers are due within minutes: keep machines on demand behind it")
        return yes(f"answers may take `{workload.latency}`: work can stop and go on")
