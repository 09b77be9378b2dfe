"""What a run did not pay for because it was there already, for its receipt and for prices."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.facts import settings_hash
from reelwise.stages import Call, Reuse
from reelwise.stages.reuse import FRAMES_AGAIN, QUESTION_HITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.flow import Tally
    from reelwise.plan import Plan
    from reelwise.reuse import SemanticCache
    from reelwise.run.outcome import Outcome

__all__ = ["QuestionsReused", "Reused", "count_reuse", "reuse_notes", "reused"]


class QuestionsReused(Struct, frozen=True, kw_only=True):
    """What the cache of answers by meaning did.

    Attributes:
        asked: questions that were looked up.
        hits: answered from it, by what differed.
        explored: hits that were asked all the same; `wrong` of them had another answer.
        learned: calls that told whether a like answer would have been right; `learned_wrong` said no.
        error_most: the bound that is set.
        served: kinds of difference that are served under it now.
        error_upper: bound of the error of what is served, as it is proved so far; None where nothing was judged.
    """

    asked: int
    hits: dict[str, int]
    explored: int
    wrong: int
    learned: int
    learned_wrong: int
    error_most: float
    served: tuple[str, ...] = ()
    error_upper: float | None = None


class Reused(Struct, frozen=True, kw_only=True):
    """What was there already.

    Attributes:
        artefacts, uploads, exact: answers of clips of earlier runs, of copies of an upload, to equal pixels and words.
        questions: answers to questions that mean the same; None where that is not asked for.
        frames_chosen, frames_left_out: frames that a sample chose, and those of them that look like one that is sent.
    """

    artefacts: int = 0
    uploads: int = 0
    exact: int = 0
    questions: QuestionsReused | None = None
    frames_chosen: int = 0
    frames_left_out: int = 0


def reused(plan: Plan, outcomes: Sequence[Outcome], tally: Tally, questions: SemanticCache | None) -> Reused | None:
    """Sum up what was reused; None where the plan asks for nothing of it.

    Args:
        plan: with its stages `reuse`.
        outcomes: of all calls.
        tally: what stages counted.
        questions: the cache, still open.
    """
    stages = plan.of(Reuse)
    if not stages:
        return None
    how = Counter(one.reused for one in outcomes)
    frames = [pair for (name, _, _), sums in tally.sums.items() if name == FRAMES_AGAIN for pair in sums]
    asking = next((stage for stage in stages if stage.questions), None)
    return Reused(
        artefacts=how["artefact"], uploads=how["upload"], exact=how["exact"],
        questions=_questions(plan, asking, outcomes, questions) if asking is not None and questions is not None else None,
        frames_chosen=round(sum(whole for _, whole in frames)), frames_left_out=round(sum(part for part, _ in frames)),
    )  # fmt: skip


def _questions(plan: Plan, stage: Reuse, outcomes: Sequence[Outcome], cache: SemanticCache) -> QuestionsReused:
    hits: Counter[str] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    for one in outcomes:
        what, _, rest = one.reused.partition(" ")
        if what == "question":
            hits[rest] += 1
        elif what in {"explored", "learned"}:
            told[what, rest.rsplit(" ", 1)[-1]] += 1
    verdicts = [verdict for verdict in cache.verdicts() if verdict.served]
    uppers = [verdict.error_upper for verdict in verdicts if verdict.error_upper is not None]
    return QuestionsReused(
        asked=sum(1 for _ in _looked_up(plan, outcomes)), hits=dict(sorted(hits.items())),
        explored=told["explored", "right"] + told["explored", "wrong"], wrong=told["explored", "wrong"],
        learned=told["learned", "right"] + told["learned", "wrong"], learned_wrong=told["learned", "wrong"],
        error_most=stage.error_most, served=tuple(verdict.kind for verdict in verdicts),
        error_upper=uppers[-1] if uppers else None,
    )  # fmt: skip


def _looked_up(plan: Plan, outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """List the questions that the cache by meaning was asked for: single ones, not in batches, that nothing else answered."""
    batches = {at for at, stage in enumerate(plan.stages) if isinstance(stage, Call) and stage.mode == "batch"}
    for one in outcomes:
        looked_up = one.kind == "call" and one.question >= 0 and one.stage not in batches
        if looked_up and one.status in {"ok", "cached"} and one.reused not in {"artefact", "upload", "exact"}:
            yield one


def count_reuse(plan: Plan, outcomes: Sequence[Outcome], tally: Tally) -> None:
    """Count the shares of calls that caches of answers made unnecessary, for prices."""
    for stage in plan.of(Reuse, lambda stage: stage.answers):
        for one in outcomes:
            found = one.status == "cached" and not one.reused.startswith("question")
            tally.add("cache.answer_hit_share", settings_hash(stage), "", float(found), 1.0)
    for stage in plan.of(Reuse, lambda stage: stage.questions):
        for one in _looked_up(plan, outcomes):
            found = one.reused.startswith("question")
            tally.add(QUESTION_HITS, settings_hash(stage.question_key), "", float(found), 1.0)


def reuse_notes(plan: Plan, asked: int) -> tuple[str, ...]:
    """Say where a plan asks for a cache of questions that cannot act.

    Args:
        plan: the plan.
        asked: questions about each item.
    """
    if not plan.of(Reuse, lambda stage: stage.questions):
        return ()
    calls = plan.of(Call)
    batch = sum(call.mode == "batch" for call in calls)
    once = sum(call.ask == "once" and asked > 1 for call in calls)
    said = []
    if batch:
        said.append("questions that mean the same are looked for before a call, and not in batches")
    if once:
        said.append("questions that mean the same are looked for one by one, and not where all are asked in one call")
    return tuple(said)
