"""Lever 18: cache the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Reuse, Sample

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["AnswerCache"]


class AnswerCache(Lever, frozen=True, kw_only=True):
    """Serve repeats from stored answers; with `questions` also those that mean the same, with `frames` frames that look alike.

    `error_most` is the share of hits on questions that may be wrong (docs/reuse.md).
    """

    questions: bool = False
    frames: bool = False
    error_most: Annotated[float, Meta(gt=0, lt=1)] = 0.02

    card: ClassVar[Card] = Card(
        number=18,
        family="pay_less",
        title="Cache the answer",
        summary="A request that was answered before costs nothing: re-uploaded clips, duplicate frames, the same question about the same video.",
        effort="days",
        risk="a near match that is not the same gets a wrong answer",
        latency="a hit is instant",
        prerequisites=(
            "repetition: duplicates, repeated views, or questions and frames that come again",
            "an exact or measured match",
        ),
        ask=("How often does the same clip come again?", "Who may see whose answers?"),
        sources=(
            "25-levers article, lever 18",
            "similarity matches need a measured error: users report 70 % false matches of one video hash",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("reuse.answers", "reuse.questions", "reuse.frames", "reuse.error_most")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit work that repeats."""
        again = workload.repetition
        if again.views * again.duplicates > 1 or (self.questions and again.questions > 1):
            return yes()
        if self.frames and plan.of(Sample):
            return yes()
        return no("every request is unique: repetition.views and repetition.duplicates are 1")

    def apply(self, plan: Plan) -> Plan:
        """Turn it on beside other reuse."""
        return plan.merge(Reuse, Reuse, self._on)

    def _on(self, stage: Reuse) -> Reuse:
        most = stage.error_most
        if self.questions:
            most = min(most, self.error_most) if stage.questions else self.error_most
        return replace(
            stage, answers=True, questions=stage.questions or self.questions, frames=stage.frames or self.frames,
            error_most=most,
        )  # fmt: skip
