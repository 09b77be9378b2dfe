"""Lever 16: use the batch API for anything that is not real-time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, set_calls, yes
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["BatchApi"]


class BatchApi(Lever, frozen=True, kw_only=True):
    """Bill every call at the batch price."""

    card: ClassVar[Card] = Card(
        number=16,
        family="pay_less",
        title="Use the batch API for anything that is not real-time",
        summary="The same jobs within 24 hours at half the price of fresh tokens. Cached tokens keep the standard rate on some models.",
        effort="hours",
        risk="answers may take a day; failed jobs come back late",
        latency="up to 24 hours",
        prerequisites=("a job that can wait a day",),
        ask=("Does anyone wait for the answer?",),
        sources=(
            "OpenAI and Google batch guides (25-levers article, lever 16)",
            "cached tokens under batch: docs/rates.md",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.mode",)
    lossless: ClassVar[bool] = True
    excludes: ClassVar[tuple[str, ...]] = ("flex",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit work that can wait a day, on models with a batch price."""
        if workload.latency != "day":
            return no(f"answers are due within `{workload.latency}`, batch takes up to 24 h (latency: day)")
        return mode_offered("batch", plan, book)

    def apply(self, plan: Plan) -> Plan:
        """Set the mode of every call."""
        return set_calls(plan, mode="batch")


def mode_offered(mode: str, plan: Plan, book: Book) -> Verdict:
    """Say whether every call of a plan has a price in a mode."""
    calls = plan.of(Call, lambda call: call.host is None)
    if not calls:
        return no("no call goes to a billed endpoint")
    without = sorted({call.model for call in calls if mode not in book.modes(call.model)})
    if without:
        return no(f"no {mode} price is known for {', '.join(without)}")
    if all(call.mode == mode for call in calls):
        return no(f"every call is {mode} already")
    return yes()
