"""Lever 20: reserve capacity for your steady baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Reserved"]


class Reserved(Lever, frozen=True, kw_only=True):
    """Commit to the machines that run around the clock anyway."""

    card: ClassVar[Card] = Card(
        number=20,
        family="pay_less",
        title="Reserve capacity for your steady baseline",
        summary="One or three years of commitment at 20 to 70 % off. It pays where the machine is needed for more than one minus the discount of all hours: above 63 % at 37 % off, above 35 % at 65 % off.",
        effort="hours",
        risk="you pay through a lever that halves your need, and through a price that falls; pull levers that shrink the work first",
        latency="none",
        prerequisites=("a floor of machines that never goes below", "a forecast for the term"),
        ask=(
            "What is the lowest number of machines in the last 90 days?",
            "Which other levers will shrink that floor this year?",
        ),
        sources=(
            "25-levers article, lever 20 (2026-06-03)",
            "GCP a2-highgpu-1g us-central1, 2025-03-06: 1 year 37.0 % off, 3 years 65.0 % off",
            "prices move both ways: Runpod H100 SXM 3.29 to 3.99 USD an hour from 2026-08-19 to 2026-10-19",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted work with a floor that runs around the clock."""
        calls = hosted_calls(plan)
        if not calls:
            return no("every model is rented by the call: there is no machine to reserve")
        if workload.load == "steady":
            return yes("the load is steady around the clock: reserve the whole floor")
        named = {call.host for call in calls}
        floor = sum(host.minimum for host in plan.hosts if host.name in named)
        if floor:
            return yes(f"the load is {workload.load}, but {floor} machines run in any case: reserve those")
        return no(f"the load is {workload.load} and no machine runs around the clock (hosts.minimum is 0)")
