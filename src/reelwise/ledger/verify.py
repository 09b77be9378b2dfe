"""Compute every balance again from the rows, and say where one differs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import Budget, shown
from reelwise.ledger.overdue import Overdue, overdue
from reelwise.ledger.periods import since
from reelwise.ledger.recompute import COUNTS, spent_in
from reelwise.ledger.retention import pruned_sums, pruned_until
from reelwise.ledger.rolls import fold, unfolded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.ledger.sql import Link, SqlStore

__all__ = ["Problem", "Verified", "verify"]


class Problem(Struct, frozen=True, kw_only=True):
    """One balance that is not what the rows add up to; in nano-USD where its measure is usd."""

    what: str
    where: str
    kept: int
    computed: int
    measure: str = ""


class Verified(Struct, frozen=True, kw_only=True):
    """What was checked.

    Attributes:
        rows: events that count: estimates are left out.
        accounts: balances computed again.
        cost_nano: what all rows add up to.
        overrun_nano: the part of it that was above a hold, late, or never held.
        leased_nano: handed out to processes that live: what a crash now would leave uncertain, at most.
        lost_nano: of processes that died: counted as spent, perhaps never spent.
        pending_nano: held by jobs.
        problems: balances that differ; empty when all is well.
        silent_nano: of leased_nano, what belongs to processes that were not heard of for some seconds; silent_seconds: the longest.
    """

    rows: int
    accounts: int
    cost_nano: int
    overrun_nano: int
    leased_nano: int
    lost_nano: int
    pending_nano: int
    problems: tuple[Problem, ...]
    silent_nano: int = 0
    silent_seconds: int = 0


def verify(store: SqlStore, now_ms: int | None = None) -> Verified:
    """Check the rows, the balances, the leases, the jobs and the roll-ups against each other, in one transaction.

    With the time, leases and jobs that have ended count as they will be when somebody books them.
    """
    while not store.read_only and fold(store):
        pass
    problems: list[Problem] = []
    with store.transaction(write=False) as link:  # one snapshot: it may take long, and nobody waits for it
        rows, cost = link.rows(f"SELECT COUNT(*), COALESCE(SUM(cost), 0) FROM event WHERE {COUNTS}")[0]  # noqa: S608 - words of our own
        budgets = {
            int(number): (str(name), msgspec.json.decode(body, type=Budget), int(set_ms))
            for number, name, body, set_ms in link.rows(
                "SELECT id, name, body, set_ms FROM budget WHERE dropped_ms IS NULL"
            )
        }
        accounts = 0
        for number, (name, budget, set_ms) in budgets.items():
            checked, found = _balances(link, number, name, budget, set_ms)
            accounts += checked
            problems += found
        problems += _leases(link)
        problems += _jobs(link)
        problems += _rolls(link, int(cost), int(rows))
        overrun = link.rows(
            "SELECT COALESCE(SUM(e.cost), 0) FROM event e JOIN what w ON w.id = e.what WHERE w.kind IN ('overrun', 'late')"
        )
        sums = link.rows(
            "SELECT COALESCE(SUM(s.leased), 0), COALESCE(SUM(s.lost), 0), COALESCE(SUM(s.pending), 0) FROM slot s "
            'JOIN budget b ON b.id = s.budget WHERE b.body LIKE \'%"measure":"usd"%\''
        )[0]
        late = list(_late(link, {number: budget for number, (_, budget, _) in budgets.items()}, now_ms))
        ended, silent = sum(one.ended for one in late), max((one.silent_ms for one in late), default=0)
    return Verified(
        rows=int(rows),
        accounts=accounts,
        cost_nano=int(cost),
        overrun_nano=int(overrun[0][0]),
        leased_nano=int(sums[0]) - ended,
        lost_nano=int(sums[1]) + ended,
        pending_nano=int(sums[2]) - sum(one.pending for one in late),
        problems=tuple(problems),
        silent_nano=sum(one.silent for one in late),
        silent_seconds=silent // 1000,
    )


def _late(link: Link, budgets: dict[int, Budget], now_ms: int | None) -> Iterator[Overdue]:
    if now_ms is not None:
        for (number, _), one in overdue(link, budgets, now_ms, every=True).items():
            if number in budgets and budgets[number].measure == "usd":
                yield one


def _balances(link: Link, number: int, name: str, budget: Budget, set_ms: int) -> tuple[int, list[Problem]]:
    """Hold every bucket that is kept, from the window on in which the budget was set, against the sum of its rows."""
    begins = max(since(budget.period, budget.zone, set_ms, rolling=budget.rolling), pruned_until(link))
    computed = spent_in(link, budget, begins)
    kept = {
        (str(account), int(bucket)): int(posted)
        for account, bucket, posted in link.rows("SELECT account, bucket, posted FROM slot WHERE budget = ?", (number,))
        if int(bucket) != ROLLING
    }
    problems = []
    for account, bucket in sorted(kept.keys() | computed.keys()):
        if bucket < begins:
            continue  # before the budget was set, or before rows were let go of
        have, should = kept.get((account, bucket), 0), computed.get((account, bucket), 0)
        if have != should:
            where = f"{name} ({shown(budget, account)}, from {_when(bucket)})"
            problems.append(Problem(what="posted", where=where, kept=have, computed=should, measure=budget.measure))
    return len(kept), problems


def _when(at_ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC):%Y-%m-%d %H:%M} UTC" if at_ms > 0 else "the beginning"


def _place(link: Link, budget: int, account: str, bucket: int) -> tuple[str, str]:
    """Return the name of an account and window as a person reads it, and what its amounts are in."""
    found = link.rows("SELECT body FROM budget WHERE id = ?", (budget,))
    if not found:
        return f"budget {budget} ({account}, from {_when(bucket)})", ""
    known = msgspec.json.decode(found[0][0], type=Budget)
    return f"{known.name} ({shown(known, account)}, from {_when(bucket)})", known.measure


def _leases(link: Link) -> list[Problem]:
    found = []
    for column, table in (("leased", "lease"), ("lost", "lost")):
        for budget, account, bucket, kept, computed in link.rows(
            f"SELECT s.budget, s.account, s.bucket, s.{column}, COALESCE(SUM(l.amount), 0) "  # noqa: S608 - words above
            f"FROM slot s LEFT JOIN {table} l ON l.slot = s.id "
            f"GROUP BY s.id, s.budget, s.account, s.bucket, s.{column} HAVING s.{column} <> COALESCE(SUM(l.amount), 0)"
        ):
            where, measure = _place(link, int(budget), str(account), int(bucket))
            found.append(Problem(what=column, where=where, kept=int(kept), computed=int(computed), measure=measure))
    return found


def _jobs(link: Link) -> list[Problem]:
    from reelwise.ledger.jobs import Job

    held: dict[tuple[int, str, int], int] = {}
    for (body,) in link.rows("SELECT body FROM hold WHERE state = 0"):
        for part in msgspec.json.decode(body, type=Job).parts:
            place = (part.budget_id, part.account, part.lease_bucket)
            held[place] = held.get(place, 0) + part.amount
    kept = {
        (int(budget), str(account), int(bucket)): int(pending)
        for budget, account, bucket, pending in link.rows(
            "SELECT budget, account, bucket, pending FROM slot WHERE pending <> 0"
        )
    }
    found = []
    for place in sorted(kept.keys() | {one for one, amount in held.items() if amount}):
        have, should = kept.get(place, 0), held.get(place, 0)
        if have != should:
            where, measure = _place(link, *place)
            found.append(Problem(what="pending", where=where, kept=have, computed=should, measure=measure))
    return found


def _rolls(link: Link, cost: int, rows: int) -> list[Problem]:
    rolled, last = unfolded(link)
    if rolled < last:  # some are newer than the sums
        newer = f"SELECT COUNT(*), COALESCE(SUM(cost), 0) FROM event WHERE seq > ? AND {COUNTS}"  # noqa: S608 - words of our own
        new_rows, new_cost = link.rows(newer, (rolled,))[0]
        rows, cost = rows - int(new_rows), cost - int(new_cost)
    gone_rows, gone_cost = pruned_sums(link)
    rows, cost = rows + gone_rows, cost + gone_cost
    found = []
    for grain, name in ((1, "minute"), (2, "hour"), (3, "day"), (4, "month")):
        kept = link.rows(
            "SELECT COALESCE(SUM(cost), 0), COALESCE(SUM(events), 0) FROM roll WHERE grain = ? AND dim = 0", (grain,)
        )[0]
        for what, have, should in (("cost", int(kept[0]), cost), ("events", int(kept[1]), rows)):
            if have != should:
                unit = "usd" if what == "cost" else ""
                found.append(
                    Problem(what=f"sums by {name}: {what}", where="roll", kept=have, computed=should, measure=unit)
                )
    return found
