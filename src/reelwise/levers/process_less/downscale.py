"""Lever 2: downscale before the model sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, rule_of, takes_video, yes
from reelwise.stages import Call, Pack, Scale

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Downscale"]


class Downscale(Lever, frozen=True, kw_only=True):
    """Smaller frames, and the model's coarse media resolution where it has one; for generated video a lower resolution."""

    long_side: Annotated[int, Meta(ge=16, le=16384)] = 854
    detail: str = "low"
    resolution: str = "720p"

    card: ClassVar[Card] = Card(
        number=2,
        family="process_less",
        title="Downscale resolution before the model sees it",
        summary="Most models bill pixels, some only the level you ask for. The token rule decides: 1080p to 480p is 5.0x on "
        "gpt-5.4, 2.6x on gpt-4o and 1.0x on any Gemini video.",
        effort="hours",
        risk="small text and far faces are lost",
        latency="shorter",
        ask=("What is the smallest thing in the frame that the answer depends on?",),
        sources=(
            "25-levers article, lever 2",
            "token rules in docs/tokens.md",
            "gpt-5.4 `low` may cost more than `high` (docs/tokens.md)",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("scale.long_side", "scale.snap_detail", "call.detail", "call.resolution")
    offers: ClassVar[tuple[dict[str, object], ...]] = ({"long_side": 1280}, {"long_side": 854}, {"long_side": 512})

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit pictures that are larger, or calls whose level can go down."""
        if workload.kind == "transcribe":
            return no("the job looks at no pictures")
        after = self.apply(plan)
        if after == plan:
            return no("already as small as asked")
        if after.of(Pack) and any(call.detail == "low" and takes_video(call) for call in language_calls(after, book)):
            return no("at the coarse level a whole sheet would be read with the tokens of one small frame")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Take the smaller size, and the coarse level where the model has one."""
        if any(call.part == "generate" for call in plan.of(Call)):
            return edit_calls(plan, self._generate)
        plan = plan.merge(
            Scale,
            lambda: Scale(long_side=self.long_side),
            self._smaller,
        )
        return edit_calls(plan, self._coarse)

    def _smaller(self, scale: Scale) -> Scale:
        """Take the smaller side; a size fitted to a model's tiles is fitted to those of the coarse level."""
        side = min(scale.long_side or self.long_side, self.long_side)
        fitted = rule_of(Call(model=scale.snap_model)) if scale.snap_model else None
        coarse = fitted is not None and self.detail in fitted.details
        return replace(scale, long_side=side, snap_detail=self.detail if coarse else scale.snap_detail)

    def _generate(self, call: Call) -> Call:
        lower = call.part == "generate" and _lines(self.resolution) < _lines(call.resolution)
        return replace(call, resolution=self.resolution) if lower else call

    def _coarse(self, call: Call) -> Call:
        """Ask for the coarse level; a model without levels ignores it, and a model that stands in for it need not."""
        found = rule_of(call)
        asks = found is not None and (not found.details or self.detail in found.details)
        return replace(call, detail=self.detail) if asks else call


def _lines(resolution: str) -> float:
    """Read the height off "720p" or "4k"; what says nothing may be any."""
    number = resolution.lower().removesuffix("p").removesuffix("k")
    if not number.isdigit():
        return math.inf
    return int(number) * (540 if resolution.lower().endswith("k") else 1)
