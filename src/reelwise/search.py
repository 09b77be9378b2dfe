"""The cheapest combination of levers under a latency class and a quality floor: exact over the offered settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.feasibility import latency_ms, tokens_in
from reelwise.flow import Out
from reelwise.levers import Lever, kinds
from reelwise.plan import Plan, fold
from reelwise.price import price_collected
from reelwise.stages import AnyStage, Sample
from reelwise.units import Num, is_array
from reelwise.workload import LATENCY_SECONDS, items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.account import Account
    from reelwise.case import Case
    from reelwise.facts import Facts
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["MOST", "Choice", "Search", "price_many", "search"]

MOST = 500_000
"""Combinations that are looked at; more is an error that asks for fewer levers, never a sample."""


class Choice(Struct, frozen=True, kw_only=True):
    """One combination.

    Attributes:
        levers: names with the settings they were pulled with.
        usd_month: its bill.
        quality: product of the levers' known qualities relative to the plan as it is; None if one is unknown.
        latency_ms: estimate for one answer.
        plan: the plan it makes.
    """

    levers: tuple[tuple[str, dict[str, Any]], ...]
    usd_month: float
    quality: float | None
    latency_ms: float
    plan: Plan


class Search(Struct, frozen=True, kw_only=True):
    """What a search found.

    Attributes:
        naive_usd_month: the plan as it is.
        best: the cheapest combination within floor and latency class, or None.
        front: combinations of known quality that no other beats in both money and quality, cheapest first.
        cheapest_unknown: the cheapest of all, where its quality is unknown and so under a floor it was left out.
        looked_at: distinct plans priced; `infeasible`: of these, too slow or too long for a context.
        left_out: levers left out, and why.
    """

    naive_usd_month: float
    best: Choice | None
    front: tuple[Choice, ...]
    cheapest_unknown: Choice | None
    looked_at: int
    infeasible: int
    left_out: tuple[tuple[str, str], ...]


def _vector(stage: AnyStage, *, rates_measured: bool) -> tuple[str, ...]:
    """Name the settings that may be arrays: numbers that no measured fact is keyed by."""
    if isinstance(stage, Sample) and (stage.looks or rates_measured):
        return ()
    return tuple(name for name in stage.vector if getattr(stage, name) is not None)


def price_many(
    workload: Workload, plans: Sequence[Plan], facts: Facts, book: Book, account: Account
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Price many plans for one workload, those that differ in numbers only in one pass.

    Returns:
        USD a month (V,), feasible (V,), latency in ms (V,), in the order of the plans.
    """
    import numpy as np

    rates_measured = facts.has("sample.uniform_frames_per_second", workload.footage)
    groups: dict[Any, list[int]] = {}
    numbers: list[tuple[float, ...]] = []
    seen: dict[int, tuple[Any, tuple[float, ...]]] = {}
    for index, plan in enumerate(plans):
        keys = []
        values: tuple[float, ...] = ()
        for stage in plan.stages:
            known = seen.get(id(stage))
            if known is None:
                names = _vector(stage, rates_measured=rates_measured)
                rest = msgspec.structs.replace(stage, **dict.fromkeys(names, 0.5)) if names else stage
                known = seen[id(stage)] = ((rest, names), tuple(float(getattr(stage, n)) for n in names))
            keys.append(known[0])
            values += known[1]
        alone = index if _judged_alone(workload, plan, account) else -1
        groups.setdefault((tuple(keys), plan.hosts, plan.fees, alone), []).append(index)
        numbers.append(values)
    usd, ms = np.zeros(len(plans)), np.zeros(len(plans))
    feasible = np.zeros(len(plans), bool)
    items = items_of(workload, facts)
    for members in groups.values():
        plan = _widened(plans[members[0]], [numbers[i] for i in members], rates_measured=rates_measured)
        out = Out(book, book.day)
        fold(plan, items, facts, out)
        bill = price_collected([(workload, plan, out)], facts, book, account)
        late, _ = latency_ms(workload, plan, out.requests, facts, book)
        usd[members] = bill.total_usd
        ms[members] = late
        in_time = (late <= LATENCY_SECONDS[workload.latency] * 1000) & _fits(out, book)
        feasible[members] = bill.feasible if len(members) == 1 else in_time
    return usd, feasible, ms


