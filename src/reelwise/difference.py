"""What a change to a workload file does to the month's bill, and which part of the change does how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reelwise.account import Account
from reelwise.bill import Bill
from reelwise.edits import edits, shown
from reelwise.errors import ReelwiseError
from reelwise.facts import Facts
from reelwise.forecast import Step, steps_ahead
from reelwise.levers import kinds
from reelwise.plan import Plan
from reelwise.price import per_unit, price_one
from reelwise.rates import Book
from reelwise.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelwise.bill import Line
    from reelwise.case import Case
    from reelwise.facts import Entry

__all__ = ["Cause", "Difference", "Part", "Side", "above", "difference"]

_NOTHING = 1e-12
_DEMAND = "demand.factor"
"""The fact that a demand's low and high are drawn by; its value is always 1, and the change is told as one of the demand."""


class Side(Struct, frozen=True, kw_only=True):
    """One of the two: the month's bill and what it rests on.

    Attributes:
        where: the file, empty where there is no workload on this side.
        feature: what the bill is for.
        total_usd: USD a month.
        per: USD per {frame, minute, hour, session, user, month}, None where the demand does not say how many there are.
        day: whose prices hold, ISO.
        evidence_share: share of the bill by kind of evidence.
        feasible, why: whether the plan can do the job, and why not.
        latency_ms: estimate for one answer.
        plan_hash: of the plan.
    """

    where: str = ""
    feature: str = ""
    total_usd: float = 0.0
    per: dict[str, float | None] = {}
    day: str = ""
    evidence_share: dict[str, float] = {}
    feasible: bool = True
    why: tuple[str, ...] = ()
    latency_ms: float = 0.0
    plan_hash: str = ""


class Cause(Struct, frozen=True, kw_only=True):
    """One reason why the bill is another one.

    Attributes:
        name: a lever's name, or "workload: demand", "fact: gate.active_share", "prices", "plan: call.model".
        kind: lever, plan (a setting that no lever owns), workload, fact, prices, account, or feature (it comes or goes).
        lever: the lever's name, or None.
        title: the lever's title, empty for others.
        direction: pulled, let go or changed for a lever, else empty.
        changes: what is set otherwise, in words.
        change_usd: USD a month that it adds, with the causes before it in canonical order already changed.
    """

    name: str
    kind: str
    lever: str | None = None
    title: str = ""
    direction: str = ""
    changes: tuple[str, ...] = ()
    change_usd: float = 0.0


class Part(Struct, frozen=True, kw_only=True):
    """A part of both bills.

    Attributes:
        name: a stage, or what is billed (a model or the id of a rate card).
        lane: the lane, or the name of a host; empty where the part is no stage.
        before_usd, after_usd, change_usd: USD a month.
    """

    name: str
    lane: str = ""
    before_usd: float
    after_usd: float
    change_usd: float


class Difference(Struct, frozen=True, kw_only=True):
    """Two bills side by side.

    Attributes:
        before, after: the two sides.
        by_lever: causes with an effect, in canonical order (prices, account, workload, facts, plan); their `change_usd`
            sum to the whole change.
        without_effect: causes that change nothing in the bill.
        by_stage, by_model: parts, the largest change first.
        ahead: days on which the bill after changes by itself, because a price with a date does.
    """

    before: Side
    after: Side
    by_lever: tuple[Cause, ...] = ()
    without_effect: tuple[Cause, ...] = ()
    by_stage: tuple[Part, ...] = ()
    by_model: tuple[Part, ...] = ()
    ahead: tuple[Step, ...] = ()

    @property
    def change_usd(self) -> float:
        """USD a month more (or less)."""
        return self.after.total_usd - self.before.total_usd

    @property
    def change_share(self) -> float | None:
        """The change over the bill before; None where there was none and there is one now."""
        if self.before.total_usd > 0:
            return self.change_usd / self.before.total_usd
        return None if self.after.total_usd > 0 else 0.0

    @property
    def became_infeasible(self) -> bool:
        """Whether the job could be done before and cannot be any more."""
        return self.before.feasible and not self.after.feasible


class _State(Struct, frozen=True, kw_only=True):
    """All that a price depends on."""

    workload: Workload
    plan: Plan
    facts: Facts
    book: Book
    account: Account

    def usd(self) -> float:
        return float(price_one(self.workload, self.plan, self.facts, self.book, self.account).total_usd)


