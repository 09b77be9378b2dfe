"""Lever 25: instrument per-feature cost budgets and alert on drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, yes

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Budgets"]


class Budgets(Lever, frozen=True, kw_only=True):
    """Tag every call with its feature, set a target unit cost, and alert on drift."""

    card: ClassVar[Card] = Card(
        number=25,
        family="govern",
        title="Instrument per-feature cost budgets and alert on drift",
        summary="Costs creep: a model is swapped, a prompt grows, a retry loop misfires. Tagged calls and a target unit cost for each feature show it before the invoice does, and keep the other levers' savings.",
        effort="days",
        risk="a hard limit set too low stops the feature; begin with alerts",
        latency="none",
        prerequisites=("every call tagged with its feature",),
        ask=("What may one user, or one hour of video, cost?", "Who is told, and what do they do then?"),
        sources=("25-levers article, lever 25 (2026-06-03)",),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit every workload."""
        return yes(f"every workload needs it: tag calls with `{workload.feature}` and set a target for it")
