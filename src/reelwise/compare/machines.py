"""What a fleet's bill is for: work, idle hours, the peak, spare machines. Each is one bill less another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.compare.result import DutyCycle, Machines
from reelwise.errors import InputError
from reelwise.price import price_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.bill import Bill
    from reelwise.case import Case
    from reelwise.fleet import Fleet

__all__ = ["duty_cycles", "machines_of"]

_MOST_PLACES = 100_000


def machines_of(case: Case, bill: Bill) -> Iterator[Machines]:
    """Describe every fleet of a bill."""
    workload = case.workload
    even = replace(workload, peak_over_mean=1.0, peak_streams=None)
    at_mean = bill if even == workload else price_one(even, case.plan, case.facts, case.book, case.account)
    for fleet in bill.fleets:
        host = fleet.host
        usd = _of_host(bill, host.name)
        bare = case.plan
        if host.spare:
            bare = replace(bare, hosts=tuple(replace(one, spare=0) if one == host else one for one in bare.hosts))
        without = bill if bare == case.plan else price_one(workload, bare, case.facts, case.book, case.account)
        busy = float(fleet.busy_share)
        yield Machines(
            host=host.name,
            sku=host.sku,
            scale=host.scale,
            machines=float(fleet.machines),
            speed=float(fleet.speed),
            streams=float(fleet.streams),
            busy_share=busy,
            usd_month=usd,
            idle_usd_month=usd * (1 - busy),
            peak_usd_month=max(0.0, usd - _of_host(at_mean, host.name)),
            spare_usd_month=max(0.0, usd - _of_host(without, host.name)),
            cold_share=float(fleet.cold_share),
            cold_seconds=float(fleet.cold_seconds),
            full_share=_full_share(case, fleet),
        )


def _of_host(bill: Bill, name: str) -> float:
    return sum(float(line.usd_month) for line in bill.lines if line.stage == "host" and line.lane == name)


def _full_share(case: Case, fleet: Fleet) -> float | None:
    """Return the share of sessions that find every machine taken in the busiest hour (Erlang's loss formula)."""
    if not case.workload.is_live or fleet.host.comes_and_goes:
        return None
    if fleet.host.scale == "device" and (fleet.host.device is None or fleet.host.device.each != "stream"):
        return None
    places = math.floor(float(fleet.machines) * float(fleet.streams) + 1e-9)
    offered = float(fleet.running) * case.workload.peak_over_mean
    if places > _MOST_PLACES:
        return 0.0
    full = 1.0
    for place in range(1, places + 1):
        full = offered * full / (place + offered * full)
    return full


def duty_cycles(options: Sequence[tuple[str, Case, Bill]]) -> tuple[DutyCycle, ...]:
    """Say how busy a rented machine must be to be cheaper than a serverless one with the same processor at the same speed."""
    alone = _alone(options)
    found: dict[tuple[str, str, float], DutyCycle] = {}
    for name, fleet, each, gpu in alone:
        for other, twin, other_each, other_gpu in alone:
            pair = fleet.host.scale in {"fixed", "auto"} and twin.host.scale == "serverless" and gpu == other_gpu
            if pair and math.isclose(float(fleet.speed), float(twin.speed)):
                cycle = DutyCycle(rented=name, serverless=other, busy_share=each / other_each)
                found.setdefault((fleet.host.sku, twin.host.sku, float(fleet.speed)), cycle)
    return tuple(found.values())


def _alone(options: Sequence[tuple[str, Case, Bill]]) -> list[tuple[str, Fleet, float, str]]:
    """List the options of one fleet: name, fleet, USD of a machine hour, its processor."""
    rows = []
    for name, case, bill in options:
        if len(bill.fleets) != 1:
            continue
        (fleet,) = bill.fleets
        try:
            rate = case.book.rate(fleet.host.sku)
        except InputError:
            continue
        hours = {"hour": 1.0, "minute": 1 / 60, "second": 1 / 3600}.get(rate.unit)
        if hours is not None and not rate.tiers:
            card = case.book.card(fleet.host.sku)
            rows.append((name, fleet, float(rate.usd) / hours, card.gpu if card is not None else ""))
    return rows
