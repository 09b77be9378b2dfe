"""A month's bill: lines of usage times rate, each knowing where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from reelwise.evidence import KINDS, weakest
from reelwise.fleet import Fleet
from reelwise.rates import Rate
from reelwise.units import Num, is_array, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Bill", "Line"]


class Line(Struct, frozen=True, kw_only=True):
    """Usage of one unit, priced.

    Attributes:
        feature: the feature that spends.
        sku, unit: what is billed.
        stage, lane, source_class: where in the plan, and for which class.
        quantity: units a month; classes on the last axis.
        usd: amount a month, same shape.
        rate: the price with its source.
        basis: evidence mask of the quantity (and of the rate, where that is weaker than published).
        calls: requests a month behind it, 0 where it is no request.
    """

    feature: str
    sku: str
    unit: str
    stage: str
    lane: str
    source_class: str
    quantity: Num
    usd: Num
    rate: Rate
    basis: int
    calls: Num = 0.0

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """What makes it the same line in another bill."""
        return (self.feature, self.sku, self.unit, self.stage, self.lane, self.source_class)

    @property
    def usd_month(self) -> Num:
        """The amount, summed over classes."""
        return total(self.usd)

    def explain(self) -> str:
        """Say in words how the amount came about."""
        quantity, usd = float(_plain(total(self.quantity))), float(_plain(self.usd_month))
        each = usd / quantity if quantity else 0.0
        calls = float(_plain(total(self.calls)))
        behind = f" in {calls:,.6g} calls" if calls else ""
        variant = f" ({self.rate.variant})" if self.rate.variant else ""
        tiers = " after the account's tiers" if self.rate.tiers or self.rate.free_month else ""
        return (
            f"{quantity:,.6g} {self.unit}{behind} x {each:.6g} USD{tiers} = {usd:,.2f} USD; "
            f"price of {self.sku}{variant}: {self.rate.source}, {self.rate.checked}; quantity: {weakest(self.basis)}"
        )


class Bill(Struct, frozen=True, kw_only=True):
    """All lines of a month.

    Attributes:
        lines: priced usage.
        feasible: whether the plan can do the job at all.
        why: reasons against it, or what to know.
        latency_ms: estimate for one answer, in the slowest lane.
        latency_basis: evidence of that estimate.
        fleets: machines behind the lines of hosts.
    """

    lines: tuple[Line, ...]
    feasible: bool = True
    why: tuple[str, ...] = ()
    latency_ms: float = 0.0
    latency_basis: int = 0
    fleets: tuple[Fleet, ...] = ()

    @property
    def total_usd(self) -> Num:
        """The month's total; an array over draws or variants where one was passed in."""
        amount: Num = 0.0
        for line in self.lines:
            amount = amount + total(line.usd)
        return amount

    def by(self, key: Callable[[Line], str]) -> dict[str, Num]:
        """Sum amounts by what `key` says of each line."""
        sums: dict[str, Num] = {}
        for line in self.lines:
            name = key(line)
            sums[name] = sums.get(name, 0.0) + total(line.usd)
        return sums

    def share(self) -> dict[str, float]:
        """Say which share of the bill rests on which kind of evidence."""
        whole = float(_plain(self.total_usd))
        sums: dict[str, float] = {name: 0.0 for _, name in reversed(KINDS)}
        for line in self.lines:
            sums[weakest(line.basis)] += float(_plain(total(line.usd)))
        return {name: (amount / whole if whole else 0.0) for name, amount in sums.items()}

    def merged(self, lines: Iterable[Line]) -> Bill:
        """Return the bill with further lines."""
        return replace(self, lines=(*self.lines, *lines))


def _plain(value: Num) -> Any:
    """Reduce draws to their mean where one number is shown."""
    return value.mean() if is_array(value) else value