def _judged_alone(workload: Workload, plan: Plan, account: Account) -> bool:
    """Say whether more than latency and context decides if a plan can do the job: quotas, and machines that must keep up."""
    return workload.is_live or bool(account.limits) or any(host.comes_and_goes for host in plan.hosts)


def _widened(plan: Plan, rows: list[tuple[float, ...]], *, rates_measured: bool) -> Plan:
    """Put the numbers of many plans of one shape into one plan, as arrays (V, 1)."""
    if len(rows) == 1 or not rows[0]:
        return plan
    import numpy as np

    columns = iter(np.array(rows, float).T[:, :, None])
    stages = []
    for stage in plan.stages:
        names = _vector(stage, rates_measured=rates_measured)
        stages.append(msgspec.structs.replace(stage, **{name: next(columns) for name in names}) if names else stage)
    return msgspec.structs.replace(plan, stages=tuple(stages))


def _fits(out: Out, book: Book) -> Any:
    fits: Any = True
    for request in out.requests:
        limit = None if request.model.startswith("host:") else book.context_limit(request.model)
        if limit is not None:
            tokens = tokens_in(request)
            most: Num = tokens.max(axis=-1) if is_array(tokens) else tokens
            fits &= most <= limit
    return fits


def search(case: Case, levers: Sequence[Lever] | None = None, *, quality_floor: float | None = None) -> Search:
    """Price every combination of levers that apply, over their offered settings.

    Args:
        case: workload, plan, facts and prices.
        levers: those to combine, with one setting each; None takes every lever with all its offers.
        quality_floor: smallest quality relative to the plan as it is; None takes the workload's. Under a floor a lever
            whose quality nobody has measured or given is left out; it is never taken as 1.

    Raises:
        InputError: more than MOST combinations.
    """
    floor = quality_floor if quality_floor is not None else case.workload.quality_floor
    left_out: list[tuple[str, str]] = []
    offers = [group for group in _offers(case, levers, left_out) if group]
    combinations = list(_combinations(case, offers))
    plans = [plan for plan, _ in combinations]
    usd, feasible, ms = price_many(case.workload, plans, case.facts, case.book, case.account)
    qualities = [_quality(case, pulled) for _, pulled in combinations]
    order = sorted(range(len(plans)), key=lambda i: (usd[i], -(qualities[i] or 0.0)))

    def choice(index: int) -> Choice:
        plan, pulled = combinations[index]
        return Choice(
            levers=tuple((lever.name, _settings(lever)) for lever in pulled),
            usd_month=float(usd[index]),
            quality=qualities[index],
            latency_ms=float(ms[index]),
            plan=plan,
        )

    best: Choice | None = None
    unknown: Choice | None = None
    front: list[Choice] = []
    highest = -1.0
    for index in order:
        if not feasible[index]:
            continue
        quality = qualities[index]
        if quality is None:
            unknown = unknown or choice(index)
            if floor is None and best is None:
                best = choice(index)
            continue
        if best is None and quality >= (floor or 0.0):
            best = choice(index)
        if quality > highest:
            highest = quality
            front.append(choice(index))
    cheaper = unknown is not None and (best is None or unknown.usd_month < best.usd_month)
    return Search(
        naive_usd_month=float(usd[0]),
        best=best,
        front=tuple(front),
        cheapest_unknown=unknown if cheaper else None,
        looked_at=len(plans),
        infeasible=int((~feasible).sum()),
        left_out=tuple(left_out),
    )


