"""How sure a month's bill is, and which fact moves it most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.price import cost_per_user, price_one
from reelwise.units import is_array

if TYPE_CHECKING:
    from reelwise.account import Account
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Band", "Swing", "band", "band_per_user", "tornado"]

DRAWS = 4000
_SEED = 20261122


class Band(Struct, frozen=True):
    """10th, 50th and 90th percentile, in USD."""

    p10: float
    p50: float
    p90: float


class Swing(Struct, frozen=True, kw_only=True):
    """One bar of a tornado.

    Attributes:
        fact: its name.
        low, value, high: of the fact.
        usd_low, usd_high: the month's bill with the fact at low and at high, all else as expected.
        elasticity: percent that the bill moves if the fact moves by one percent.
        kind, source: where the fact comes from.
    """

    fact: str
    low: float
    value: float
    high: float
    usd_low: float
    usd_high: float
    elasticity: float
    kind: str
    source: str


def _percentiles(values: Any) -> Band:
    import numpy as np

    p10, p50, p90 = (float(q) for q in np.percentile(values, [10, 50, 90]))
    return Band(p10, p50, p90)


def band(workload: Workload, plan: Plan, facts: Facts, book: Book, account: Account, *, draws: int = DRAWS) -> Band:
    """Draw every uncertain fact and return the percentiles of the month's total."""
    total = price_one(workload, plan, facts.draw(draws, _SEED), book, account).total_usd
    if not is_array(total):
        return Band(float(total), float(total), float(total))
    return _percentiles(total)


def band_per_user(workload: Workload, plan: Plan, facts: Facts, book: Book, account: Account) -> dict[str, Band]:
    """Return the percentiles of the cost of one user, for each user class: over users and over what is not known."""
    import numpy as np

    bill = price_one(workload, plan, facts.draw(DRAWS // 4, _SEED), book, account)
    found = {}
    for name, (usd, _) in cost_per_user(workload, bill).items():
        found[name] = _percentiles(np.asarray(usd, float).reshape(-1))
    return found


def tornado(workload: Workload, plan: Plan, facts: Facts, book: Book, account: Account) -> tuple[Swing, ...]:
    """Move each fact from its low to its high, all else as expected; the widest swing comes first.

    Facts that do not touch the bill are left out. One fact is one pass for each end, and one for its elasticity.
    """
    whole = float(price_one(workload, plan, facts, book, account).total_usd)
    swings = []
    for entry in facts.entries:
        fact = entry.fact
        if fact.low is None and fact.high is None:
            continue
        low = fact.value if fact.low is None else fact.low
        high = fact.value if fact.high is None else fact.high
        ends = [float(price_one(workload, plan, facts.fixed(entry, at), book, account).total_usd) for at in (low, high)]
        step = -0.01 if entry.name.endswith("_share") and fact.value > 0.99 else 0.01
        nudged = float(price_one(workload, plan, facts.fixed(entry, fact.value * (1 + step)), book, account).total_usd)
        if max(abs(end - whole) for end in (*ends, nudged)) <= 1e-12 * max(whole, 1.0):
            continue
        swings.append(
            Swing(
                fact=entry.name,
                low=low,
                value=fact.value,
                high=high,
                usd_low=ends[0],
                usd_high=ends[1],
                elasticity=(nudged / whole - 1) / step if whole else 0.0,
                kind=fact.kind,
                source=fact.source,
            )
        )
    return tuple(sorted(swings, key=lambda s: -abs(s.usd_high - s.usd_low)))
