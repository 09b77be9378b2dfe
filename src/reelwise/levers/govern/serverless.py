"""Lever 21: scale to zero with serverless GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["BUSY_BREAK_EVEN", "Serverless"]

BUSY_BREAK_EVEN = 0.83
"""Busy share above which a rented GPU is cheaper: Lambda H100 PCIe 3.29 USD an hour over Modal H100 0.001097 USD a second (2026)."""


class Serverless(Lever, frozen=True, kw_only=True):
    """Pay for busy seconds only."""

    card: ClassVar[Card] = Card(
        number=21,
        family="govern",
        title="Scale to zero with serverless GPUs",
        summary="Billed by the second of work, nothing while idle. A serverless second costs more than a rented one: at current prices renting wins above 83 to 89 % busy, and against a hyperscaler's H100 not even then.",
        effort="days",
        risk="a cold start keeps the first request waiting; some platforms bill set-up and idle time too",
        latency="2 to 42 s more on a cold start, by platform and model size",
        prerequisites=("a model that loads fast", "requests that can wait for a cold start, or one warm machine"),
        ask=("What share of the month is a machine busy?", "May the first request after a pause wait half a minute?"),
        sources=(
            "25-levers article, lever 21 (2026-06-03)",
            "Modal T4 0.000164 and H100 0.001097 USD a second (2026-07-01) against g4dn.xlarge 0.526 (2026-07-20), Lambda H100 PCIe 3.29 and AWS p5.4xlarge 6.88 USD an hour",
            "cold starts 2 to 4 s (Modal), 8 to 15 s (Replicate), 36 to 42 s (Runpod H100): secondary sources, 2026, not measured by us",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted work that leaves machines idle."""
        calls = hosted_calls(plan)
        if not calls:
            return no("every model is rented by the call: it costs nothing while idle already")
        named = {call.host for call in calls}
        if all(host.scale == "serverless" for host in plan.hosts if host.name in named):
            return no("every host is serverless already")
        if workload.latency == "realtime":
            return no("real-time answers cannot wait for a cold start")
        return idle_hours(workload)


def idle_hours(workload: Workload) -> Verdict:
    """Say whether the load leaves a rented machine idle for long enough."""
    if workload.load == "steady":
        return no(f"the load is steady: a rented machine is cheaper above {BUSY_BREAK_EVEN:.0%} busy")
    if workload.load == "spiky":
        return yes("the load is spiky: idle hours cost nothing")
    busy = 1 / workload.peak_over_mean
    if busy >= BUSY_BREAK_EVEN:
        return no(f"machines for the peak are {busy:.0%} busy: renting is cheaper (peak_over_mean)")
    return yes(f"machines for the peak are busy {busy:.0%} of the time at most")
