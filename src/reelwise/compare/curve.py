"""The bill of one option over volume and over sampling rate: the same pricing, with an array in place of a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from reelwise.errors import UnpricedError
from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.price import price_one
from reelwise.stages import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from reelwise.bill import Bill
    from reelwise.case import Case

    Floats = NDArray[np.float64]

__all__ = ["Curve", "Prices", "can_sample", "with_speeds"]

_DEMAND = "demand.factor"
_MOST_STEPS = 200
"""Whole machines and frames whose steps are looked at one by one; beyond, a step is under half a percent."""
_AFTER = 1 + 1e-6
_SPEEDS = (".frames_per_second", ".speed_ratio")


class Curve:
    """One option's bill as a function.

    Args:
        case: the workload with the option as its plan (`case.with_option`).
        bill: its bill at the workload's own volume.
    """

    def __init__(self, case: Case, bill: Bill) -> None:
        self.case = case
        self.bill = bill
        self._entries = tuple(entry for entry in case.facts.entries if entry.name != _DEMAND)

    def at_volume(self, factors: Floats) -> Floats:
        """Price multiples of the demand.

        Returns:
            USD a month for each factor; NaN from where on there is no sourced price.
        """
        return _priced(self._volume, factors)

    def _volume(self, factors: Floats) -> Floats:
        return np.broadcast_to(np.asarray(self.at(factors[:, None]).total_usd, float), factors.shape).copy()

    def at(self, factor: float | Floats) -> Bill:
        """Return the whole bill at a multiple of the demand."""
        entry = Entry(name=_DEMAND, fact=Fact(value=1.0))
        facts = Facts((*self._entries, entry), {**self.case.facts.fixed_values, entry: factor})
        case = self.case
        return price_one(case.workload, case.plan, facts, case.book, case.account)

    def at_rate(self, rates: Floats) -> Floats:
        """Price sampling rates, in frames a second; NaN where there is no sourced price.

        Call it only where `can_sample` says so.
        """
        return _priced(self._rate, rates)

    def _rate(self, rates: Floats) -> Floats:
        column = rates[:, None]
        case = self.case
        # a rate as an array (variants, 1) is what pricing many plans at once takes
        plan = case.plan.merge(Sample, lambda: Sample(), lambda stage: replace(stage, fps=column))  # noqa: PLW0108 - a lambda as in the levers
        usd = price_one(case.workload, plan, case.facts, case.book, case.account).total_usd
        return np.broadcast_to(np.asarray(usd, float), rates.shape).copy()

    def volume_steps(self) -> Iterator[float]:
        """List the factors at which the bill bends or jumps: tiers, free units, whole machines and devices."""
        for fleet in self.bill.fleets:
            for need in (float(np.max(fleet.need)), float(np.max(fleet.machines - fleet.host.spare))):
                if fleet.host.scale in {"fixed", "device"} and need > 0:
                    yield from (count / need for count in range(1, _MOST_STEPS + 1))
        quantities: dict[tuple[str, str], float] = {}
        ends: dict[tuple[str, str], set[float]] = {}
        for line in self.bill.lines:
            key = (line.sku, line.unit)
            quantities[key] = quantities.get(key, 0.0) + float(np.sum(line.quantity))
            ends[key] = {tier.up_to for tier in line.rate.tiers} | {line.rate.free_month}
        for key, quantity in quantities.items():
            if quantity > 0:
                yield from (end / quantity for end in ends[key] if 0 < end < np.inf)

    def frame_steps(self, highest: float) -> Iterator[float]:
        """List the rates at which one more frame of a session is taken."""
        for seconds in self._lengths():
            last = min(int(seconds * highest), _MOST_STEPS * 5)
            yield from (count / seconds for count in range(1, last + 1))

    def _lengths(self) -> set[float]:
        demand = self.case.workload.demand
        if demand.classes:
            return {one.seconds for one in demand.classes}
        if demand.seconds is not None:
            return {demand.seconds}
        return {length.seconds for length in self.case.workload.lengths} or {3600.0}


class Prices:
    """Points at which several curves are priced: a spread of them, and both sides of every step."""

    @staticmethod
    def spread(low: float, high: float, points: int, steps: Iterator[float]) -> Floats:
        """Return sorted points from low to high, evenly on a logarithmic scale, with the steps among them."""
        inside = np.array([step for step in steps if low < step < high], float)
        grid = np.concatenate(
            [np.geomspace(low, high, points), [1.0] if low < 1 < high else [], inside, inside * _AFTER]
        )
        return np.unique(grid[(grid >= low) & (grid <= high)])


def _priced(price: Callable[[Floats], Floats], points: Floats) -> Floats:
    """Price sorted points as far as there are prices; a tier beyond the last sourced one ends them."""
    try:
        return price(points)
    except UnpricedError:
        known, unknown = 0, len(points)
        while unknown - known > 1:
            middle = (known + unknown) // 2
            try:
                price(points[:middle])
                known = middle
            except UnpricedError:
                unknown = middle
        usd = np.full(len(points), np.nan)
        if known:
            usd[:known] = price(points[:known])
        return usd


def can_sample(case: Case) -> bool:
    """Say whether frames a second are a free choice here: pictures are looked at, and what they show does not decide."""
    if case.workload.kind not in {"understand", "segment"}:
        return False
    return not any(stage.looks or stage.way == "question" for stage in case.plan.of(Sample))


def with_speeds(case: Case, end: str) -> Case | None:
    """Return the case with every machine as slow (`low`) or as fast (`high`) as the facts allow; None where they give no spread."""
    hosts = {host.name for host in case.plan.hosts}
    networks = {host.network for host in case.plan.hosts if host.network}
    facts, changed = case.facts, False
    for entry in case.facts.entries:
        parts = entry.name.split(".")
        own = (parts[0] == "host" and ".".join(parts[1:-1]) in hosts) or (
            parts[0] == "network" and any(entry.name.startswith(f"network.{name}.") for name in networks)
        )
        value = getattr(entry.fact, end)
        if (own or parts[0] == "probe") and entry.name.endswith(_SPEEDS) and value is not None:
            facts, changed = facts.fixed(entry, value), True
    return replace(case, facts=facts) if changed else None
