"""Lever 10: quantize the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no
from reelwise.levers.serve_better.serving_runtime import hosted_calls
from reelwise.levers.smaller_model.probed import probed, with_variant

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Quantize"]


class Quantize(Lever, frozen=True, kw_only=True):
    """Store the numbers of the model you host in fewer bits."""

    card: ClassVar[Card] = Card(
        number=10,
        family="smaller_model",
        title="Quantize the model",
        summary="8 bits in place of 16 halve the model's memory (4x is from 32 bits), so it fits a smaller card. Whether it also runs faster must be measured: money follows throughput, not bits.",
        effort="days",
        risk="small or depthwise networks can run slower in 8 bits and lose accuracy; accept it only where both are measured",
        latency="shorter on cards with 8-bit units, longer on others",
        prerequisites=("a model you host", "a card with fast 8-bit arithmetic", "a set of cases with known answers"),
        ask=("Is it faster on your machine, measured?", "What accuracy is lost on your own footage?"),
        sources=(
            "25-levers article, lever 10 (2026-06-03); its fourfold from 16 to 8 bits is corrected to twofold (arithmetic)",
            "dense 8-bit rate is 2x the 16-bit rate on A100, H100, L4, L40S: NVIDIA AIConfigurator system tables, 2026-08-21",
            "counter-evidence: onnxruntime issue 12854 (static quantization is the one for convolutions)",
        ),
    )

    owns: ClassVar[tuple[str, ...]] = ("host.variant",)
    excludes: ClassVar[tuple[str, ...]] = ("distil", "open_model", "edge")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit models that are served by hosts of the plan, where some loss is allowed and both speed and loss are measured."""
        if not hosted_calls(plan):
            return no("every model is rented by the call: its numbers are not yours to store (see open_model)")
        if workload.quality_floor is not None and workload.quality_floor >= 1:
            return no("quality_floor 1 leaves no room for rounding")
        if all(host.variant != "full" for host in plan.hosts):
            return no("every host runs a smaller network already")
        return probed("quantize", facts, workload.footage)

    def apply(self, plan: Plan) -> Plan:
        """Run the smaller network on every machine that runs the full one."""
        return with_variant(plan, "quantized")
