"""Lever 8: swap a frontier API for a small open model where quality allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.hosts import Host
from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.speeds import speed_unknown
from reelwise.stages import Call, Crop, Sample

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["OpenModel"]

_FITTED_CROP = {"snap_model": None, "snap_detail": ""}
_FITTED_SAMPLE = {"budget_tokens": None, "budget_model": None, "budget_detail": ""}
"""Settings that fit frames to the tokens of the rented model, and what they are without one."""


class OpenModel(Lever, frozen=True, kw_only=True):
    """Host an open model in place of a rented one, on machines of `sku`; its speed is the fact `host.open.frames_per_second`."""

    sku: str = "aws/g4dn.xlarge"
    scale: Literal["fixed", "auto", "serverless"] = "fixed"
    utilisation: Annotated[float, Meta(gt=0, le=1)] = 1.0
    spare: Annotated[int, Meta(ge=0, le=10_000)] = 0
    network: str = ""

    card: ClassVar[Card] = Card(
        number=8,
        family="smaller_model",
        title="Swap a frontier API for a small open model where quality allows",
        summary="Above a steady volume, owning the model beats renting it by the token. For segmentation a T4 at 15 frames a second costs $9.74 a million frames, an image API $1,000.",
        effort="weeks",
        risk="an idle card costs the same as a busy one; quality and licence (AGPL, non-commercial) are yours to check",
        latency="yours to set: no queue of others, but your own peak",
        prerequisites=(
            "volume that keeps a card busy",
            "a set of cases with known answers",
            "somebody who runs the machines",
        ),
        ask=(
            "What does the API cost a month today, and how many busy cards would do the same work?",
            "Does the licence allow your use?",
        ),
        sources=(
            "25-levers article, lever 8 (2026-06-03)",
            "g4dn.xlarge 0.526 USD an hour: karpenter-provider-aws price list, 2026-07-20; 15 frames a second is an assumption of the segmentation article",
        ),
    )

    owns: ClassVar[tuple[str, ...]] = (
        "hosts",
        "call.model",
        "call[main]",
        *(f"crop.{name}" for name in _FITTED_CROP),
        *(f"sample.{name}" for name in _FITTED_SAMPLE),
    )
    excludes: ClassVar[tuple[str, ...]] = ("route", "cascade", "quantize", "distil", "serverless", "tile_resize")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:
        """Fit calls to a rented model, where the speed of a machine of your own is known."""
        reasons = (
            (not plan.of(Call, lambda call: call.host is None), "every model of the plan is self-hosted already"),
            (
                workload.kind == "generate",
                "open models of 1 to 7 billion parameters are for reading video, not for generating it",
            ),
            (not plan.of(Call, _is_rented), "machines are counted in frames here, and the rented model hears sound"),
            (bool(plan.lanes), "the plan sends work to more than one model: write the one to replace as a host"),
            (
                workload.load == "spiky" and self.scale == "fixed",
                "a spiky load leaves a machine of your own idle most of the time: see scale auto or serverless",
            ),
        )
        against = next((text for holds, text in reasons if holds), "") or speed_unknown(self._host(), facts, book)
        if against:
            return no(against)
        return yes(f"calls go to a rented model under a {workload.load} load: `reelwise compare` finds the volume")

    def apply(self, plan: Plan) -> Plan:
        """Put the machine in place of every rented model that sees frames; what tuned the rented model goes with it."""
        if not plan.of(Call, _is_rented):
            return plan
        host = self._host()
        plan = plan.edit(Call, lambda call: Call(host=host.name, lane=call.lane) if _is_rented(call) else call)
        plan = plan.edit(Crop, lambda crop: replace(crop, **_FITTED_CROP))
        return plan.edit(Sample, lambda sample: replace(sample, **_FITTED_SAMPLE)).with_host(host)

    def _host(self) -> Host:
        return Host(
            name="open",
            sku=self.sku,
            scale=self.scale,
            utilisation=self.utilisation,
            spare=self.spare,
            network=self.network,
        )


def _is_rented(call: Call) -> bool:
    return call.host is None and call.part not in {"audio", "generate"}
