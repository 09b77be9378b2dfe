"""Lever 14: use a purpose-built serving runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["ServingRuntime", "hosted_calls", "writes_tokens"]


class ServingRuntime(Lever, frozen=True, kw_only=True):
    """Serve the model with vLLM, TensorRT-LLM, SGLang or ONNX Runtime in place of the research framework."""

    card: ClassVar[Card] = Card(
        number=14,
        family="serve_better",
        title="Use a purpose-built serving runtime",
        summary="A production runtime brings batching, paging, compiled kernels and quantization in one step. Levers 11 to 13 live inside it: count the runtime once, as measured throughput.",
        effort="days",
        risk="versions of driver, runtime and model must fit; a new model may not be supported for weeks",
        latency="shorter",
        prerequisites=("a model you host, in a format the runtime takes",),
        ask=("How many requests a second does one card do today, and how many with the runtime, on your prompts?",),
        sources=(
            "25-levers article, lever 14 (2026-06-03)",
            "vLLM 0.6.0: 2.7x throughput and 5x faster tokens than 0.5 on Llama 8B (vLLM blog, 2024-09-05)",
            "SAM 2.1 base+: 34.8 to 43.8 frames a second on A100 by compiling (facebookresearch/sam2 README, 2024-09-30)",
        ),
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit every self-hosted model."""
        calls = hosted_calls(plan)
        if not calls:
            return no("every model is rented by the call: its maker serves it")
        return yes(f"the plan hosts a model on {', '.join(sorted({call.host or '' for call in calls}))}")


def hosted_calls(plan: Plan) -> tuple[Call, ...]:
    """Return the calls served by hosts of the plan."""
    return plan.of(Call, lambda call: call.host is not None)


def writes_tokens(workload: Workload) -> bool:
    """Say whether a model for the job writes its answer token by token; networks that cut out or paint frames do not."""
    return workload.kind in {"understand", "transcribe"}
