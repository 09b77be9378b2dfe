"""Lever 23: use a hybrid edge-plus-cloud topology."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.hosts import Host
from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.speeds import speed_unknown
from reelwise.stages import Call, Escalate, Gate

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Edge"]


class Edge(Lever, frozen=True, kw_only=True):
    """Ask a device beside the camera first and send only what it is unsure of; its speed is `host.edge.frames_per_second`."""

    sku: str = "nvidia/jetson-orin-nano-super"
    network: str = ""

    card: ClassVar[Card] = Card(
        number=23,
        family="govern",
        title="Use a hybrid edge-plus-cloud topology",
        summary="After the hardware is bought the edge costs power: a $249 board at 25 W over three years is $0.013 an hour. Idle footage is never sent, and sensitive footage stays where it was taken.",
        effort="weeks",
        risk="devices to update, replace and secure; the board may not hold the frame rate, so measure it",
        latency="shortest for what is decided at the edge",
        prerequisites=("a device beside the camera that you may run code on", "a small model or trigger that fits it"),
        ask=("How many cameras share one box?", "Who replaces a dead one?", "What must never leave the site?"),
        sources=(
            "25-levers article, lever 23 (2026-06-03)",
            "Jetson Orin Nano Super 249 USD, 7 to 25 W (NVIDIA data sheet, 2024-12, secondary); electricity 0.146 USD a kWh (EIA table 5.6.A, 2026-04-26)",
        ),
    )

    owns: ClassVar[tuple[str, ...]] = ("hosts", "escalate", "call[main]", "call[doubt].model")
    excludes: ClassVar[tuple[str, ...]] = ("route", "cascade", "quantize", "distil")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:
        """Fit cameras that are always on, and answers too fast for a round trip, where the speed of the device is known."""
        always_on = workload.source.always_on or workload.demand.form == "cameras"
        reasons = (
            (workload.kind == "generate", "generated video has no camera to stand beside"),
            (any(gate.at == "edge" for gate in plan.of(Gate)), "the gate of the plan is at the edge already"),
            (
                not always_on and workload.latency != "realtime",
                "the footage arrives as uploads without a deadline: there is no camera of yours to stand beside",
            ),
            (bool(plan.lanes), "the plan sends work to more than one model already"),
            (_first(plan) is None, "devices are counted in frames here, and the model of the plan hears sound"),
            (any(host.scale == "device" for host in plan.hosts), "the plan runs on devices already"),
        )
        against = next((text for holds, text in reasons if holds), "") or speed_unknown(self._host(), facts, book)
        if against:
            return no(against)
        if always_on:
            return yes("cameras that are always on: let the edge decide what is sent")
        return yes("real-time answers: save the round trip")

    def apply(self, plan: Plan) -> Plan:
        """Put the device in front, and the call of the plan behind its doubt."""
        first = _first(plan)
        if first is None or plan.lanes or any(host.scale == "device" for host in plan.hosts):
            return plan
        host = self._host()
        plan = plan.edit(Call, lambda call: replace(call, lane="doubt") if call == first else call)
        return plan.put(Escalate(lane="main")).put(Call(host=host.name, lane="main")).with_host(host)

    def _host(self) -> Host:
        return Host(name="edge", sku=self.sku, scale="device", network=self.network)


def _first(plan: Plan) -> Call | None:
    """Return the call that items see, if it looks at frames."""
    calls = plan.of(Call, lambda call: call.lane in {None, "main"} and call.part not in {"audio", "generate"})
    return calls[0] if calls else None
