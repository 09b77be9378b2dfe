"""Put several frames into one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, sees_pictures, takes_video, yes
from reelwise.stages import Call, Pack

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["ContactSheet"]


class ContactSheet(Lever, frozen=True, kw_only=True):
    """Pack columns x rows frames on one sheet, where a picture is billed flat or by the tile."""

    columns: Annotated[int, Meta(ge=1, le=8)] = 3
    rows: Annotated[int, Meta(ge=1, le=8)] = 3
    long_side: Annotated[int, Meta(ge=64, le=4096)] = 1152

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Send contact sheets",
        summary="Nine frames on one 384-pixel sheet cost 28.7 tokens each on Gemini 2.x instead of 258. Models that bill by area gain only rounding (6 to 7 %).",
        effort="hours",
        risk="each frame is small; order and time must be said in the prompt",
        latency="shorter",
        ask=("Is a small frame enough?", "Does the model read the order right? Try it."),
        sources=("token rules in docs/tokens.md; arithmetic",),
    )
    owns: ClassVar[tuple[str, ...]] = ("pack", "call.part")
    excludes: ClassVar[tuple[str, ...]] = ("native_video",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit language models that look at pictures."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if not language_calls(plan, book):
            return no("no call is billed by tokens")
        if plan.of(Pack):
            return no("the plan packs frames already")
        if any(call.detail == "low" and takes_video(call) for call in language_calls(plan, book)):
            return no("at the coarse level a whole sheet would be read with the tokens of one small frame")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Pack, and send pictures."""
        plan = plan.merge(
            Pack, lambda: Pack(columns=self.columns, rows=self.rows, long_side=self.long_side), lambda s: s
        )
        return edit_calls(plan, _pictures)


def _pictures(call: Call) -> Call:
    return replace(call, part="images") if call.part in {"auto", "video"} else call