def difference(before: Case | None, after: Case | None) -> Difference:
    """Price two workloads and attribute the change.

    The way from one to the other is walked in canonical order, one change at a time, and priced after each: prices of the
    day, account, workload, facts, then the plan stage by stage and setting by setting. So the causes sum to the change;
    where two of them overlap, the later one gets what the earlier one left.

    Args:
        before: None where the feature did not exist.
        after: None where it is gone.

    Raises:
        ReelwiseError: one of the two cannot be priced; `where` says which.
    """
    old_bill, new_bill = _bill(before), _bill(after)
    sides = _side(before, old_bill), _side(after, new_bill)
    causes = _causes(before, after, sides[0].total_usd, sides[1].total_usd)
    size = max(sides[0].total_usd, sides[1].total_usd)
    return Difference(
        before=sides[0],
        after=sides[1],
        by_lever=tuple(cause for cause in causes if abs(cause.change_usd) > size * _NOTHING),
        without_effect=tuple(cause for cause in causes if abs(cause.change_usd) <= size * _NOTHING),
        by_stage=_parts(old_bill, new_bill, lambda line: (line.stage, line.lane)),
        by_model=_parts(old_bill, new_bill, lambda line: (line.sku, "")),
        ahead=steps_ahead(after, after.day) if after is not None else (),
    )


def above(found: Difference, *, share: float | None = None, usd: float | None = None) -> tuple[str, ...]:
    """Say why a change is above a gate; empty if it is not.

    Args:
        found: the difference.
        share: largest increase allowed, as a share of the bill before (0.1 is 10 %). From nothing to something is above any.
        usd: largest increase allowed, in USD a month.
    """
    change = found.change_usd
    slack = max(found.before.total_usd, found.after.total_usd) * 1e-9
    reasons = []
    if share is not None and change > slack:
        if found.before.total_usd <= 0:
            reasons.append(f"from nothing to {change:,.2f} USD a month is above any share")
        elif change > share * found.before.total_usd + slack:
            rise = change / found.before.total_usd
            reasons.append(f"{rise:+,.2%} is above the {share * 100:.6g}% allowed")
    if usd is not None and change > usd + slack:
        reasons.append(f"{change:+,.2f} USD a month is above the {usd:,.2f} allowed")
    return tuple(reasons)


# Sides and parts


def _bill(case: Case | None) -> Bill:
    if case is None:
        return Bill(lines=())
    try:
        return price_one(case.workload, case.plan, case.facts, case.book, case.account)
    except ReelwiseError as error:
        error.where = f"{case.where}: {error.where}" if error.where else case.where
        raise


def _side(case: Case | None, bill: Bill) -> Side:
    if case is None:
        return Side()
    total = float(bill.total_usd)
    return Side(
        where=case.where,
        feature=case.workload.feature,
        total_usd=total,
        per={name: None if usd is None else float(usd) for name, usd in per_unit(case.workload, total).items()},
        day=case.day.isoformat(),
        evidence_share=bill.share(),
        feasible=bill.feasible,
        why=bill.why,
        latency_ms=float(bill.latency_ms),
        plan_hash=case.plan.hash,
    )


def _parts(old: Bill, new: Bill, key: Callable[[Line], tuple[str, str]]) -> tuple[Part, ...]:
    sums: dict[tuple[str, str], list[float]] = {}
    for index, bill in enumerate((old, new)):
        for line in bill.lines:
            sums.setdefault(key(line), [0.0, 0.0])[index] += float(line.usd_month)
    rows = [
        Part(name=name, lane=lane, before_usd=was, after_usd=now, change_usd=now - was)
        for (name, lane), (was, now) in sums.items()
        if was or now
    ]
    return tuple(sorted(rows, key=lambda row: (-abs(row.change_usd), -row.after_usd)))


# Causes


def _causes(before: Case | None, after: Case | None, was: float, now: float) -> list[Cause]:
    if before is None or after is None:
        if before is after:
            return []
        word = "new" if before is None else "gone"
        there = before or after
        text = f"{there.workload.feature if there else ''} is {word}"
        return [Cause(name=f"feature: {word}", kind="feature", changes=(text,), change_usd=now - was)]
    found: dict[str, Cause] = {}
    pending: list[Cause] = []
    usd = was
    for cause, state in _walk(before, after):
        pending.append(cause)
        try:
            reached = state.usd()
        except (
            ReelwiseError
        ):  # cannot be priced half changed (a mode that only the next model has): one cause with the next
            continue
        one = _joined(pending, reached - usd)
        pending, usd = [], reached
        found[one.name] = _added(found[one.name], one) if one.name in found else one
    return list(found.values())


def _joined(causes: list[Cause], change_usd: float) -> Cause:
    names = list(dict.fromkeys(cause.name for cause in causes))
    changes = tuple(text for cause in causes for text in cause.changes)
    if len(names) == 1:
        return replace(causes[0], changes=changes, change_usd=change_usd)
    kinds_of = {cause.kind for cause in causes}
    kind = kinds_of.pop() if len(kinds_of) == 1 else "plan"
    short = " + ".join(name.partition(": ")[2] or name for name in names)
    return Cause(name=f"{kind}: {short}", kind=kind, changes=changes, change_usd=change_usd)


