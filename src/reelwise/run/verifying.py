"""Ask the full plan and a cheaper one about the same items, under a budget, and say how far the answers agree."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import BudgetError, ReelwiseError
from reelwise.run.agreement import Agreement, label_agreement, mean_agreement, text_likeness
from reelwise.run.footage import segments
from reelwise.run.losses import active_coverage
from reelwise.run.measure import collect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.plan import Plan
    from reelwise.run.job import Job
    from reelwise.run.merged import ItemResult
    from reelwise.run.session import Session
    from reelwise.video import Track

__all__ = ["Verified", "verify"]


class Verified(Struct, frozen=True, kw_only=True):
    """What verifying found.

    Attributes:
        agreements: in each respect that both plans answer in.
        items: that both answered; of `of` there were, as the budget allowed.
        full_usd, cheap_usd: metered, of these items.
        factor: full over cheap; None where the cheap one cost nothing.
        cost_usd: of verifying, all calls.
        full_plan, cheap_plan: their hashes.
        stopped: what ended it early; empty where it is complete.
        differ: clips whose answers differ most, with both answers.
        notes: what a reader must know.
    """

    agreements: tuple[Agreement, ...]
    items: int
    of: int
    full_usd: float
    cheap_usd: float
    factor: float | None
    cost_usd: float
    full_plan: str
    cheap_plan: str
    stopped: str = ""
    differ: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()


def verify(
    session: Session,
    job: Job,
    cheap: Plan,
    tracks: Sequence[Track],
    *,
    most_nano: int | None,
    parts: bool,
    seed: int = 0,
) -> Verified:
    """Run both plans on a sample.

    Args:
        session: open.
        job: the full plan, and what is asked.
        cheap: the cheaper plan.
        tracks: decoded clips.
        most_nano: what verifying may cost; items are taken in an order that chance decides, as many as it is expected to pay for.
        parts: cut clips into parts of ten seconds or more: more items, a narrower interval.
        seed: of the order.

    Raises:
        BudgetError: it does not pay for one item.
        InputError: a plan that cannot be run.
    """
    full = job.case.plan
    items = [part for track in tracks for part in segments(track)] if parts else list(tracks)
    order = list(range(len(items)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, no secret
    chosen: list[Track] = []
    left = float("inf") if most_nano is None else most_nano / 1e9
    for number in order:
        cost = sum(session.expected(job, plan, [items[number]]).usd for plan in (full, cheap))
        if cost > left:
            break
        left -= cost
        chosen.append(items[number])
    if not chosen:
        raise BudgetError(
            "does not pay for one item with both plans",
            reason="over_limit",
            where="--max-usd",
            hint="raise it, or use --parts",
        )
    first = session.run(full, chosen, name="full")
    second = session.run(cheap, chosen, name="cheap") if first.stopped is None else None
    stopped: ReelwiseError | None = first.stopped or (second.stopped if second is not None else None)
    pairs = list(zip(first.results, second.results, strict=True)) if second is not None else []
    both = [(a, b) for a, b in pairs if a.status == "ok" and b.status in {"ok", "skipped"}]
    full_usd, cheap_usd = sum(a.cost_usd for a, _ in both), sum(b.cost_usd for _, b in both)
    skipped = sum(b.status == "skipped" for _, b in both)
    notes = [*job.notes]
    if skipped:
        notes.append(f"the cheaper plan sends nothing of {skipped} items: they count as no answer")
    if session.box is not None:
        notes.append(
            "a sandbox draws its answers from the bytes that come in: other pictures are other items to it, and agree by chance"
        )
    found = [*_answers(both), _events(session, job, cheap, chosen)]
    return Verified(
        agreements=tuple(one for one in found if one is not None),
        items=len(both), of=len(items), full_usd=full_usd, cheap_usd=cheap_usd,
        factor=full_usd / cheap_usd if cheap_usd else None,
        cost_usd=first.receipt.cost_usd + (second.receipt.cost_usd if second is not None else 0.0),
        full_plan=full.hash, cheap_plan=cheap.hash, stopped="" if stopped is None else str(stopped),
        differ=_differ(both), notes=tuple(notes),
    )  # fmt: skip


def _answers(both: Sequence[tuple[ItemResult, ItemResult]]) -> list[Agreement | None]:
    """Compare labels where there are any, and texts elsewhere."""
    labels: list[tuple[str, str]] = []
    texts: list[float] = []
    for one, other in both:
        answers = other.answers or (None,) * len(one.answers)
        for a, b in zip(one.answers, answers, strict=False):
            if a.label:
                labels.append((a.label, b.label if b is not None else ""))
            else:
                texts.append(text_likeness(a.text, b.text) if b is not None else 0.0)
    return [label_agreement(labels), mean_agreement("text", texts)]


def _events(session: Session, job: Job, cheap: Plan, tracks: Sequence[Track]) -> Agreement | None:
    """Say which share of the active time that the full plan looks at the cheaper one looks at too; no model is needed for that."""
    from reelwise.run.executing import pieces_of

    values, weights = [], []
    for track in tracks:
        pieces = [pieces_of(job, job.workload(plan), [track], session.scans) for plan in (job.case.plan, cheap)]
        left = [
            collect(plan, mine, job.case.facts, job.case.book)[1]
            for plan, mine in zip((job.case.plan, cheap), pieces, strict=True)
        ]
        share = active_coverage(left[0], left[1]) if left[0] else None
        if share is not None:
            values.append(share)
            weights.append(track.seconds)
    return mean_agreement("events", values, weights)


def _differ(both: Sequence[tuple[ItemResult, ItemResult]]) -> tuple[tuple[str, str, str], ...]:
    def said(one: ItemResult) -> str:
        return "; ".join(answer.label or answer.text for answer in one.answers) or one.why

    found = [(a.clip, said(a), said(b)) for a, b in both if said(a) != said(b)]
    found.sort(key=lambda row: text_likeness(row[1], row[2]))
    return tuple(found[:5])
