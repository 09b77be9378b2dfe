"""Compute balances again from the rows: for a budget that is new in the middle of its window, and to verify those that are kept."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from reelwise.ledger.budgets import Budget, key_for
from reelwise.ledger.events import Who
from reelwise.ledger.periods import bucket_of, since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.ledger.sql import Link

__all__ = ["COUNTS", "counts_alike", "spent_before", "spent_in", "spent_in_rows"]

COUNTS = "what NOT IN (SELECT id FROM what WHERE kind = 'estimate')"
"""What leaves out rows that nobody paid for."""

_COLUMN = {"usd": "cost", "calls": "calls", "frames": "frames"}


def counts_alike(one: Budget, other: Budget) -> bool:
    """Say whether two budgets have the same accounts, so that only limits differ."""
    names = ("match", "each", "period", "rolling", "zone", "measure")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def spent_before(link: Link, budget: Budget, now_ms: int) -> dict[tuple[str, int], int]:
    """Sum what was spent in the present window, by account and bucket."""
    return spent_in(link, budget, since(budget.period, budget.zone, now_ms, rolling=budget.rolling))


def spent_in(link: Link, budget: Budget, first_ms: int) -> dict[tuple[str, int], int]:
    """Sum what was spent from a moment on, by account and bucket, from the raw rows.

    Exact: buckets begin on whole seconds, and rows are grouped by the second.
    """
    sums: dict[tuple[str, int], int] = defaultdict(int)
    people = dict(_people(link))
    keys = {number: key_for(budget, who) for number, who in people.items()}
    column = _COLUMN[budget.measure]
    found = link.rows(
        f"SELECT who, at_ms / 1000, SUM({column}) FROM event WHERE at_ms >= ? AND {COUNTS} GROUP BY who, at_ms / 1000",  # noqa: S608 - one of three names
        (first_ms,),
    )
    buckets: dict[int, int] = {}
    for who, second, amount in found:
        key = keys.get(int(who))
        if key is None or not amount:
            continue
        at = int(second) * 1000
        bucket = buckets.get(at)
        if bucket is None:
            bucket = buckets[at] = bucket_of(budget.period, budget.zone, at, rolling=budget.rolling)[0]
        sums[key, bucket] += int(amount)
    return dict(sums)


def spent_in_rows(link: Link, budget: Budget, after: int) -> dict[str, int]:
    """Sum what rows with a higher number cost, by account."""
    sums: dict[str, int] = defaultdict(int)
    people = dict(_people(link))
    column = _COLUMN[budget.measure]
    found = link.rows(
        f"SELECT who, SUM({column}) FROM event WHERE seq > ? AND {COUNTS} GROUP BY who",  # noqa: S608 - one of three names
        (after,),
    )
    for who, amount in found:
        key = key_for(budget, people[int(who)])
        if key is not None and amount:
            sums[key] += int(amount)
    return dict(sums)


def _people(link: Link) -> Iterator[tuple[int, Who]]:
    for number, feature, user, session, tenant, user_class, tags in link.rows(
        'SELECT id, feature, "user", session, tenant, user_class, tags FROM who'
    ):
        pairs = tuple(sorted(json.loads(tags).items())) if tags else ()
        yield (
            int(number),
            Who(feature=feature, user=user, session=session, tenant=tenant, user_class=user_class, tags=pairs),
        )
