"""Split long items so that no call crosses the model's long-context price."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, yes

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.stages import Call
    from reelwise.workload import Workload

__all__ = ["ChunkBelowCliff"]


class ChunkBelowCliff(Lever, frozen=True, kw_only=True):
    """Cut an item into as few calls as stay under the price cliff."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Chunk below the price cliff",
        summary="Long-context prices apply to the whole request: one token over 200,000 doubles all of them. Six calls of ten minutes cost half of one call of an hour.",
        effort="days",
        risk="questions across chunks need a step that merges answers; the prompt is sent with every chunk",
        latency="chunks run side by side; the merge adds a call",
        prerequisites=("answers that can be merged",),
        ask=("Does any question need the whole video at once?",),
        sources=(
            "genai-prices 0.2.3, tiers: gemini-2.5-pro above 200,000 tokens, claude-haiku-5-5 above 100,000 (5x)",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.chunk",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit models with a cliff, called with more than it takes; the price decides whether any call is that long."""
        calls = language_calls(plan, book)
        if not any(book.cliff(call.model, call.mode) for call in calls):
            return no("no model of the plan has a long-context price")
        if all(call.chunk != "none" for call in calls):
            return no("the plan already splits its calls")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on where calls are not split."""
        return edit_calls(plan, _split)


def _split(call: Call) -> Call:
    return replace(call, chunk="below_cliff") if call.chunk == "none" else call
