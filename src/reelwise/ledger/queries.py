"""What people ask the ledger: the last rows, where budgets stand, what is being spent now and how long that can go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import Budget, key_for, shown
from reelwise.ledger.events import UNITS, Who, key_of
from reelwise.ledger.overdue import Overdue, overdue
from reelwise.ledger.periods import FOREVER, since, window_of
from reelwise.ledger.rolls import sums
from reelwise.ledger.unit_costs import unit_cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reelwise.ledger.sql import Link, SqlStore

__all__ = ["Account", "Live", "Row", "budget_status", "export", "features_seen", "last_rows", "live", "notices"]

_BURN_MS = 600_000
_TAIL_ROWS = 50_000
_PAGE = 10_000
_COLUMNS = (
    'e.seq, e.at_ms, p.feature, p."user", p.session, p.tenant, p.user_class, p.tags, w.model, w.provider, w.plan, w.stage, w.mode, '
    "w.version, w.status, w.kind, w.outcome, e.cost, e.avoided, e.latency_ms, "
    + ", ".join(f"e.{name}" for name in UNITS)
    + ", e.id"
)
_FROM = "FROM event e JOIN who p ON p.id = e.who JOIN what w ON w.id = e.what"
NAMES: tuple[str, ...] = (
    "number",
    "at_ms",
    "feature",
    "user",
    "session",
    "tenant",
    "user_class",
    "tags",
    "model",
    "provider",
    "plan",
    "stage",
    "mode",
    "version",
    "status",
    "kind",
    "outcome",
    "cost_nano",
    "avoided_nano",
    "latency_ms",
    *UNITS,
    "id_hash",
)
"""The fields of a row. Of its id only a hash is kept: `key_of(id).hex()`, 24 digits."""

Row = dict[str, Any]


class Account(Struct, frozen=True, kw_only=True):
    """Where one account of a budget stands; amounts in nano-USD, or in calls or frames.

    Attributes:
        budget: the budget's name.
        account: which of its accounts.
        measure: usd, calls or frames.
        period: the window's kind.
        window_ms: the window's first millisecond.
        hard: its limit; None for none.
        soft: its soft limit; None for none.
        posted: spent, of which `overrun` was above its holds.
        overrun: see there.
        leased: handed out to processes: what a crash of all of them would leave uncertain, at most.
        pending: held by jobs.
        lost: leased by processes that died: counted as spent, perhaps never spent.
        remaining: what is left; None without a hard limit.
        shadow: it only reports.
        burn_per_hour: what the last ten minutes come to in an hour.
        seconds_left: how long that can go on; None where it can, or nothing is spent.
        would_deny: of one that only reports, what was spent above its limit; None for others.
        zone: the time zone of the window.
        forecast: what the plan expects in it.
        target_per, target_nano: the unit cost that is aimed at; None for none.
        unit_nano, unit_count: what a unit costs now, and how many were counted; None where none was.
        unit_minimum: how many must be counted before it is judged.
        silent: the part of `leased` whose processes were not heard of for some seconds; `silent_seconds` is the longest time.
    """

    budget: str
    account: str
    measure: str
    period: str
    window_ms: int
    hard: int | None
    soft: int | None
    posted: int
    overrun: int
    leased: int
    pending: int
    lost: int
    remaining: int | None
    shadow: bool
    burn_per_hour: int
    seconds_left: float | None
    would_deny: int | None = None
    zone: str = "UTC"
    forecast: int | None = None
    target_per: str = ""
    target_nano: int | None = None
    unit_nano: int | None = None
    unit_count: int = 0
    unit_minimum: int = 0
    silent: int = 0
    silent_seconds: int = 0


class Live(Struct, frozen=True, kw_only=True):
    """What one caller is spending: today (UTC), and at the rate of the last ten minutes."""

    label: str
    cost_nano: int
    avoided_nano: int
    calls: int
    frames: int
    burn_nano_per_hour: int
    seconds_left: float | None


def last_rows(
    store: SqlStore,
    count: int,
    *,
    before: int | None = None,
    labels: dict[str, str] | None = None,
    identity: str = "",
    at_most: int = 1_000_000,
) -> list[Row]:
    """Return the newest rows first.

    Args:
        store: the ledger's.
        count: rows to return.
        before: only rows with a smaller number: the next page.
        labels: values that a row must have: {"feature": "blur", "status": "cut", "tag:team": "x"}.
        identity: only the rows of one id: the call's or the job's, and its overrun.
        at_most: rows to look at.
    """
    given: list[Any] = []
    terms = []
    for name, value in (labels or {}).items():
        if name.startswith("tag:"):
            # tags are kept as JSON: the pair is in it or not, to the letter; LIKE has wildcards and knows no capitals
            terms.append("REPLACE(p.tags, ?, '') <> p.tags")
            given.append(f"{json.dumps(name[4:])}: {json.dumps(value)}")
        else:
            table = "w" if name in NAMES[8:17] else "p"
            terms.append(f'{table}."{name}" = ?')
            given.append(value)
    if identity:
        keys = [key_of(f"{kind}{identity}{more}") for kind in ("", "job/") for more in ("", "/overrun")]
        terms.append(f"e.id IN ({', '.join('?' * len(keys))})")
        given += keys
        at_most = FOREVER
    with store.transaction(write=False) as link:
        newest = int(link.rows("SELECT COALESCE(MAX(seq), 0) FROM event")[0][0]) + 1
        top = min(before or newest, newest)
        terms += ["e.seq < ?", "e.seq >= ?"]
        given += [top, top - at_most]
        found = link.rows(
            f"SELECT {_COLUMNS} {_FROM} WHERE {' AND '.join(terms)} ORDER BY e.seq DESC LIMIT ?",
            [*given, count],
        )
    return [_row(one) for one in found]


def export(store: SqlStore, *, first_ms: int = 0, stop_ms: int = FOREVER, after: int = 0) -> Iterator[list[Row]]:
    """Yield all rows of a span of time, or those after a number, oldest first, in pages of 10,000: memory does not grow with the ledger."""
    seq = after
    while True:
        with store.transaction(write=False) as link:
            found = link.rows(
                f"SELECT {_COLUMNS} {_FROM} WHERE e.seq > ? AND e.at_ms >= ? AND e.at_ms < ? ORDER BY e.seq LIMIT ?",
                (seq, first_ms, stop_ms, _PAGE),
            )
        if not found:
            return
        seq = int(found[-1][0])
        yield [_row(one) for one in found]


def _row(values: tuple[Any, ...]) -> Row:
    row = dict(zip(NAMES, values, strict=True))
    row["tags"] = json.loads(row["tags"]) if row["tags"] else {}
    row["id_hash"] = bytes(row["id_hash"]).hex()
    return row


def features_seen(store: SqlStore) -> list[str]:
    """Return the features of which rows were written, in order."""
    with store.transaction(write=False) as link:
        return [str(name) for (name,) in link.rows("SELECT DISTINCT feature FROM who WHERE feature <> '' ORDER BY 1")]


def notices(store: SqlStore, count: int, *, since: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """Return the newest notices first: all, or those of some budgets (`since`: their names), each from a moment on."""
    begin = "SELECT at_ms, kind, budget, account, level, text FROM notice"
    end = "ORDER BY id DESC LIMIT ?"
    found: list[tuple[Any, ...]] = []
    with store.transaction(write=False) as link:
        if since is None:
            found = link.rows(f"{begin} {end}", (count,))
        for name, first in (since or {}).items():
            found += link.rows(f"{begin} WHERE budget = ? AND at_ms >= ? {end}", (name, first, count))
    found.sort(key=lambda one: -int(one[0]))
    names = ("at_ms", "kind", "budget", "account", "level", "text")
    return [dict(zip(names, one, strict=True)) for one in found[:count]]


def budget_status(store: SqlStore, now_ms: int, *, name: str | None = None, most: int = 1000) -> list[Account]:
    """Return where each account of each budget stands in its present window, those with the largest share spent first."""
    definitions = store.definitions()
    found: list[Account] = []
    with store.transaction(write=False) as link:
        burning = _recent(link, now_ms)
        late = overdue(link, definitions.budgets, now_ms)
        for number, budget in definitions.budgets.items():
            if name is not None and budget.name != name:
                continue
            found += _accounts(link, number, budget, burning, now_ms, late=late)
    found.sort(key=lambda one: (-_share(one), one.budget, one.account))
    aimed = {one.name: one for one in definitions.budgets.values() if one.target is not None}
    return [_with_unit_cost(store, aimed.get(one.budget), one, now_ms) for one in found[:most]]


def _with_unit_cost(store: SqlStore, budget: Budget | None, one: Account, now_ms: int) -> Account:
    if budget is None or budget.target is None:
        return one
    now = unit_cost(store, budget, now_ms)
    return msgspec.structs.replace(
        one,
        target_per=budget.target.per,
        target_nano=budget.target.nano,
        unit_nano=now.nano if now else None,
        unit_count=now.count if now else 0,
        unit_minimum=budget.target.minimum,
    )


def _share(one: Account) -> float:
    full = one.hard if one.hard is not None else one.soft
    return (one.posted + one.leased + one.pending + one.lost) / full if full else 0.0


def _accounts(
    link: Link,
    number: int,
    budget: Budget,
    burning: list[tuple[Who, int, int, int]],
    now_ms: int,
    *,
    late: Mapping[tuple[int, str], Overdue],
) -> list[Account]:
    first = since(budget.period, budget.zone, now_ms, rolling=budget.rolling)
    rows: dict[str, list[int]] = {}
    for account, posted, overrun, leased, pending, lost in link.rows(
        "SELECT account, SUM(posted), SUM(overrun), SUM(leased), SUM(pending), SUM(lost) FROM slot "
        "WHERE budget = ? AND (bucket >= ? OR bucket = ?) GROUP BY account",
        (number, first, ROLLING),
    ):
        rows[str(account)] = [int(one) for one in (posted, overrun, leased, pending, lost)]
    if not rows and not budget.each:
        rows[""] = [0] * 5
    burn: dict[str, int] = {}
    for who, cost, calls, frames in burning:
        key = key_for(budget, who)
        if key is not None:
            burn[key] = burn.get(key, 0) + {"usd": cost, "calls": calls, "frames": frames}[budget.measure]
    found = []
    for account, (posted, overrun, leased, pending, lost) in rows.items():
        due = late.get((number, account), Overdue())
        leased, pending, lost = leased - due.ended, max(0, pending - due.pending), lost + due.lost  # noqa: PLW2901 - as it will be
        remaining = None if budget.hard is None else budget.hard - posted - leased - pending - lost
        rate = burn.get(account, 0) * 3_600_000 // _BURN_MS
        free = None if budget.hard is None else max(0, budget.hard - posted - pending - lost)
        found.append(
            Account(
                budget=budget.name,
                account=shown(budget, account),
                measure=budget.measure,
                period=f"last {budget.period}" if budget.rolling else budget.period,
                window_ms=first,
                hard=budget.hard,
                soft=budget.soft,
                posted=posted,
                overrun=overrun,
                leased=leased,
                pending=pending,
                lost=lost,
                remaining=remaining,
                shadow=budget.shadow,
                burn_per_hour=rate,
                seconds_left=_left(budget, free, rate, now_ms),
                would_deny=max(0, -remaining) if budget.shadow and remaining is not None else None,
                zone=budget.zone,
                forecast=budget.forecast,
                silent=due.silent,
                silent_seconds=due.silent_ms // 1000,
            )
        )
    return found


def _left(budget: Budget, free: int | None, rate: int, now_ms: int) -> float | None:
    """Return how long a rate can go on; None where the window ends before the budget does."""
    if free is None or rate <= 0:
        return None
    seconds = free * 3600 / rate
    if not budget.rolling and budget.period != "total":
        stop = window_of(budget.period, budget.zone, now_ms)[1]
        if now_ms + seconds * 1000 >= stop:
            return None
    return round(seconds, 1)


def _recent(link: Link, now_ms: int) -> list[tuple[Who, int, int, int]]:
    """Return what each caller spent in the last ten minutes (of the last 50,000 rows)."""
    last = int(link.rows("SELECT COALESCE(MAX(seq), 0) FROM event")[0][0])
    found = link.rows(
        'SELECT p.feature, p."user", p.session, p.tenant, p.user_class, p.tags, SUM(e.cost), SUM(e.calls), SUM(e.frames) '
        f"{_FROM} WHERE e.seq > ? AND e.at_ms > ? AND w.kind NOT IN ('estimate', 'correction', 'true_up') "
        'GROUP BY e.who, p.feature, p."user", p.session, p.tenant, p.user_class, p.tags',
        (last - _TAIL_ROWS, now_ms - _BURN_MS),
    )
    people = []
    for feature, user, session, tenant, user_class, tags, cost, calls, frames in found:
        pairs = tuple(sorted(json.loads(tags).items())) if tags else ()
        who = Who(feature=feature, user=user, session=session, tenant=tenant, user_class=user_class, tags=pairs)
        people.append((who, int(cost), int(calls), int(frames)))
    return people


def live(store: SqlStore, who: Who, now_ms: int) -> list[Live]:
    """Return what is spent by everybody, and by the caller's feature, user and session: today, and at the present rate.

    `seconds_left` is that of the first budget of the caller to run out at this rate.
    """
    with store.transaction(write=False) as link:
        recent = _recent(link, now_ms)
    left = [
        one.seconds_left
        for one in budget_status(store, now_ms)
        if one.seconds_left is not None and _concerns(store, one, who)
    ]
    found = []
    day = now_ms - now_ms % 86_400_000
    for name in ("", "feature", "user", "session"):
        value = who.label(name) if name else ""
        if name and not value:
            continue
        total = next((one for one in sums(store, day, now_ms + 1, by=name) if one.label == value or not name), None)
        if not name:
            every = sums(store, day, now_ms + 1)
            total = every[0] if every else None
        burn = sum(cost for one, cost, _, _ in recent if not name or one.label(name) == value)
        found.append(
            Live(
                label=f"{name}={value}" if name else "everything",
                cost_nano=total.cost_nano if total else 0,
                avoided_nano=total.avoided_nano if total else 0,
                calls=total.calls if total else 0,
                frames=total.frames if total else 0,
                burn_nano_per_hour=burn * 3_600_000 // _BURN_MS,
                seconds_left=min(left) if left else None,
            )
        )
    return found


def _concerns(store: SqlStore, account: Account, who: Who) -> bool:
    for budget in store.definitions().budgets.values():
        if budget.name == account.budget:
            key = key_for(budget, who)
            return key is not None and shown(budget, key) == account.account
    return False
