"""Levers for real: the naive plan, then with one lever after another, or all of them and then without each; each a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import InputError, ReelwiseError
from reelwise.levers import kinds
from reelwise.run.by_unit import Change, changes
from reelwise.run.executing import RunResult
from reelwise.stack import ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.levers import Lever
    from reelwise.plan import Plan
    from reelwise.run.job import Job
    from reelwise.run.session import Session
    from reelwise.video import Track

__all__ = ["Ablation", "Step", "ablation"]


class Step(Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        lever: the lever that was added (or left out); empty for the first run.
        plan: the plan's hash.
        predicted_usd, metered_usd: of the calls.
        predicted_factor, metered_factor: dollars without the lever over dollars with it.
        changes: what the lever saves, unit by unit: against the run before, or the one with all levers.
        result: the run.
    """

    lever: str
    plan: str
    predicted_usd: float
    metered_usd: float
    predicted_factor: float | None
    metered_factor: float | None
    result: RunResult
    changes: tuple[Change, ...] = ()


class Ablation(Struct, frozen=True, kw_only=True):
    """All runs.

    Attributes:
        steps: in order, the naive plan (or the one with all levers) first.
        skipped: levers that were not pulled, with why.
        without_each: steps leave one lever out of all, rather than adding one.
    """

    steps: tuple[Step, ...]
    skipped: tuple[tuple[str, str], ...]
    without_each: bool = False

    @property
    def factor(self) -> float | None:
        """Metered: the first run's dollars over the last's."""
        first, last = self.steps[0].metered_usd, self.steps[-1].metered_usd
        return first / last if last else None


def ablation(session: Session, job: Job, tracks: Sequence[Track], *, without_each: bool = False) -> Ablation:
    """Run the plan of a job with its levers.

    Args:
        session: open.
        job: the naive plan and the levers; without levers, every one that applies and can be run.
        tracks: decoded clips.
        without_each: all levers at first, then each left out; else none at first, then each added.

    Raises:
        InputError: no lever is left.
    """
    levers, skipped = _levers(job, session, tracks)
    if not levers:
        raise InputError("no lever is left to pull", where="--levers", hint="; ".join(f"{n}: {w}" for n, w in skipped))
    naive = job.case.plan
    if not without_each:
        return _adding(session, naive, levers, skipped, tracks)
    whole = _pulled(naive, levers)
    names = tuple(lever.name for lever in levers)
    first = session.run(whole, tracks, name="all", naive=naive, levers=names)
    steps = [_step("", whole, first, None)]
    for lever in levers:
        rest = tuple(one for one in levers if one is not lever)
        plan = _pulled(naive, rest)
        found = session.run(plan, tracks, name=f"without-{lever.name}", naive=naive, levers=tuple(r.name for r in rest))
        steps.append(_without(lever, plan, found, steps[0]))
        if found.stopped is not None:
            break
    return Ablation(steps=tuple(steps), skipped=skipped, without_each=True)


def _adding(
    session: Session,
    naive: Plan,
    levers: Sequence[Lever],
    skipped: tuple[tuple[str, str], ...],
    tracks: Sequence[Track],
) -> Ablation:
    plan, pulled = naive, []
    found = session.run(plan, tracks, name="0-naive", naive=naive)
    steps = [_step("", plan, found, None)]
    more = list(skipped)
    for lever in levers:
        if steps[-1].result.stopped is not None:
            break
        after = lever.apply(plan)
        if after.hash == plan.hash:
            more.append((lever.name, "changes nothing that is left"))
            continue
        plan = after
        pulled.append(lever.name)
        found = session.run(plan, tracks, name=f"{len(pulled)}-{lever.name}", naive=naive, levers=tuple(pulled))
        steps.append(_step(lever.name, plan, found, steps[-1]))
    return Ablation(steps=tuple(steps), skipped=tuple(more))


def _pulled(plan: Plan, levers: Sequence[Lever]) -> Plan:
    for lever in levers:
        plan = lever.apply(plan)
    return plan


def _levers(job: Job, session: Session, tracks: Sequence[Track]) -> tuple[list[Lever], tuple[tuple[str, str], ...]]:
    """Choose the levers: those named, or all; that apply, exclude none before them, and lead to a plan that runs."""
    case = job.case
    workload = job.workload(case.plan)
    kept: list[Lever] = []
    skipped: list[tuple[str, str]] = []
    plan = case.plan
    for lever in case.levers or ordered(case, [kind() for kind in kinds().values()]):
        if not lever.is_priced:
            skipped.append((lever.name, "changes no plan"))
            continue
        clash = [one.name for one in kept if one.name in lever.excludes or lever.name in one.excludes]
        if clash:
            skipped.append((lever.name, f"not beside {clash[0]}"))
            continue
        try:
            after = lever.apply(plan)
            facts = session.knowing(job, after, tracks).case.facts
            verdict = lever.applies(workload, plan, facts, case.book)
            after = after if verdict.ok else plan
            after.check(lever.name)
        except ReelwiseError as error:
            skipped.append((lever.name, error.message))
            continue
        why = next((text for stage in after.stages if (text := stage.unrun())), "")
        if not verdict.ok or why:
            skipped.append((lever.name, f"cannot be run: {why}" if why else verdict.reason))
            continue
        kept.append(lever)
        plan = after
    return kept, tuple(skipped)


def _step(lever: str, plan: Plan, found: RunResult, before: Step | None) -> Step:
    predicted, metered = found.expected.usd, found.receipt.cost_usd
    return Step(
        lever=lever, plan=plan.hash, predicted_usd=predicted, metered_usd=metered,
        predicted_factor=before.predicted_usd / predicted if before is not None and predicted else None,
        metered_factor=before.metered_usd / metered if before is not None and metered else None, result=found,
        changes=() if before is None else changes(before.result.receipt.estimate, found.receipt.estimate),
    )  # fmt: skip


def _without(lever: Lever, plan: Plan, found: RunResult, whole: Step) -> Step:
    predicted, metered = found.expected.usd, found.receipt.cost_usd
    return Step(
        lever=lever.name, plan=plan.hash, predicted_usd=predicted, metered_usd=metered,
        predicted_factor=predicted / whole.predicted_usd if whole.predicted_usd else None,
        metered_factor=metered / whole.metered_usd if whole.metered_usd else None, result=found,
        changes=changes(found.receipt.estimate, whole.result.receipt.estimate),
    )  # fmt: skip
