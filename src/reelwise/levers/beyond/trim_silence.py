"""Send only sound that has something in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Audio

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["TrimSilence"]


class TrimSilence(Lever, frozen=True, kw_only=True):
    """Cut silence out before speech is transcribed."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Trim the silence",
        summary="Speech is billed by the minute of sound, spoken or not.",
        effort="hours",
        risk="quiet speakers are cut; time stamps must be mapped back",
        latency="shorter",
        ask=("Are time stamps of the transcript used?",),
        sources=("prices a minute: rate cards of speech; the share is measured on your sound",),
    )
    owns: ClassVar[tuple[str, ...]] = ("audio.trim_silence",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit sound that is transcribed, with a known share of speech."""
        if not workload.source.audio:
            return no("the footage has no sound")
        if workload.kind != "transcribe":
            return no("the job does not transcribe sound")
        if not facts.known("audio.speech_share", workload.footage):
            return no("the share of speech is not measured: run `reelwise audit`, or give facts.audio.speech_share")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on."""
        return plan.merge(Audio, lambda: Audio(trim_silence=True), lambda s: replace(s, trim_silence=True))
