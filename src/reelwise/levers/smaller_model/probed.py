"""Smaller networks are pulled on what a probe has measured, never on a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from reelwise.levers.base import Verdict, no, yes

if TYPE_CHECKING:
    from reelwise.evidence import Fact
    from reelwise.facts import Facts
    from reelwise.plan import Plan

__all__ = ["probed", "with_variant"]


def probed(name: str, facts: Facts, footage: str) -> Verdict:
    """Say whether a probe found a smaller network to be faster, and what it keeps."""
    speedup = _measured(facts, f"probe.{name}.speed_ratio", footage)
    quality = _measured(facts, f"quality.{name}", footage)
    if speedup is None or quality is None:
        return no(f"its speed and its loss are not measured: `reelwise probe {name} MODEL CLIP` measures both")
    on = f" on {speedup.on}" if speedup.on else ""
    if speedup.value <= 1:
        return no(f"measured{on}: {speedup.value:.2f} times the speed, so it costs more")
    return yes(f"measured{on}: {speedup.value:.2f} times the speed, quality {quality.value:.3f}")


def _measured(facts: Facts, name: str, footage: str) -> Fact | None:
    found = facts.find(name, source_class=footage)
    return found[0].fact if found is not None and found[0].fact.kind == "measured" else None


def with_variant(plan: Plan, variant: Literal["quantized", "distilled"]) -> Plan:
    """Set what every machine runs that runs the full network."""
    hosts = tuple(replace(host, variant=variant) if host.variant == "full" else host for host in plan.hosts)
    return replace(plan, hosts=hosts)
