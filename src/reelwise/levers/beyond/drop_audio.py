"""Leave the sound out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, sees_pictures, yes
from reelwise.stages import Audio

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["DropAudio"]


class DropAudio(Lever, frozen=True, kw_only=True):
    """Send the video part without its sound."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Drop the audio",
        summary="Sound is a token stream of its own at two to three times the price on several Flash models. Below one frame a second it is most of the bill.",
        effort="minutes",
        risk="whatever is only heard is lost",
        latency="slightly shorter",
        ask=("Does the answer depend on anything that is heard?",),
        sources=("25 and 32 tokens a second of sound (docs/tokens.md)", "audio prices: genai-prices 0.2.3"),
    )
    owns: ClassVar[tuple[str, ...]] = ("audio.keep",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit footage with sound that is looked at."""
        if not sees_pictures(workload):
            return no("the sound is the job")
        if not workload.source.audio:
            return no("the footage has no sound")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Drop it; dropping wins over trimming."""
        return plan.merge(Audio, lambda: Audio(keep=False), lambda s: replace(s, keep=False))
