"""Machines that serve a model: they are paid by the hour, for all the work of all features together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from reelwise.requests import Usage
from reelwise.units import HOURS_A_MONTH, Num, ceil, maximum

if TYPE_CHECKING:
    from reelwise.facts import Facts

__all__ = ["Host", "host_usage"]


class Host(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fleet of equal machines.

    How many frames a second one machine does is a fact: `host.NAME.frames_per_second`.

    Attributes:
        name: what calls name it by.
        sku: rate card of one machine, billed by the hour or the second.
        scale: fixed (machines for the peak run all month), auto (as many as there is work), serverless (busy seconds only).
        utilisation: busy share of a machine that is planned for.
        spare: machines beyond need (N+1 is 1).
        minimum: machines that run in any case (not for serverless, which scales to zero).
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    sku: str
    scale: Literal["fixed", "auto", "serverless"] = "fixed"
    utilisation: Annotated[float, Meta(gt=0, le=1)] = 1.0
    spare: Annotated[int, Meta(ge=0, le=10_000)] = 0
    minimum: Annotated[int, Meta(ge=0, le=10_000)] = 0


def host_usage(host: Host, frames_month: Num, facts: Facts, *, peak_over_mean: float, unit: str, basis: int) -> Usage:
    """Turn a month's frames into billed hours (or seconds) of a host.

    Args:
        host: the fleet.
        frames_month: frames of all features and classes: one class on the last axis, draws or variants on the first.
        peak_over_mean: the busiest hour over the mean hour.
        facts: holds `host.NAME.frames_per_second`.
        unit: what the host's rate card is billed by: hour or second.
        basis: evidence of the frames.
    """
    rate, bit = facts.get(f"host.{host.name}.frames_per_second")
    busy_hours = frames_month / rate / 3600
    if host.scale == "serverless":
        hours = busy_hours
    else:
        machines = busy_hours / HOURS_A_MONTH / host.utilisation
        if host.scale == "fixed":
            machines = ceil(machines * peak_over_mean)
        hours = maximum(machines + host.spare, float(host.minimum)) * HOURS_A_MONTH
    quantity = hours * 3600 if unit == "second" else hours
    return Usage(sku=host.sku, unit=unit, quantity=quantity, stage="host", lane=host.name, basis=basis | bit)
