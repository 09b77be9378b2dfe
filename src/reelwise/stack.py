"""Levers combined: what each is worth alone, in place, and on the part of the bill it touches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import ReelwiseError
from reelwise.levers import Lever, kinds
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.search import quality_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.bill import Bill
    from reelwise.case import Case

__all__ = ["SMALL_SHARE", "Skipped", "Stack", "Step", "compare_bills", "ordered", "questions", "stack"]

SMALL_SHARE = 0.01
"""A lever that touches or saves less than this share of the bill gets no credit."""

EFFORT_DAYS = {"minutes": 0.1, "hours": 0.5, "days": 3.0, "weeks": 15.0}
"""Working days behind each word of effort on the cards (our estimate), to order by what a day of work saves."""


class Step(Struct, frozen=True, kw_only=True):
    """One lever in place.

    Attributes:
        lever: its name.
        total_usd_month: the bill after it.
        factor: bill before over bill after, in place.
        factor_alone: the same on the plan as it is, or None where it does not apply alone.
        touched_share: share of the bill before it that it changes.
        factor_on_touched: factor on that share.
        overlap: how much of its effect alone is gone in place, 0 (none) to 1 (all), on the share it touches; a lever
            that touches less in place is diluted, which is no overlap.
        effort: how long it takes a team.
        settings: what it was pulled with.
        evidence: weakest evidence of the bill after it.
        quality: quality kept relative to the plan as it is, None where nobody has measured it.
    """

    lever: str
    title: str
    total_usd_month: float
    factor: float
    factor_alone: float | None
    touched_share: float
    factor_on_touched: float
    overlap: float | None
    effort: str
    settings: dict[str, object]
    evidence: str
    quality: float | None


class Skipped(Struct, frozen=True, kw_only=True):
    """A lever that was not pulled, and why."""

    lever: str
    title: str
    reason: str


class Stack(Struct, frozen=True, kw_only=True):
    """The waterfall.

    Attributes:
        naive_usd_month: the plan as it is.
        final_usd_month: with all steps.
        factor: naive over final.
        steps: in the order to apply them.
        skipped: the others, with reasons.
        questions: the four questions and this workload's answers.
        feasible, why: of the final plan.
        plan: the final plan.
    """

    naive_usd_month: float
    final_usd_month: float
    factor: float
    steps: tuple[Step, ...]
    skipped: tuple[Skipped, ...]
    questions: tuple[tuple[str, str], ...]
    naive_feasible: bool
    naive_why: tuple[str, ...]
    feasible: bool
    why: tuple[str, ...]
    plan: Plan


def compare_bills(before: Bill, after: Bill) -> tuple[float, float]:
    """Say which share of a bill a change touches, and the factor on that share.

    A line is touched where its amount differs or is gone; new lines belong to what was touched.
    """
    old: dict[object, float] = {}
    new: dict[object, float] = {}
    for sums, bill in ((old, before), (new, after)):
        for line in bill.lines:
            sums[line.key] = sums.get(line.key, 0.0) + float(line.usd_month)
    whole = sum(old.values())
    if whole <= 0:
        return 0.0, 1.0
    same = sum(
        usd for key, usd in old.items() if key in new and math.isclose(usd, new[key], rel_tol=1e-9, abs_tol=1e-12)
    )
    touched, left = whole - same, sum(new.values()) - same
    if touched <= whole * 1e-12:
        return 0.0, 1.0
    return touched / whole, ratio(touched, left)


def ratio(before: float, after: float) -> float:
    """Divide, saying infinity for everything saved and 1 for nothing at all."""
    if after <= 0:
        return math.inf if before > 0 else 1.0
    return before / after


def questions(case: Case) -> tuple[tuple[str, str], ...]:
    """Answer the article's four questions from the workload."""
    workload = case.workload
    again = workload.repetition
    repeats = again.questions * again.views * again.duplicates > 1 or workload.prompt.prefix > 0
    return (
        (
            "Does it have to be real-time?",
            f"{'yes' if workload.latency in {'realtime', 'seconds'} else 'no'} ({workload.latency})",
        ),
        ("Does the input repeat?", "yes" if repeats else "no"),
        ("Is the load steady around the clock?", "yes" if workload.load == "steady" else f"no ({workload.load})"),
        ("Is it spiky and unpredictable?", "yes" if workload.load == "spiky" else f"no ({workload.load})"),
    )


def stack(case: Case, levers: Sequence[Lever] | None = None) -> Stack:
    """Pull levers one after another and price after each.

    Args:
        case: workload, plan, facts and prices.
        levers: in this order; None takes those the file names, in its order, or else every lever that applies, ordered
            by what a day of work on it saves.

    Returns:
        The waterfall; levers that do not apply, cost more, or act on a small part of the bill are skipped with the reason.
    """
    chosen = tuple(levers) if levers is not None else case.levers
    skipped: list[Skipped] = []
    naive_bill = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    naive = float(naive_bill.total_usd)
    named = levers is not None or bool(chosen)
    if not named:
        chosen = tuple(kind() for kind in kinds().values())
    remaining = [lever for lever in chosen if _usable(lever, skipped)]
    if not named:
        remaining = ordered(case, remaining)
    steps: list[Step] = []
    plan, bill = case.plan, naive_bill
    pulled: list[Lever] = []
    for lever in remaining:
        verdict = _verdict(case, lever, plan, pulled)
        if verdict:
            skipped.append(_skip(lever, verdict))
            continue
        step, after, reason = _step(case, lever, plan, bill, naive_bill)
        if step is None or after is None:
            skipped.append(_skip(lever, reason))
            continue
        plan, bill = lever.apply(plan), after
        pulled.append(lever)
        steps.append(step)
    return Stack(
        naive_usd_month=naive,
        final_usd_month=float(bill.total_usd),
        factor=ratio(naive, float(bill.total_usd)),
        steps=tuple(steps),
        skipped=tuple(skipped),
        questions=questions(case),
        naive_feasible=naive_bill.feasible,
        naive_why=naive_bill.why,
        feasible=bill.feasible,
        why=bill.why,
        plan=plan,
    )


