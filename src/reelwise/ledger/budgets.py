"""Budgets: for whom (scope), over what time (period), how much (soft and hard limit), of what (dollars, calls, frames)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.ledger.events import TAGS_MAX, Who, check_label
from reelwise.ledger.periods import PERIODS, Period, zone
from reelwise.units import NANO

__all__ = ["DIMENSIONS", "GLOBAL", "Budget", "Measure", "Target", "check_budget", "key_for"]

Measure = Literal["usd", "calls", "frames"]
DIMENSIONS: tuple[str, ...] = ("feature", "user", "session", "tenant", "user_class")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")
_AMOUNT = re.compile(
    r"([+-]?)\$?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)?(?:\.[0-9]+)?|[0-9]+\.)(?<=[0-9.])", re.ASCII
)
_AMOUNT_MAX = 60
GLOBAL = ""
_SEPARATOR = "\x1f"
NOTICES = (0.5, 0.8, 1.0)

Per = Literal["user", "session", "video_hour", "outcome", "call", "frame", "minute"]


class Target(Struct, frozen=True, kw_only=True):
    """A unit cost that a feature is to stay under: above it, its mode steps down.

    Attributes:
        per: user, session, video_hour, outcome (events that have one), call, frame, minute (of video).
        nano: nano-USD per unit.
        minimum: units that must have been counted before it is judged.
    """

    per: Per
    nano: int
    minimum: int = 30


class Budget(Struct, frozen=True, kw_only=True):
    """A limit on what may be spent.

    Attributes:
        name: unique.
        match: labels that a call must have to count, as sorted (dimension, value) pairs; empty for all calls.
        each: dimensions by whose values the budget is kept apart: ("user",) gives every user a budget of their own.
        period: minute, hour, day, month, total.
        rolling: the last 24 hours rather than this day; counted in 60 parts, so that a cost may leave up to a 60th late.
        zone: the time zone of calendar periods.
        measure: usd (in nano-USD), calls or frames.
        hard: a call that does not fit under it is denied before it is made; None for none.
        soft: above it a notice is given and the feature's mode steps down; None for none.
        shadow: report what would have been denied, deny nothing.
        target: a unit cost instead of, or besides, limits.
        forecast: what the plan expects in the period, in the same measure: notices by pace are held against it.
        soft_share: the percentage of the hard limit that `soft` was given as, so that it can follow another hard limit; empty for none.
    """

    name: str
    match: tuple[tuple[str, str], ...] = ()
    each: tuple[str, ...] = ()
    period: Period = "day"
    rolling: bool = False
    zone: str = "UTC"
    measure: Measure = "usd"
    hard: int | None = None
    soft: int | None = None
    shadow: bool = False
    target: Target | None = None
    forecast: int | None = None
    soft_share: str = ""

    @property
    def holds(self) -> bool:
        """Whether calls need to be held against it."""
        return self.hard is not None and not self.shadow

    @property
    def full(self) -> int | None:
        """What shares of the budget are shares of: the hard limit, else the soft one."""
        return self.hard if self.hard is not None else self.soft


def _check_dimension(name: str) -> None:
    if name in DIMENSIONS or (name.startswith("tag:") and len(name) > len("tag:")):
        return
    raise InputError(f"no such dimension: {name[:60]!r}", where="scope", hint=f"{', '.join(DIMENSIONS)} or tag:NAME")


def check_budget(budget: Budget) -> Budget:
    """Check what types cannot say.

    Raises:
        InputError: a name, dimension, time zone or limit that cannot be; a budget that limits nothing.
    """
    where = f"budget {budget.name[:64]}"
    if not _NAME.fullmatch(budget.name):
        raise InputError(
            f"no budget can be named {budget.name[:64]!r}",
            where="name",
            hint="letters, digits and _ . : / - ; up to 64",
        )
    if len(budget.match) > TAGS_MAX or len(budget.each) > 4:
        raise InputError("too many dimensions", where=where, hint="match up to 16 labels, keep apart by up to 4")
    for name, value in budget.match:
        _check_dimension(name)
        if not check_label(value, name):
            raise InputError(f"{name} has no value", where=where, hint=f"--match {name}=VALUE")
    for name in budget.each:
        _check_dimension(name)
    zone(budget.zone)
    _check_limits(budget, where)
    return budget


def _check_limits(budget: Budget, where: str) -> None:
    if budget.period not in PERIODS:
        raise InputError(f"no such period: {budget.period}", where=where, hint=", ".join(PERIODS))
    if budget.rolling and budget.period in ("total", "month"):
        raise InputError("a rolling period is a minute, an hour or a day", where=where, hint="--period day --rolling")
    if budget.hard is None and budget.soft is None and budget.target is None:
        raise InputError("it limits nothing", where=where, hint="give --hard, --soft or --target")
    for name, limit in (("hard", budget.hard), ("soft", budget.soft), ("forecast", budget.forecast)):
        if limit is not None and not 0 <= limit < 1 << 60:
            raise InputError(f"{name} limit out of range", where=where, hint="between 0 and 10^9 dollars")
    if budget.soft is not None and budget.hard is not None and budget.soft > budget.hard:
        raise InputError(
            "the soft limit lies above the hard one",
            where=where,
            hint="soft comes first: give --soft as well, or as a share (80%)",
        )
    if budget.target is not None and (budget.target.nano <= 0 or budget.target.minimum < 1):
        raise InputError("a target is a unit cost above 0, with a minimum of 1 unit or more", where=where, hint="0.05")
    if budget.target is not None and (budget.each or any(name != "feature" for name, _ in budget.match)):
        raise InputError(
            "a unit cost is aimed at for everything, or for one feature", where=where, hint="--match feature=NAME"
        )


def key_for(budget: Budget, who: Who) -> str | None:
    """Return which of the budget's accounts a call counts in, or None where it does not count."""
    for name, value in budget.match:
        if who.label(name) != value:
            return None
    if not budget.each:
        return GLOBAL
    return _SEPARATOR.join([who.label(name) for name in budget.each])  # callers without a label share one account


