"""What a budget of all time counts when it is set after old rows were let go of: their sums are still there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.ledger.budgets import GLOBAL
from reelwise.ledger.periods import since
from reelwise.ledger.recompute import spent_before, spent_in_rows
from reelwise.ledger.retention import pruned_until
from reelwise.ledger.rolls import dimension, unfolded

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.sql import Link

__all__ = ["spent_so_far"]

_COLUMN = {"usd": "cost", "calls": "calls", "frames": "frames"}


def spent_so_far(link: Link, budget: Budget, now_ms: int) -> dict[tuple[str, int], int]:
    """Sum what was spent in a budget's present window, by account and bucket, rows that were let go of among them.

    Raises:
        InputError: rows of the window are gone, and their sums were not kept by all the labels that the budget asks for at once.
    """
    first = since(budget.period, budget.zone, now_ms, rolling=budget.rolling)
    if first >= pruned_until(link):
        return spent_before(link, budget, now_ms)
    names = {name for name, _ in budget.match} | set(budget.each)
    others = names - {"feature"}
    if budget.period != "total" or len(others) > 1:
        raise InputError(
            "rows that it would count were pruned, and sums are kept by a feature and one more label at most",
            where=f"budget {budget.name}",
            hint="--period month, or fewer of --match and --each",
        )
    rolled, _ = unfolded(link)
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for key, amount in spent_in_rows(link, budget, rolled).items():  # those that are newer than the sums
        sums[key, 0] += amount
    for key, amount in _in_sums(link, budget, next(iter(others), "")).items():
        sums[key, 0] += amount
    return dict(sums)


def _in_sums(link: Link, budget: Budget, other: str) -> dict[str, int]:
    """Add up the sums by account; callers without the label are what is left of the whole."""
    column = _COLUMN[budget.measure]
    match = dict(budget.match)
    whole: dict[str, int] = defaultdict(int)
    for feature, amount in link.rows(
        f"SELECT feature, SUM({column}) FROM roll WHERE grain = 2 AND dim = 0 GROUP BY feature"  # noqa: S608 - one of three names
    ):
        if match.get("feature", feature) == feature:
            whole[str(feature)] += int(amount)
    labelled: dict[tuple[str, str], int] = {}
    if other:
        dim, begins = dimension(other)
        for feature, label, amount in link.rows(
            f"SELECT feature, label, SUM({column}) FROM roll WHERE grain = 2 AND dim = ? "  # noqa: S608
            f"AND SUBSTR(label, 1, {len(begins)}) = ? GROUP BY feature, label",
            (dim, begins),
        ):
            if feature in whole:
                labelled[str(feature), str(label).removeprefix(begins)] = int(amount)
                whole[str(feature)] -= int(amount)
    found: dict[str, int] = defaultdict(int)
    for (feature, value), amount in [*labelled.items(), *(((name, ""), left) for name, left in whole.items())]:
        if other and match.get(other, value) != value:
            continue
        key = "\x1f".join(feature if name == "feature" else value for name in budget.each) if budget.each else GLOBAL
        if amount:
            found[key] += amount
    return found
