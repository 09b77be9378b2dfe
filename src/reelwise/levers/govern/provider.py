"""Lever 22: pick the right provider and kill the waste around the compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls
from reelwise.stages import Keep, Send

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Provider"]


class Provider(Lever, frozen=True, kw_only=True):
    """Buy the same GPU elsewhere; stop paying for traffic and stored footage nobody needs."""

    card: ClassVar[Card] = Card(
        number=22,
        family="govern",
        title="Pick the right provider and kill the waste around the compute",
        summary="The same H100 is 38 to 71 % cheaper at a specialist cloud than at a hyperscaler. Around it: traffic by the gigabyte, footage nobody watches again, machines larger than needed.",
        effort="weeks",
        risk="less capacity, support and compliance at the cheap end; moving the footage costs traffic once",
        latency="depends on where the footage lies",
        prerequisites=("a bill by line: compute, traffic, storage",),
        ask=(
            "How many gigabytes leave the cloud a month, and why?",
            "When was the oldest stored footage last read?",
            "Which contracts or laws tie you to a provider?",
        ),
        sources=(
            "H100 an hour: AWS 6.88 (2026-07-20), Azure 6.98, Lambda 3.29 to 4.29 (2026-09), Runpod 1.99 to 3.99 USD (2026-11-09); the article says 40 to 85 %",
            "traffic out of AWS 0.09 USD a GB for the first 10 TB, Lambda 0 (2026-09-20)",
            "25-levers article, lever 22 (2026-06-03)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit plans that rent machines, or store or move footage."""
        waste = [
            name
            for name, there in (
                ("rents machines", bool(hosted_calls(plan))),
                ("stores footage", bool(plan.of(Keep))),
                ("moves footage", bool(plan.of(Send))),
            )
            if there
        ]
        if not waste:
            return no("the plan rents no machine, stores and moves no footage: add stages `keep` and `send` if it does")
        return yes(f"the plan {' and '.join(waste)}")
