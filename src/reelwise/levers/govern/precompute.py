"""Lever 24: precompute derived artefacts once."""

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

__all__ = ["Precompute"]


class Precompute(Lever, frozen=True, kw_only=True):
    """Analyse at ingest, serve every view from the stored transcript, index and thumbnails."""

    card: ClassVar[Card] = Card(
        number=24,
        family="govern",
        title="Precompute derived artefacts once",
        summary="A video is watched many times but need be analysed once. Storage is pennies, recomputation is the model bill again.",
        effort="days",
        risk="videos nobody watches are analysed too; a new model means a new run",
        latency="a view is instant; ingest takes longer",
        prerequisites=("more views than videos",),
        ask=("How many views has the median video?",),
        sources=("25-levers article, lever 24",),
    )
    owns: ClassVar[tuple[str, ...]] = ("reuse.views",)
    lossless: ClassVar[bool] = True

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit videos that are watched more than once."""
        if workload.repetition.views <= 1:
            return no("each video is analysed for one view only: repetition.views is 1")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on beside other reuse."""
        return plan.merge(Reuse, lambda: Reuse(views=True), lambda s: replace(s, views=True))
