"""Leases and jobs whose time is over and that nobody has booked yet: whoever only looks counts them as they will be."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.ledger.accounts import LEASE_MS, ROLLING, SILENT_MS
from reelwise.ledger.jobs import Job
from reelwise.ledger.periods import bucket_of, since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.sql import Link

__all__ = ["Overdue", "overdue"]


class Overdue(Struct):
    """What an account's balances do not say yet.

    Attributes:
        ended: leased to processes that were not heard of until their lease ended: lost. `lost` is the part of it that still counts.
        pending: held by jobs that have expired: free.
        silent: leased to processes that were not heard of for some seconds; `silent_ms` is the longest time.
    """

    ended: int = 0
    lost: int = 0
    pending: int = 0
    silent: int = 0
    silent_ms: int = 0


def overdue(
    link: Link, budgets: Mapping[int, Budget], now_ms: int, *, every: bool = False
) -> dict[tuple[int, str], Overdue]:
    """Return it by budget and account, for the windows that hold the present moment, or for every window."""
    found: dict[tuple[int, str], Overdue] = defaultdict(Overdue)
    for number, account, bucket, amount, expires_ms in link.rows(
        "SELECT s.budget, s.account, s.bucket, l.amount, l.expires_ms FROM lease l JOIN slot s ON s.id = l.slot "
        "WHERE l.amount > 0 AND l.expires_ms < ?",
        (now_ms + LEASE_MS - SILENT_MS,),
    ):
        budget = budgets.get(int(number))
        if budget is None:
            continue
        first = since(budget.period, budget.zone, now_ms, rolling=budget.rolling)
        if not every and int(bucket) != ROLLING and int(bucket) < first:
            continue  # of a window that is over
        one = found[int(number), str(account)]
        if int(expires_ms) >= now_ms:
            one.silent += int(amount)
            one.silent_ms = max(one.silent_ms, now_ms - (int(expires_ms) - LEASE_MS))
            continue
        one.ended += int(amount)
        if not budget.rolling or bucket_of(budget.period, budget.zone, int(expires_ms), rolling=True)[0] >= first:
            one.lost += int(amount)
    for (body,) in link.rows("SELECT body FROM hold WHERE state = 0 AND expires_ms < ?", (now_ms,)):
        for part in msgspec.json.decode(body, type=Job).parts:
            found[part.budget_id, part.account].pending += part.amount
    return found
