"""What it costs to look at the footage before any model does: one decode, shared by all stages that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.requests import Usage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.flow import Item, Out

__all__ = ["CPU", "decoded"]

CPU = "aws/c7g.xlarge"
"""The machine that decodes in the cloud: four cores, billed by the hour."""

_VCPUS = 4


def decoded(item: Item, facts: Facts, out: Out, stage: str) -> Item:
    """Bill decoding an item once; at the edge the device does it, and its cost is not billed here."""
    if item.decoded or item.place == "edge":
        return item
    cpu, bit = facts.get("decode.cpu_seconds_per_second", source_class=item.footage)
    hours = item.count * item.seconds * cpu / 3600 / _VCPUS
    out.usages.append(
        Usage(
            sku=CPU,
            unit="hour",
            quantity=hours,
            lane=item.lane,
            source_class=item.source_class,
            stage=stage,
            basis=item.basis | bit,
        )
    )
    return replace(item, decoded=True)
