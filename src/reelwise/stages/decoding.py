"""What it costs to look at the footage before any model does: a full decode, shared by all stages that need it, or a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.evidence import MEASURED
from reelwise.requests import Usage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.flow import Item, Out
    from reelwise.units import Num

__all__ = ["CPU", "SCAN_CPU", "VCPUS", "decoded", "looked_for", "scan_cpu"]

CPU = "aws/c7g.xlarge"
"""The machine that decodes in the cloud: four cores, billed by the hour."""

VCPUS = 4
SCAN_CPU = "scan.cpu_seconds_per_second"
"""The fact that says what a scan costs; keyed by (method, mode)."""


def decoded(item: Item, facts: Facts, out: Out, stage: str) -> Item:
    """Bill decoding an item once; at the edge the device does it, and its cost is not billed here."""
    if item.decoded or item.place == "edge":
        return item
    cpu, bit = facts.get("decode.cpu_seconds_per_second", source_class=item.footage)
    _bill(item, out, stage, cpu, bit)
    return replace(item, decoded=True)


def looked_for(item: Item, facts: Facts, out: Out, how: tuple[str, str], cpu: float | None = None) -> None:
    """Bill a scan of an item. What it decodes it forgets: stages that look at pictures decode what is left.

    Args:
        item: what is scanned; at the edge the device does it.
        facts: what a scan costs, where it was not counted.
        out: where it is billed.
        how: method and mode.
        cpu: CPU seconds a second as counted on footage; None takes the fact.
    """
    if item.decoded or item.place == "edge":
        return
    cost, bit = scan_cpu(facts, how, item.footage) if cpu is None else (cpu, MEASURED)
    _bill(item, out, "gate", cost, bit)


def scan_cpu(facts: Facts, how: tuple[str, str], footage: str) -> tuple[Num, int]:
    """Return the CPU seconds that a scan takes for a second of video, and the evidence mask.

    What was measured (or given) for this method and mode; else its share of a full decode, from benches.
    """
    found = facts.find(SCAN_CPU, stage=how, source_class=footage)
    if found is not None and found[1]:
        return facts.get(SCAN_CPU, stage=how, source_class=footage)
    full, bit = facts.get("decode.cpu_seconds_per_second", source_class=footage)
    share, bit_share = facts.get(f"scan.{how[0]}.{how[1]}.cpu_share")
    return full * share, bit | bit_share


def _bill(item: Item, out: Out, stage: str, cpu: Num, bit: int) -> None:
    out.usages.append(
        Usage(
            sku=CPU,
            unit="hour",
            quantity=item.count * item.seconds * cpu / 3600 / VCPUS,
            lane=item.lane,
            source_class=item.source_class,
            stage=stage,
            basis=item.basis | bit,
        )
    )
