"""Lever 13: speculative decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls, writes_tokens

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["SpeculativeDecoding"]


class SpeculativeDecoding(Lever, frozen=True, kw_only=True):
    """Let a small model guess the next tokens and the large one check them in one pass."""

    card: ClassVar[Card] = Card(
        number=13,
        family="serve_better",
        title="Use speculative decoding",
        summary="The same output, written 2 to 3x faster where few requests run at once. With full batches the check itself costs compute, and the gain shrinks or turns into a loss.",
        effort="days",
        risk="at large batches it can cost more than it saves; only writing gets faster, and a video call is mostly reading",
        latency="2 to 3x shorter writing at small batches",
        prerequisites=("a model you host that writes tokens", "a draft model of the same vocabulary"),
        ask=("What share of GPU time is writing, not reading?", "How large are the batches at peak?"),
        sources=(
            "Leviathan et al., arXiv:2211.17192, ICML 2023: 2 to 3x; tokens a pass = (1 - a^(g+1)) / (1 - a)",
            "25-levers article, lever 13 (2026-06-03)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted models that write answers."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: how it decodes is its maker's choice")
        if not writes_tokens(workload):
            return no("the model answers in one pass: there is nothing to guess ahead")
        if workload.kind == "understand" and workload.prompt.output <= 0:
            return no("prompt.output is 0: no answer is written that could be guessed ahead")
        if workload.load == "steady":
            return yes("the plan hosts a model that writes tokens; a steady load fills batches, so measure at peak")
        return yes("the plan hosts a model that writes tokens, and batches are small off peak")
