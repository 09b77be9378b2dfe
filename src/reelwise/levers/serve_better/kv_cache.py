"""Lever 12: reuse the KV cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.serve_better.serving_runtime import hosted_calls, writes_tokens

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["KvCache"]


class KvCache(Lever, frozen=True, kw_only=True):
    """Page the memory of running requests, and share the part that is the same."""

    card: ClassVar[Card] = Card(
        number=12,
        family="serve_better",
        title="Reuse the KV cache (PagedAttention)",
        summary="Paging wastes less of the GPU's memory, so more requests fit at once; equal prefixes are kept once and not read again. Part of the 23x of lever 11, not a factor beside it.",
        effort="hours",
        risk="shared prefixes must be equal token for token; video tokens come first in some prompts and break the match",
        latency="shorter first token where a prefix is shared",
        prerequisites=("a model you host that writes tokens", "a runtime with paging: vLLM, SGLang, TensorRT-LLM"),
        ask=("Does the shared text stand before the video in the prompt?", "What share of prefix look-ups hits?"),
        sources=(
            "Kwon et al., PagedAttention, arXiv:2309.06180, SOSP 2023",
            "25-levers article, lever 12 (2026-06-03)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted models that write token by token; more so where calls repeat a prefix or ask again about a video."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: see prompt_cache for its price of a cached prefix")
        if not writes_tokens(workload):
            return no("the model answers in one pass and keeps no KV cache")
        if workload.prompt.prefix > 0 or workload.repetition.questions > 1:
            return yes("the plan hosts a model that writes tokens, and calls share a prefix or a video")
        return yes("the plan hosts a model that writes tokens; nothing is shared, so only paging helps")