def shown(budget: Budget, key: str) -> str:
    """Return an account's name as a person reads it: `user=u1, feature=blur`."""
    pairs = [f"{name}={value}" for name, value in budget.match]
    pairs += [f"{name}={value or '(none)'}" for name, value in zip(budget.each, key.split(_SEPARATOR), strict=False)]
    return ", ".join(pairs) or "everything"


def amount_of(text: str, measure: Measure, where: str) -> int:
    """Read a limit: dollars (12.50, 1,250.00) as nano-USD, or a whole number of calls or frames.

    A comma only groups thousands: 12,50 is refused rather than read as 1,250.

    Raises:
        InputError: empty, not a number, negative, too large, or finer than a nano-dollar.
    """
    given = text.strip()
    if not given:
        raise InputError("it is empty", where=where, hint="is the shell variable set? `none` takes a limit away")
    found = _AMOUNT.fullmatch(given) if len(given) <= _AMOUNT_MAX else None
    if not found:
        comma = "a comma groups thousands (1,250.00), a point begins the cents: " if "," in given else ""
        raise InputError(f"not a number: {given[:40]!r}", where=where, hint=f"{comma}12.50")
    value = Fraction(re.sub("[,_]", "", found[2])) * (NANO if measure == "usd" else 1)
    if found[1] == "-" or value >= 1 << 60:
        raise InputError(f"out of range: {given[:40]!r}", where=where, hint="between 0 and 10^9 dollars")
    if value.denominator != 1:
        finest = "a nano-dollar" if measure == "usd" else "one"
        raise InputError(f"finer than {finest}: {given[:40]!r}", where=where, hint="round it")
    return int(value)
