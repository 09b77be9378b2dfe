"""Lever 23: use a hybrid edge-plus-cloud topology."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.stages import Gate

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Edge"]


class Edge(Lever, frozen=True, kw_only=True):
    """Do the constant, cheap work beside the camera and send only the rare, hard rest."""

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

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit cameras that are always on, and answers too fast for a round trip."""
        if workload.kind == "generate":
            return no("generated video has no camera to stand beside")
        if any(gate.at == "edge" for gate in plan.of(Gate)):
            return no("the gate of the plan is at the edge already")
        if workload.source.always_on or workload.demand.form == "cameras":
            return yes("cameras that are always on: let the edge decide what is sent")
        if workload.latency == "realtime":
            return yes("real-time answers: save the round trip")
        return no("the footage arrives as uploads without a deadline: there is no camera of yours to stand beside")
