"""Lever 11: continuous batching."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls, writes_tokens

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["ContinuousBatching"]


class ContinuousBatching(Lever, frozen=True, kw_only=True):
    """Let a request join the running batch as soon as a place is free."""

    card: ClassVar[Card] = Card(
        number=11,
        family="serve_better",
        title="Use continuous batching",
        summary="No request waits for the slowest of its batch, so the GPU stays full. About 8x over naive static batching; the often quoted 23x is all of vLLM, paged KV cache included: do not multiply it with lever 12.",
        effort="days",
        risk="the gain is over a naive server; a tuned static one gains far less. The picture encoder is not sped up by it",
        latency="shorter waits; each answer slows a little as the batch fills",
        prerequisites=("a model you host that writes tokens", "several requests at a time"),
        ask=("How many requests are in flight at once?", "What serves the model today?"),
        sources=(
            "Anyscale, Achieve 23x LLM Inference Throughput (2023; read June 2026): 8x scheduling alone, 23x vLLM, both over naive static batching",
            "25-levers article, lever 11 (2026-06-03)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted models that write token by token."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: its maker batches already")
        if not writes_tokens(workload):
            return no("the model answers in one pass: a plain batch of frames fills the GPU")
        return yes("the plan hosts a model that writes tokens")
