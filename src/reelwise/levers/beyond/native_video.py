"""Send a native video part instead of frames as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, takes_video, yes

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.stages import Call
    from reelwise.workload import Workload

__all__ = ["NativeVideo"]


class NativeVideo(Lever, frozen=True, kw_only=True):
    """Let the model sample the video itself."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Send a native video part instead of frames as images",
        summary="A frame inside a video costs 70 tokens on Gemini 3, the same frame as a picture 1,120; on Gemini 2.x 258 against 1,548.",
        effort="hours",
        risk="coarser frames; small text may be lost",
        latency="shorter",
        prerequisites=("a model that takes video",),
        ask=("Is small text read from the frames?",),
        sources=("media resolution tables of the Gemini API, 2026-09-23 (docs/tokens.md)",),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.part",)
    excludes: ClassVar[tuple[str, ...]] = ("contact_sheet",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit calls that send pictures to a model that takes video."""
        calls = language_calls(plan, book)
        if not any(call.part == "images" for call in calls):
            return no("no call sends frames as pictures")
        if not any(call.part == "images" and takes_video(call) for call in calls):
            return no("the model takes no video")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Let each call send video where its model takes it, and pictures where not."""
        return edit_calls(plan, _native)


def _native(call: Call) -> Call:
    return replace(call, part="auto") if call.part == "images" else call
