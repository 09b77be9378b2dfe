"""Facts that the clips of a run tell by themselves, for its estimate, where no other footage has told them before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from reelwise.run.footage import piece_of
from reelwise.run.measure import collect, entries_of
from reelwise.stages import Reuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.plan import Plan
    from reelwise.run.job import Job
    from reelwise.run.scans import Scans
    from reelwise.stages import AnyStage
    from reelwise.video import Track

__all__ = ["with_counted"]


def with_counted(job: Job, plan: Plan, tracks: Sequence[Track], scans: Scans | None) -> Job:
    """Add what a plan's stages count on these clips where facts of it are missing; a note says so.

    An estimate with them knows the very clips it is about, as far as stages see them: it says nothing of other footage.
    """
    case = job.case
    known = {
        (e.name, e.settings, e.prefix) for e in case.facts.entries if e.source_class in {"", case.workload.footage}
    }
    workload = job.workload(plan)
    once = list({id(track): track for track in tracks}.values())
    facts = case.facts
    _, _, tally = collect(
        _footage_part(plan), [piece_of(workload, track, scans) for track in once], facts, case.book
    )  # fmt: skip
    today = dt.datetime.now(tz=dt.UTC).date()
    found = entries_of(tally, None, footage=case.workload.footage, on="the clips of this run", day=today)
    new = [entry for entry in found if (entry.name, entry.settings, entry.prefix) not in known]
    if not new:
        return job
    names = ", ".join(sorted({entry.name for entry in new if not entry.name.startswith("scan.")}))
    notes = job.notes
    if names:
        notes = (
            *notes,
            f"counted on these very clips, for the estimate: {names}; facts of other footage come with --evidence",
        )
    return msgspec.structs.replace(job, case=msgspec.structs.replace(case, facts=facts.with_entries(new)), notes=notes)


def _footage_part(plan: Plan) -> Plan:
    """Return the stages that look at footage: what comes behind the first route or call needs a model."""
    kept: list[AnyStage] = [stage for stage in plan.stages if stage.slot < 8 and stage.counted]
    again = [stage for stage in plan.of(Reuse) if stage.frames]
    if again:
        alone = Reuse(frames=True, frames_different=again[0].frames_different, frames_seconds=again[0].frames_seconds)
        kept = sorted((*kept, alone), key=lambda stage: stage.slot)
    return msgspec.structs.replace(plan, stages=tuple(kept), hosts=())
