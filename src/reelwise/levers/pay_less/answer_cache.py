"""Lever 18: cache the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Reuse

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["AnswerCache"]


class AnswerCache(Lever, frozen=True, kw_only=True):
    """Serve repeated requests from stored answers."""

    card: ClassVar[Card] = Card(
        number=18,
        family="pay_less",
        title="Cache the answer",
        summary="A request that was answered before costs nothing: re-uploaded clips, duplicate frames, the same question about the same video.",
        effort="days",
        risk="a near match that is not the same gets a wrong answer",
        latency="a hit is instant",
        prerequisites=("repetition: duplicates or repeated views", "an exact or measured match"),
        ask=("How often does the same clip come again?", "Who may see whose answers?"),
        sources=(
            "25-levers article, lever 18",
            "similarity matches need a measured error: users report 70 % false matches of one video hash",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("reuse.answers",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit work that repeats."""
        again = workload.repetition
        if again.views * again.duplicates <= 1:
            return no("every request is unique: repetition.views and repetition.duplicates are 1")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on beside other reuse."""
        return plan.merge(Reuse, lambda: Reuse(answers=True), lambda s: replace(s, answers=True))
