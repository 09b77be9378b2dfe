"""Budgets and where they stand, in words and cells that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.cli.ledger_options import amount, amounts

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget
    from reelwise.ledger.queries import Account

__all__ = ["limits", "parts_of", "standing", "unit_cost"]


def _with_unit(value: int | None, measure: str) -> str:
    if value is None:
        return "none"
    return f"${amount(value, 'usd')}" if measure == "usd" else f"{value:,} {measure}"


def parts_of(budget: Budget) -> dict[str, str]:
    """Return each part of a budget in words."""
    soft = _with_unit(budget.soft, budget.measure)
    target = budget.target
    return {
        "scope": " and ".join(f"{name}={value}" for name, value in budget.match) or "everything",
        "kept apart by": ", ".join(budget.each) or "nothing",
        "period": f"the last {budget.period}" if budget.rolling else budget.period,
        "zone": budget.zone,
        "measure": budget.measure,
        "hard": _with_unit(budget.hard, budget.measure),
        "soft": f"{soft} ({budget.soft_share} %)" if budget.soft_share else soft,
        "shadow": "yes" if budget.shadow else "no",
        "target": f"${amount(target.nano, 'usd')} a {target.per}" if target else "none",
        "minimum": f"{target.minimum:,}" if target else "none",
        "forecast": _with_unit(budget.forecast, budget.measure),
    }


def limits(budget: Budget) -> str:
    """Say what a budget does, in one line."""
    parts = parts_of(budget)
    told = []
    if budget.hard is not None:
        told.append(f"{'would deny' if budget.shadow else 'denies'} above {parts['hard']}")
    if budget.soft is not None:
        told.append(f"steps down from {parts['soft']}")
    if budget.target is not None:
        told.append(f"aims at {parts['target']} once {parts['minimum']} are counted")
    if budget.forecast is not None:
        told.append(f"the plan expects {parts['forecast']}")
    apart = f", for each {', '.join(budget.each)}" if budget.each else ""
    zone = "" if budget.rolling or budget.period == "total" else f" ({budget.zone})"
    period = (
        f"the last {budget.period}"
        if budget.rolling
        else ("all time" if budget.period == "total" else f"a {budget.period}{zone}")
    )
    return f"{'; '.join(told)}; over {period}, {parts['scope']}{apart}"


def standing(one: Account) -> tuple[str, ...]:
    """Return an account's limit, spent, held, uncertain, left, what would be denied, and burn, all with as many digits."""
    limit = one.hard if one.hard is not None else one.soft
    held = one.leased + one.pending
    left = None if one.remaining is None else abs(one.remaining)
    texts = amounts((limit, one.posted, held, one.lost, left), one.measure)
    burn = amounts((limit, one.posted, one.burn_per_hour), one.measure)[2] if one.burn_per_hour else ""
    rest = f"over by {texts[4]}" if one.remaining is not None and one.remaining < 0 else texts[4]
    denied = one.would_deny is not None  # it only reports: nothing is left of what limits nothing
    return (
        texts[0],
        texts[1],
        texts[2] if held else "",
        texts[3] if one.lost else "",
        "" if denied else rest,
        (texts[4] if one.would_deny else "nothing") if denied else "",
        burn,
    )


def unit_cost(one: Account) -> tuple[str, ...]:
    """Return what a unit costs now, the aim, and how many were counted."""
    now, aim = amounts((one.unit_nano, one.target_nano), "usd")
    if one.unit_count < one.unit_minimum:
        verdict = f"not judged before {one.unit_minimum:,}"
    else:
        verdict = "above the aim: steps down" if (one.unit_nano or 0) > (one.target_nano or 0) else "under the aim"
    return (now or "none yet", aim, f"{one.unit_count:,}", verdict)
