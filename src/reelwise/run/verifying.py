"""Ask the full plan and a cheaper one about the same items, under a budget, and say how far the answers agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import BudgetError, ReelwiseError
from reelwise.run.agreement import Agreement, Scored, agreement, found_share, text_likeness
from reelwise.run.claims import contradiction
from reelwise.run.drawing import Drawn, ordered, strata_of, weights
from reelwise.run.footage import segments
from reelwise.run.losses import active_coverage
from reelwise.run.measure import collect
from reelwise.stages import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.run.job import Job
    from reelwise.run.merged import ItemResult
    from reelwise.run.session import Session
    from reelwise.video import Track

__all__ = ["Differing", "Verified", "verify"]

_DIFFER_SHOWN = 5
_SEEN = 0.5  # of an event's frames, for it to count as looked at


class Differing(Struct, frozen=True, kw_only=True):
    """Two answers that differ: about which clip, what each plan says, and in what they contradict each other (empty: in words only)."""

    clip: str
    full: str
    cheap: str
    why: str = ""


class Verified(Struct, frozen=True, kw_only=True):
    """What verifying found.

    Attributes:
        agreements: in each respect that both plans answer in.
        items: that both answered; of `of` there were, as the budget allowed.
        drawn: how the sample was drawn, of active and of quiet footage; None where nothing was drawn.
        full_usd, cheap_usd: metered, of these items.
        factor: full over cheap; None where the cheap one cost nothing.
        cost_usd: of verifying, all calls; never above the budget.
        full_plan, cheap_plan: their hashes.
        stopped: what ended it early, if not the budget; empty where it is complete.
        differ: the answers that differ most.
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
    drawn: Drawn | None = None
    stopped: str = ""
    differ: tuple[Differing, ...] = ()
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

    The cheaper plan runs first: where the budget ends the full one, each of its answers has another to be held against. No call is made
    that could take the sum above the budget, whatever its answer turns out to cost.

    Args:
        session: open.
        job: the full plan, and what is asked.
        cheap: the cheaper plan.
        tracks: decoded clips.
        most_nano: what verifying may cost; items are taken in an order in which every beginning stands for the footage (see
            `drawing.ordered`), as many as it is expected to pay for.
        parts: cut clips into parts of ten seconds or more: more items, a narrower interval.
        seed: of the order.

    Raises:
        BudgetError: it does not pay for one item.
        InputError: a plan that cannot be run.
    """
    full = job.case.plan
    items = [part for track in tracks for part in segments(track)] if parts else list(tracks)
    active = strata_of(items)
    places = _affordable(session, job, cheap, items, ordered(items, active, seed), most_nano)
    chosen = [items[place] for place in places]
    if most_nano is not None:
        session.limit(most_nano)
    second = session.run(cheap, chosen, name="cheap")
    first = session.run(full, chosen, name="full") if second.stopped is None else None
    stopped = second.stopped or (first.stopped if first is not None else None)
    pairs = list(zip(places, first.results, second.results, strict=True)) if first is not None else []
    both = [(n, a, b) for n, a, b in pairs if a.status == "ok" and b.status in {"ok", "skipped"}]
    if not both and isinstance(stopped, BudgetError):
        raise stopped
    weight, drawn = weights(active, [place for place, _, _ in both]) if both else ({}, None)
    scored = [(a, b, weight[place]) for place, a, b in both]
    full_usd, cheap_usd = sum(a.cost_usd for _, a, _ in both), sum(b.cost_usd for _, _, b in both)
    events = [(items[place], weight[place]) for place, _, _ in both]
    found = [*_answers(scored), *_events(session, job, cheap, events)]
    return Verified(
        agreements=tuple(one for one in found if one is not None),
        items=len(both), of=len(items), drawn=drawn, full_usd=full_usd, cheap_usd=cheap_usd,
        factor=full_usd / cheap_usd if cheap_usd else None,
        cost_usd=second.receipt.cost_usd + (first.receipt.cost_usd if first is not None else 0.0),
        full_plan=full.hash, cheap_plan=cheap.hash,
        stopped="" if stopped is None or isinstance(stopped, BudgetError) else str(stopped),
        differ=_differ(scored), notes=_notes(session, job, scored, drawn, of=len(chosen), stopped=stopped),
    )  # fmt: skip


def _affordable(  # noqa: PLR0917 - one call of it
    session: Session, job: Job, cheap: Plan, items: Sequence[Track], order: Sequence[int], most_nano: int | None
) -> list[int]:
    """Take as many items as the budget is expected to pay for, with both plans."""
    left = float("inf") if most_nano is None else most_nano / 1e9
    places: list[int] = []
    for place in order:
        left -= sum(session.expected(job, plan, [items[place]]).usd for plan in (job.case.plan, cheap))
        if left < 0:
            break
        places.append(place)
    if not places:
        raise BudgetError(
            "does not pay for one item with both plans", reason="over_limit", where="--max-usd",
            hint="raise it, or use --parts",
        )  # fmt: skip
    return places


def _notes(
    session: Session,
    job: Job,
    both: Sequence[tuple[ItemResult, ItemResult, float]],
    drawn: Drawn | None,
    *,
    of: int,
    stopped: ReelwiseError | None,
) -> tuple[str, ...]:
    notes = [*job.notes]
    if isinstance(stopped, BudgetError):
        notes.append(
            f"the budget ended it after {len(both)} of {of} items: a call is only made where all that it may cost is left"
        )
    skipped = sum(b.status == "skipped" for _, b, _ in both)
    if skipped:
        notes.append(f"the cheaper plan sends nothing of {skipped} items: they count as no answer")
    clips = len({a.clip for a, _, _ in both})
    if clips == 1 and len(both) > 1:
        notes.append("all items are of one clip: the intervals speak of that clip, and not of others")
    if drawn is not None:
        for kind, there, taken in (
            ("active", drawn.active, drawn.active_drawn),
            ("quiet", drawn.quiet, drawn.quiet_drawn),
        ):
            if there and not taken:
                notes.append(f"none of the {there} {kind} items is in the sample: nothing is said of them")
    against = sum(
        bool(contradiction(one.text, other.text)) for a, b, _ in both for one, other in zip(a.answers, b.answers, strict=False)
        if not one.label
    )  # fmt: skip
    if against:
        notes.append(
            f"{against} of the pairs of texts contradict each other in a number, a negation, or yes and no: they count as 0"
        )
    if session.box is not None:
        notes.append(
            "a sandbox draws its answers from the bytes that come in: other pictures are other items to it, and agree by chance"
        )
    return tuple(notes)


def _answers(both: Sequence[tuple[ItemResult, ItemResult, float]]) -> list[Agreement | None]:
    """Compare labels where there are any, and texts elsewhere."""
    labels: list[Scored] = []
    texts: list[Scored] = []
    for one, other, weight in both:
        answers = other.answers or (None,) * len(one.answers)
        for a, b in zip(one.answers, answers, strict=False):
            if a.label:
                labels.append(Scored(float(b is not None and a.label == b.label), one.clip, weight))
            else:
                texts.append(Scored(text_likeness(a.text, b.text) if b is not None else 0.0, one.clip, weight))
    return [agreement("labels", labels), agreement("text", texts)]


def _events(
    session: Session, job: Job, cheap: Plan, items: Sequence[tuple[Track, float]]
) -> tuple[Agreement | None, ...]:
    """Hold the events that the plans look at against each other, both ways; no model is needed for that.

    An event of the full plan is a stretch that its gate keeps; without a gate, one in which something moves.
    """
    from reelwise import video
    from reelwise.run.inputs import pieces_of

    time: list[Scored] = []
    seen: list[Scored] = []
    real: list[Scored] = []
    for track, weight in items:
        left: list[list[Piece]] = []
        for plan in (job.case.plan, cheap):
            mine = pieces_of(job, job.workload(plan), [track], session.scans)
            left.append(collect(plan, mine, job.case.facts, job.case.book)[1])
        share = active_coverage(left[0], left[1]) if left[0] else None
        if share is not None:
            time.append(Scored(share, track.info.path, weight * track.seconds))
        gated = bool(job.case.plan.of(Gate))
        events = left[0][0].stretches if gated and left[0] else () if gated else video.gate(track, pad_seconds=0.0)
        looked = left[1][0] if left[1] else None
        clip = track.info.path
        seen += [Scored(_looked_at(track, event, looked), clip, weight) for event in events]
        if cheap.of(Gate) and looked is not None:
            real += [Scored(float(found_share([one], events)[0]), clip, weight) for one in looked.stretches]
    return agreement("events", time), agreement("events_found", seen), agreement("events_real", real)


def _looked_at(track: Track, event: tuple[float, float], piece: Piece | None) -> float:
    """Say whether a plan that leaves this piece looks at an event: half of it lies within a second of a frame that is sent."""
    import numpy as np

    from reelwise import video
    from reelwise.run.losses import kept_frames

    if piece is None:
        return 0.0
    frames = np.array(kept_frames(piece), dtype=np.int64)
    return float(video.coverage(track, frames, (event,)) >= _SEEN)


def _differ(both: Sequence[tuple[ItemResult, ItemResult, float]]) -> tuple[Differing, ...]:
    def said(one: ItemResult) -> str:
        return "; ".join(answer.label or answer.text for answer in one.answers) or one.why

    found = [
        Differing(clip=a.clip, full=said(a), cheap=said(b), why=contradiction(said(a), said(b)))
        for a, b, _ in both
        if said(a) != said(b)
    ]
    found.sort(key=lambda one: text_likeness(one.full, one.cheap))
    return tuple(found[:_DIFFER_SHOWN])