def _offers(case: Case, levers: Sequence[Lever] | None, left_out: list[tuple[str, str]]) -> Iterator[list[Lever]]:
    """Give each lever's settings that apply."""
    own = {lever.name: lever for lever in case.levers}
    groups: list[list[Lever]]
    if levers is not None:
        groups = [[lever] for lever in levers]
    else:
        groups = [
            [*([own[name]] if name in own else []), *(msgspec.convert({"lever": name, **o}, kind) for o in kind.offers)]
            for name, kind in kinds().items()
        ]
    behind = [case.plan]
    flat = list(dict.fromkeys(lever for group in groups for lever in group if lever.is_priced))
    fit = (lever for lever in flat if lever.applies(case.workload, case.plan, case.facts, case.book).ok)
    behind.extend(lever.apply(case.plan) for lever in fit)
    for group in groups:
        fits = []
        reason = ""
        for lever in dict.fromkeys(group):
            if not lever.is_priced:
                reason = "has a card only"
                continue
            verdicts = [lever.applies(case.workload, plan, case.facts, case.book) for plan in behind]
            if any(verdict.ok for verdict in verdicts):
                fits.append(lever)
            else:
                reason = verdicts[0].reason
        if not fits:
            left_out.append((group[0].name, reason))
        yield fits


_Walk = tuple[Plan, tuple[Lever, ...], tuple[Lever, ...], int]


def _combinations(case: Case, offers: Sequence[list[Lever]]) -> Iterator[tuple[Plan, tuple[Lever, ...]]]:
    """Walk the tree of choices, each lever off or at one setting; equal plans are given once.

    A lever that does not apply where its turn comes waits for the others: it may apply behind one of them.
    """
    seen: set[Plan] = set()
    walked = 0
    pending: list[_Walk] = [(case.plan, (), (), 0)]
    while pending:
        now, pulled, waiting, depth = pending.pop()
        if depth == len(offers):
            walked += 1
            if walked > MOST:
                raise InputError(
                    f"more than {MOST:,} combinations", where="search", hint="name fewer with --levers a,b,c"
                )
            done = _pull_waiting(case, now, pulled, waiting)
            if done is not None and done[0] not in seen:
                seen.add(done[0])
                yield done
            continue
        for lever in reversed(offers[depth]):
            if any(o.name in lever.excludes or lever.name in o.excludes for o in (*pulled, *waiting)):
                continue
            if lever.applies(case.workload, now, case.facts, case.book).ok:
                pending.append((lever.apply(now), (*pulled, lever), waiting, depth + 1))
            else:
                pending.append((now, pulled, (*waiting, lever), depth + 1))
        pending.append((now, pulled, waiting, depth + 1))


def _pull_waiting(
    case: Case, plan: Plan, pulled: tuple[Lever, ...], waiting: tuple[Lever, ...]
) -> tuple[Plan, tuple[Lever, ...]] | None:
    """Pull what waited, as far as it applies now; None if something never does: that choice is no combination."""
    while waiting:
        ready = next((one for one in waiting if one.applies(case.workload, plan, case.facts, case.book).ok), None)
        if ready is None:
            return None
        plan, pulled = ready.apply(plan), (*pulled, ready)
        waiting = tuple(one for one in waiting if one != ready)
    return plan, pulled


def _settings(lever: Lever) -> dict[str, Any]:
    return {name: getattr(lever, name) for name in lever.__struct_fields__}


def _quality(case: Case, pulled: Iterable[Lever]) -> float | None:
    """Multiply what is known; None as soon as one lever's quality is not."""
    product = 1.0
    for lever in pulled:
        known = quality_of(case, lever)
        if known is None:
            return None
        product *= known
    return product


def quality_of(case: Case, lever: Lever) -> float | None:
    """Return the quality a lever keeps at its settings, or None.

    A lever that leaves model and input as they are keeps 1. Else it is a fact: `quality.NAME.field=value` for an offered
    setting, or `quality.NAME` for the lever as the file names it (or its defaults).
    """
    if lever.lossless:
        return 1.0
    default = type(lever)()
    own = next((one for one in case.levers if one.name == lever.name), default)
    changed = ",".join(f"{k}={_plain(v)}" for k, v in _settings(lever).items() if v != getattr(default, k))
    found = case.facts.find(f"quality.{lever.name}.{changed}") if changed else None
    if found is None and lever == own:
        found = case.facts.find(f"quality.{lever.name}")
    return found[0].fact.value if found else None


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