def _skip(lever: Lever, reason: str) -> Skipped:
    return Skipped(lever=lever.name, title=lever.card.title, reason=reason)


def _usable(lever: Lever, skipped: list[Skipped]) -> bool:
    if lever.is_priced:
        return True
    skipped.append(_skip(lever, "has a card only: it changes no plan here yet"))
    return False


def _verdict(case: Case, lever: Lever, plan: Plan, pulled: Sequence[Lever]) -> str:
    """Return the reason against a lever in place, empty if there is none."""
    for other in pulled:
        if other.name in lever.excludes or lever.name in other.excludes:
            return f"cannot be combined with {other.name}, which came first"
    verdict = lever.applies(case.workload, plan, case.facts, case.book)
    if not verdict.ok:
        return verdict.reason
    floor = case.workload.quality_floor
    if floor is None:
        return ""
    kept = 1.0
    for one in (*pulled, lever):
        known = quality_of(case, one)
        if known is None:
            return f"nobody has measured what it does to quality, and the floor is {floor:g}"
        kept *= known
    return "" if kept >= floor else f"quality would fall to {kept:.3f}, the floor is {floor:g}"


def _alone(case: Case, lever: Lever, naive: Bill) -> tuple[float, float] | None:
    """Price a lever on the plan as it is: factor, and factor on what it touches."""
    if not lever.applies(case.workload, case.plan, case.facts, case.book).ok:
        return None
    try:
        bill = price_one(case.workload, lever.apply(case.plan), case.facts, case.book, case.account)
    except ReelwiseError:
        return None
    _, on_touched = compare_bills(naive, bill)
    return ratio(float(naive.total_usd), float(bill.total_usd)), on_touched


def _step(case: Case, lever: Lever, plan: Plan, bill: Bill, naive: Bill) -> tuple[Step | None, Bill | None, str]:
    try:
        after = price_one(case.workload, lever.apply(plan), case.facts, case.book, case.account)
    except ReelwiseError as error:
        return None, None, str(error)
    before_usd, after_usd = float(bill.total_usd), float(after.total_usd)
    factor = ratio(before_usd, after_usd)
    touched, on_touched = compare_bills(bill, after)
    alone = _alone(case, lever, naive)
    reason = _no_credit(before_usd, after_usd, touched, alone[0] if alone and plan != case.plan else 1.0)
    if not reason and bill.feasible and not after.feasible:
        reason = f"the plan could not do the job any more: {after.why[0]}"
    if reason:
        return None, None, reason
    return (
        Step(
            lever=lever.name,
            title=lever.card.title,
            total_usd_month=after_usd,
            factor=factor,
            factor_alone=alone[0] if alone else None,
            touched_share=touched,
            factor_on_touched=on_touched,
            overlap=_overlap(on_touched, alone[1] if alone else None),
            effort=lever.card.effort,
            settings={name: getattr(lever, name) for name in lever.__struct_fields__},
            evidence=_weakest_kind(after),
            quality=quality_of(case, lever),
        ),
        after,
        "",
    )


def _no_credit(before_usd: float, after_usd: float, touched: float, alone: float) -> str:
    """Say why a lever earns no credit in place, empty if it does."""
    saved = 1 - after_usd / before_usd if before_usd else 0.0
    if saved < -1e-9:
        return f"would cost more: {before_usd:,.2f} to {after_usd:,.2f} a month"
    if saved < 1e-9 and alone > 1 + 1e-9:
        return f"saves nothing more: what it saves alone ({alone:,.2f}x) is saved already"
    if math.isclose(saved, 0.0, abs_tol=1e-9):
        return "saves nothing: it acts on no part of this bill"
    if saved < SMALL_SHARE:
        return f"no credit: it acts on {touched:.1%} of the bill and saves {saved:.2%}"
    return ""


def _overlap(in_place: float, alone: float | None) -> float | None:
    if alone is None or alone <= 1 + 1e-9 or not math.isfinite(alone) or not math.isfinite(in_place):
        return None
    return max(0.0, 1 - math.log(max(in_place, 1.0)) / math.log(alone))


def _weakest_kind(bill: Bill) -> str:
    from reelwise.evidence import weakest

    basis = 0
    for line in bill.lines:
        basis |= line.basis
    return weakest(basis)


def ordered(case: Case, levers: Sequence[Lever]) -> list[Lever]:
    """Order by money saved a month for each day of work, alone; those that do not apply alone come last."""
    naive = float(price_one(case.workload, case.plan, case.facts, case.book, case.account).total_usd)

    def worth(lever: Lever) -> float:
        if not lever.is_priced or not lever.applies(case.workload, case.plan, case.facts, case.book).ok:
            return 0.0
        try:
            bill = price_one(case.workload, lever.apply(case.plan), case.facts, case.book, case.account)
        except ReelwiseError:
            return 0.0
        return (naive - float(bill.total_usd)) / EFFORT_DAYS[lever.card.effort]

    return sorted(levers, key=worth, reverse=True)