def _added(one: Cause, other: Cause) -> Cause:
    """Add two steps of one cause: a lever that was pulled by one setting and changed in another was pulled."""
    words = {one.direction, other.direction}
    direction = one.direction if len(words) == 1 else (words - {"changed"}).pop() if "changed" in words else "changed"
    return replace(
        one,
        direction=direction,
        changes=(*one.changes, *other.changes),
        change_usd=one.change_usd + other.change_usd,
    )


def _walk(before: Case, after: Case) -> Iterator[tuple[Cause, _State]]:
    """Yield each change and all that holds after it; the last state is the one after."""
    state = _State(workload=before.workload, plan=before.plan, facts=before.facts, book=before.book, account=before.account)  # fmt: skip
    if before.day != after.day:
        state = replace(state, book=Book(after.day, before.book.overrides))
        yield Cause(name="prices", kind="prices", changes=(f"prices of {before.day} -> {after.day}",)), state
    if before.book.overrides != after.book.overrides:
        state = replace(state, book=after.book)
        yield Cause(name="prices: private", kind="prices", changes=("another file of private prices",)), state
    if before.account.free_tiers != after.account.free_tiers:
        state = replace(state, account=after.account)
        text = f"account.free_tiers {shown(before.account.free_tiers)} -> {shown(after.account.free_tiers)}"
        yield Cause(name="account", kind="account", changes=(text,)), state
    for name in Workload.__struct_fields__:
        old, new = getattr(before.workload, name), getattr(after.workload, name)
        if old != new:
            state = replace(state, workload=replace(state.workload, **{name: new}))
            texts = tuple(_texts(name, msgspec.to_builtins(old), msgspec.to_builtins(new)))
            yield Cause(name=f"workload: {name}", kind="workload", changes=texts), state
    old_facts, new_facts = _by_name(before.facts), _by_name(after.facts)
    for name, text in _fact_changes(old_facts, new_facts):
        state = replace(state, facts=Facts(_merged(state.facts, name, new_facts[name])))
        yield Cause(name=f"fact: {name}", kind="fact", changes=(text,)), state
    for edit in edits(before.plan, after.plan, (*after.levers, *before.levers)):
        state = replace(state, plan=edit.plan)
        yield _plan_cause(edit.setting, edit.text, edit.lever, edit.direction), state
    gone = [name for name in old_facts if name not in new_facts and name != _DEMAND]
    if gone:
        state = replace(state, facts=after.facts)
        texts = tuple(f"{name} removed" for name in gone)
        yield Cause(name=f"fact: {', '.join(gone)}", kind="fact", changes=texts), state


def _plan_cause(setting: str, text: str, lever: str, direction: str) -> Cause:
    if lever:
        title = kinds()[lever].card.title
        return Cause(name=lever, kind="lever", lever=lever, title=title, direction=direction, changes=(text,))
    return Cause(name=f"plan: {setting}", kind="plan", changes=(text,))


def _by_name(facts: Facts) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in facts.entries:
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def _fact_changes(old: dict[str, tuple[Entry, ...]], new: dict[str, tuple[Entry, ...]]) -> Iterator[tuple[str, str]]:
    """Name the facts that are new or say something else; that a source is named otherwise is no change."""
    for name, entries in new.items():
        was = [_said(entry) for entry in old.get(name, ())]
        now = [_said(entry) for entry in entries]
        if was != now and name != _DEMAND:
            first = next(iter(old.get(name, ())), None)
            value = "none" if first is None else _fact_text(first)
            yield name, f"{name} {value} -> {_fact_text(entries[0])}"


def _fact_text(entry: Entry) -> str:
    fact = entry.fact
    ends = "" if fact.low is None and fact.high is None else f", {shown(fact.low)} to {shown(fact.high)}"
    return f"{shown(fact.value)} ({fact.kind}{ends})"


def _said(entry: Entry) -> tuple[Any, ...]:
    fact = entry.fact
    return entry.settings, entry.prefix, entry.source_class, fact.value, fact.low, fact.high, fact.kind


def _merged(facts: Facts, name: str, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (*entries, *(entry for entry in facts.entries if entry.name != name))


def _texts(path: str, old: Any, new: Any) -> Iterator[str]:
    """Say what differs between two values, field by field."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _texts(f"{path}.{name}", old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) == len(new):
            for index, pair in enumerate(zip(old, new, strict=True)):
                named = pair[1].get("name", index) if isinstance(pair[1], dict) else index
                yield from _texts(f"{path}.{named}", *pair)
        else:
            yield f"{path}: {len(old)} -> {len(new)} entries"
    elif old != new:
        yield f"{path} {shown(old)} -> {shown(new)}"
