"""How uncertain an estimate is: facts of models within their intervals, and which of the items the luck of the day falls on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.facts import Facts
from reelwise.flow import Out
from reelwise.plan import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.case import Case
    from reelwise.facts import Entry
    from reelwise.flow import Item
    from reelwise.plan import Plan
    from reelwise.units import Num

__all__ = ["Band", "band_usd"]

_DRAWS = 400
_FOLDS_MAX = 64
_BY_ITEM = ("escalate.doubt_share", "route.easy_share")
"""Shares of items that go one way or the other, each item whole."""
_BY_ANSWER = ("call.", "cache.")
"""Means over answers: those to come have luck of their own, taken to be as wide as that of those that were measured."""


class Band(Struct, frozen=True, kw_only=True):
    """What calls cost: as the facts say, and the 5th and 95th percentile around it, in USD by the first step of each price."""

    low: float
    usd: float
    high: float


def band_usd(case: Case, plan: Plan, items: Sequence[Item], *, start: int = 0, seed: int = 0) -> Band | None:
    """Say how uncertain it is what the calls of a plan cost about some items; None where nothing is.

    A share is drawn within its interval, which the number of items behind it makes wide or narrow; then it is drawn for each item whether it
    is one of them: the doubtful ones may be the long ones. Of many items some stand for the others.

    Args:
        case: facts and prices.
        plan: the plan.
        items: one by one, as they come into the stage `start`.
        start: stages before it are done.
        seed: of the draws.
    """
    if not items:
        return None
    import numpy as np

    step = max(1.0, len(items) / _FOLDS_MAX)
    some = [items[int(number * step)] for number in range(min(len(items), _FOLDS_MAX))]
    chance = np.random.default_rng(seed)
    drawn = dict(case.facts.draw(_DRAWS, seed).fixed_values)
    for entry, value in drawn.items():
        if entry.name.startswith(_BY_ANSWER) and entry.fact.kind == "measured":
            wider = entry.fact.value + (value - entry.fact.value) * 2**0.5
            drawn[entry] = np.clip(wider, 0.0, 1.0 if entry.name.endswith("_share") else np.inf)
    split = [entry for entry in case.facts.entries if entry.name in _BY_ITEM]
    total: Any = np.zeros((_DRAWS, 1))
    plain = 0.0
    for item in some:
        own = {entry: chance.binomial(round(step), _share(drawn, entry), (_DRAWS, 1)) / round(step) for entry in split}
        out = Out(case.book, case.book.day)
        fold(plan, [item], Facts(case.facts.entries, {**drawn, **own}), out, start=start)
        total = total + _usd(out, case)
        out = Out(case.book, case.book.day)
        fold(plan, [item], case.facts, out, start=start)
        plain += float(_usd(out, case))
    stand = len(items) / len(some)
    low, high = (float(q) for q in np.percentile(total * stand, [5, 95]))
    return Band(low=low, usd=plain * stand, high=high) if high - low > 1e-9 * abs(high) else None


def _share(drawn: dict[Entry, Num], entry: Entry) -> Any:
    import numpy as np

    return np.clip(drawn.get(entry, entry.fact.value), 0.0, 1.0)


def _usd(out: Out, case: Case) -> Any:
    """Price what models bill; a host's machine time is no model's."""
    billed = [request for request in out.requests if not request.model.startswith("host:")]
    calls = [usage.quantity * rate.usd for request in billed for usage, rate in case.book.price_request(request)]
    stored = [
        usage.quantity * case.book.rate(usage.sku, usage.unit).usd for usage in out.usages if usage.stage == "call"
    ]
    return sum((*calls, *stored), start=0.0)
