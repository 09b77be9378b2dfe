"""What a reader of a run must know, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.run.caching import break_even
from reelwise.run.merged import asks
from reelwise.run.prompting import prompt_notes
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.run.job import Job
    from reelwise.run.outcome import Outcome

__all__ = ["dear_caches", "notes_of"]

_BATCH_HOURS = 24.0


def dear_caches(job: Job, plan: Plan, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Say where an explicit cache costs more than it saves, and from how many questions on it would not."""
    said = []
    for call in plan.of(Call, lambda call: call.cache == "explicit"):
        if call.mode == "batch" and call.kept_hours < _BATCH_HOURS:
            said.append(
                f"the explicit cache of {call.model} is kept for {call.kept_hours:g} hours, and a batch may take {_BATCH_HOURS:g}: "
                "rows that come later are not billed, and made again"
            )
        least = break_even(call, pieces[0].item, job.case.facts, job.case.book)
        asked = len(job.script.asked)
        if least is None or asked < least:
            when = "for no number of them" if least is None else f"from {least} on"
            said.append(
                f"the explicit cache of {call.model}, kept for {call.kept_hours:g} hours, costs more than it saves with {asked} "
                f"questions: it pays {when}"
            )
    return tuple(said)


def notes_of(job: Job, plan: Plan, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Say what a reader of a run must know: answers that were cut, tiers that were not given, what keeps a cache from the prompt."""
    said = []
    cut = sum(one.finish == "length" for one in outcomes)
    if cut:
        said.append(f"{cut} of {len(outcomes)} answers were cut at their maximum of tokens")
    lost = [one for one in outcomes if one.status == "failed" and one.turn]
    if lost:
        calls = "1 call" if len(lost) == 1 else f"{len(lost)} calls"
        said.append(
            f"{calls} that decide failed, which is doubt, or hard: {lost[0].model}, {lost[0].turn}: {lost[0].error}"
        )
    mode = {call.mode for call in plan.of(Call)} - {"standard"}
    other = sum(one.mode != "standard" for one in outcomes)
    if mode and outcomes and not other:
        said.append(
            f"{', '.join(sorted(mode))} was asked for, and the answers name the standard tier: they are billed as such"
        )
    said += prompt_notes(plan, job.script, outcomes)
    if job.script.questions and not asks(plan):
        said.append("no call of this plan answers what is asked: each has a task of its own")
    texts = " ".join(one.text.lower() for one in outcomes)
    answered = sum(one.status == "ok" for one in outcomes)
    never = [part.name for part in job.script.parts if part.needed and part.needed.lower() not in texts]
    if never and answered:
        said.append(f"never needed in {answered} answers: {', '.join(never)}")
    return tuple(said)
