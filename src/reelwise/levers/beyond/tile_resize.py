"""Fit frames to the tile grid of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, language_calls, no, sees_pictures, takes_video, yes
from reelwise.levers.grid import grid_call
from reelwise.stages import Scale

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["TileResize"]


class TileResize(Lever, frozen=True, kw_only=True):
    """Scale by at most 1 - `smallest` of a side, to the size that costs the fewest tokens."""

    smallest: Annotated[float, Meta(ge=0.5, le=1)] = 0.9

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Resize to the tile boundary",
        summary="One row of pixels over a tile costs a row of tiles: 912x513 is 765 tokens on gpt-4o, 910x512 is 425.",
        effort="hours",
        risk="none that is visible: a tenth of a side at most",
        latency="slightly shorter",
        sources=("token rules in docs/tokens.md; arithmetic",),
    )
    owns: ClassVar[tuple[str, ...]] = ("scale.snap_model", "scale.snap_detail", "scale.snap_min")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit frames sent as pictures."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        calls = language_calls(plan, book)
        if not calls:
            return no("no call is billed by tokens")
        if all(call.part != "images" and takes_video(call) for call in calls):
            return no("a native video costs the same at any size")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Fit to the grid of the main call's model, or of the one that doubtful items are passed on to: it is the dearer."""
        grid = grid_call(plan)
        if grid is None:
            return plan
        model, detail = grid
        return plan.merge(
            Scale,
            Scale,
            lambda s: s if s.snap_model else replace(s, snap_model=model, snap_detail=detail, snap_min=self.smallest),
        )
