"""Lever 17: cache the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, yes
from reelwise.stages.prefixes import prefix_min

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.stages import Call
    from reelwise.workload import Workload

__all__ = ["PromptCache"]


class PromptCache(Lever, frozen=True, kw_only=True):
    """Pay the cached price for the prefix that every call repeats."""

    card: ClassVar[Card] = Card(
        number=17,
        family="pay_less",
        title="Cache the prompt",
        summary="The repeated prefix is billed at a tenth of the input price or less. Worth it in proportion to the prefix's share of a call.",
        effort="hours",
        risk="a prefix that changes by one word misses; writes cost more than plain input on Anthropic",
        latency="shorter: the prefix is not read again",
        prerequisites=("a prefix in front of every call of 512 to 4,096 tokens or more, by model",),
        ask=(
            "Is the prefix word for word the same?",
            "Do calls come within the cache's lifetime? Five minutes; at Anthropic an hour with `cache_hours: 1` on the call",
        ),
        sources=(
            "Anthropic prompt caching (25-levers article, lever 17)",
            "0.025x to 0.1x of input by model: genai-prices 0.2.3",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.cache",)
    lossless: ClassVar[bool] = True
    excludes: ClassVar[tuple[str, ...]] = ("explicit_cache",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit language models behind a long shared prefix."""
        calls = language_calls(plan, book)
        if not calls:
            return no("no call goes to a language model")
        least = min(prefix_min(call.model) for call in calls)
        if workload.prompt.prefix < least:
            return no(f"the shared prefix has {workload.prompt.prefix:,.0f} tokens, caches take {least:,} and more")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on where no cache is used."""
        return edit_calls(plan, _on)


def _on(call: Call) -> Call:
    return replace(call, cache="prefix") if call.cache == "none" else call
