"""Let go of old rows; their sums stay, by minute, hour and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.ledger.rolls import fold

if TYPE_CHECKING:
    from reelwise.ledger.sql import Link, SqlStore

__all__ = ["KEEP_DAYS_MIN", "prune", "pruned_sums", "pruned_until"]

KEEP_DAYS_MIN = 62
"""Rows of two months stay: a budget that is set today counts what was spent in its window."""

_DAY = 86_400_000
_STEP = 100_000


def prune(store: SqlStore, keep_days: int, now_ms: int) -> int:
    """Delete rows of days (UTC) more than `keep_days` ago, and return how many; sums are kept.

    Raises:
        InputError: rows are kept for 62 days at least.
    """
    if keep_days < KEEP_DAYS_MIN:
        raise InputError(
            f"rows are kept for {KEEP_DAYS_MIN} days at least",
            where="--keep",
            hint="budgets of a month are verified against them",
        )
    while fold(store):
        pass
    until = (now_ms - keep_days * _DAY) // _DAY * _DAY
    count = 0
    while True:
        with store.transaction() as link:
            found = link.rows(
                "SELECT seq, cost, what IN (SELECT id FROM what WHERE kind = 'estimate') FROM event "
                "WHERE at_ms < ? AND seq < (SELECT MAX(seq) FROM event) ORDER BY seq LIMIT ?",  # numbers go on from the last
                (until, _STEP),
            )
            if not found:
                return count
            rows, cost = pruned_sums(link)
            link.many("DELETE FROM event WHERE seq = ?", [(one[0],) for one in found])
            _keep(link, "pruned", max(until, pruned_until(link)))
            counted = [int(one[1]) for one in found if not one[2]]
            _keep(link, "pruned_rows", rows + len(counted))
            _keep(link, "pruned_cost", cost + sum(counted))
            count += len(found)


def _keep(link: Link, name: str, value: int) -> None:
    link.run(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, str(value)),
    )


def _kept(link: Link, name: str) -> int:
    found = link.rows("SELECT value FROM meta WHERE name = ?", (name,))
    return int(found[0][0]) if found else 0


def pruned_until(link: Link) -> int:
    """Return the first moment of which rows are kept; 0 where none were let go of."""
    return _kept(link, "pruned")


def pruned_sums(link: Link) -> tuple[int, int]:
    """Return how many rows were let go of, and what they cost in all (nano-USD)."""
    return _kept(link, "pruned_rows"), _kept(link, "pruned_cost")
