"""Ask all questions in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, set_calls, yes
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["AskOnce"]


class AskOnce(Lever, frozen=True, kw_only=True):
    """Pay for the video once, however many questions are asked about it."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Ask once",
        summary="Ten questions in ten calls pay for the video ten times. Asked together they pay once; beats any cache where the questions are known together.",
        effort="hours",
        risk="one long answer to take apart; a late question still needs a call",
        latency="one answer instead of several; later for the first",
        prerequisites=("questions that are known together",),
        ask=("Are the questions known when the video arrives?",),
        sources=(
            "arithmetic: gemini-2.5-pro, 1 h, 10 questions: 27.00 apart, 10.26 with an explicit cache, 2.70 together",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.ask",)
    excludes: ClassVar[tuple[str, ...]] = ("explicit_cache",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit videos that are asked more than one question."""
        if workload.repetition.questions <= 1:
            return no("one question a video: repetition.questions is 1")
        if all(call.ask == "once" for call in plan.of(Call)):
            return no("the plan asks once already")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Ask once in every call."""
        return set_calls(plan, ask="once")
