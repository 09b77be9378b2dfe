"""Lever 5: trim the prompt and cap the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, language_calls, no, yes
from reelwise.stages import Prompt

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["TrimPrompt"]

Tokens = Annotated[float, Meta(ge=0, le=1e7)]


class TrimPrompt(Lever, frozen=True, kw_only=True):
    """Cap the repeated prefix and the answer, in tokens; null leaves a part alone."""

    prefix: Tokens | None = None
    output: Tokens | None = 200.0

    card: ClassVar[Card] = Card(
        number=5,
        family="process_less",
        title="Trim the prompt and cap the output",
        summary="Output tokens cost five to eight times input tokens. An answer of 2,000 tokens where 200 would do is tenfold on the dearest line.",
        effort="hours",
        risk="answers cut off in the middle; set the cap a little above what the prompt asks for",
        latency="shorter: output is written token by token",
        prerequisites=(
            "instructions in parts, of which answers need some and not others: `reelwise prompt` finds out",
        ),
        ask=(
            "Who reads the whole answer?",
            "Would a form do (`ask.answer`): choices and counts in place of sentences?",
        ),
        sources=(
            "25-levers article, lever 5",
            "output over input: 5x Claude, 6x GPT-5.x, 8x Gemini 2.5 (genai-prices 0.2.3)",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("prompt.prefix", "prompt.output")
    offers: ClassVar[tuple[dict[str, object], ...]] = ({"output": 200.0},)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit calls with more text than the caps."""
        if not language_calls(plan, book):
            return no("no call is billed by text tokens")
        prompt = workload.prompt
        longer = (self.output is not None and prompt.output > self.output) or (
            self.prefix is not None and prompt.prefix > self.prefix
        )
        return yes() if longer else no("the prompt and the answer are within the caps already")

    def apply(self, plan: Plan) -> Plan:
        """Take the lower cap of each part."""
        return plan.merge(
            Prompt,
            lambda: Prompt(prefix=self.prefix, output=self.output),
            lambda s: replace(s, prefix=lower(s.prefix, self.prefix), output=lower(s.output, self.output)),
        )


def lower(a: float | None, b: float | None) -> float | None:
    """Take the lower of two caps, where None is no cap."""
    if a is None or b is None:
        return a if b is None else b
    return min(a, b)
