"""One answer an item: the last call's, with the parts of an item that was split put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.run.outcome import Found
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.plan import Plan
    from reelwise.run.outcome import Outcome
    from reelwise.script import Script

__all__ = ["Finding", "ItemResult", "Said", "asks", "merged"]


class Said(Struct, frozen=True, kw_only=True):
    """The answer to one question about one item.

    Attributes:
        question: what was asked.
        text, label, confidence: the answer; of an item that was split, the texts in order, and the label that its surest part has.
        status: of the calls behind it: ok, refused, cached, or what is missing.
        model, lane: whose answer it is.
        parts: calls that it was put together from.
        value: the answer in its form, where it has one; of an item that was split, a list of its parts' answers.
    """

    question: str
    text: str
    label: str
    confidence: float | None
    status: str
    model: str
    lane: str
    parts: int = 1
    value: Any = None


class Finding(Struct, frozen=True, kw_only=True):
    """What one model found in an item, by itself: labels with their moments, boxes, a transcript, masks, a video that it made.

    Attributes:
        model, task, lane: whose, and what it did.
        status: of its calls: ok, cached, or what is missing.
        text: all that was said or written, or the labels.
        found: each thing, in order of time.
        files: that it left.
        calls: that it was put together from.
    """

    model: str
    task: str
    lane: str
    status: str
    text: str
    found: tuple[Found, ...] = ()
    files: tuple[str, ...] = ()
    calls: int = 1


class ItemResult(Struct, frozen=True, kw_only=True):
    """One item.

    Attributes:
        clip: its path.
        item: its place in the source.
        status: ok; skipped (nothing of it was left to send); refused, unreadable, ambiguous, failed, or broken (it cannot be read or sent).
        answers: to each question; none where only other things were asked for.
        findings: of calls with a task of their own, or that found things, in the plan's order.
        cost_usd: of its calls.
        calls: made about it.
        why: what went wrong, or why nothing was sent.
    """

    clip: str
    item: int
    status: str
    answers: tuple[Said, ...] = ()
    findings: tuple[Finding, ...] = ()
    cost_usd: float = 0.0
    calls: int = 0
    why: str = ""


def asks(plan: Plan) -> bool:
    """Say whether any call of a plan answers what is asked: those with a task of their own do not."""
    return any(not call.task and call.part != "generate" for call in plan.of(Call))


def merged(
    script: Script, infos: Sequence[Any], outcomes: Sequence[Outcome], runner: Any, *, asked: bool
) -> tuple[ItemResult, ...]:  # fmt: skip
    """Put the outcomes of each item together.

    Args:
        script: with the questions.
        infos: the clips, in order.
        outcomes: of all calls.
        runner: knows what could not be read or sent.
        asked: some call answers the questions.
    """
    by_item: dict[int, list[Outcome]] = {}
    for one in (one for one in outcomes if one.kind == "call"):
        by_item.setdefault(one.item, []).append(one)
    broken = dict(runner.broken)
    found = []
    for number, info in enumerate(infos):
        mine = by_item.get(number, [])
        if not mine:
            error = broken.get(info.path)
            left = "it has no sound" if number in runner.silent else "no stage left anything to send"
            status, why = ("broken", str(error)) if error is not None else ("skipped", left)
            if error is None and runner.halted:
                status, why = "failed", "the run ended before"
            found.append(ItemResult(clip=info.path, item=number, status=status, why=why))
            continue
        answering = [one for one in mine if not one.task]
        missing = "skipped" if number in runner.silent else "failed"
        answers = tuple(_said(script, place, answering, missing) for place in range(len(script.asked))) if asked else ()
        findings = _findings([one for one in mine if one.task or one.found])
        every = [*(one.status for one in answers), *(one.status for one in findings)]
        worst = next((status for status in every if status not in {"ok", "cached", "skipped"}), "ok")
        error = broken.get(info.path)  # it was cut short: an earlier call about it was made
        found.append(
            ItemResult(
                clip=info.path, item=number, status="broken" if error is not None else worst, answers=answers, findings=findings,
                cost_usd=sum(one.cost_nano for one in mine) / 1e9,
                calls=sum(one.status != "cached" for one in mine),
                why=str(error) if error is not None else next((one.error for one in reversed(mine) if one.error), ""),
            )
        )  # fmt: skip
    return tuple(found)


def _findings(mine: Sequence[Outcome]) -> tuple[Finding, ...]:
    """Put together what each stage's calls found, one after another."""
    stages: dict[int, list[Outcome]] = {}
    for one in mine:
        stages.setdefault(one.stage, []).append(one)
    return tuple(_finding(calls) for _, calls in sorted(stages.items()))


def _finding(calls: Sequence[Outcome]) -> Finding:
    first = calls[0]
    status = next((one.status for one in calls if one.status not in {"ok", "cached"}), first.status)
    things = sorted((thing for one in calls for thing in one.found), key=_when)
    labels = dict.fromkeys(one.label for one in things if one.label)
    texts = [one.text for one in calls if one.text]
    return Finding(
        model=first.model, task=first.task, lane=first.lane, status=status, found=tuple(things), calls=len(calls),
        text=", ".join(labels) if labels else " ".join(texts), files=tuple(name for one in calls for name in one.files),
    )  # fmt: skip


def _when(thing: Found) -> float:
    return thing.start_seconds if thing.start_seconds is not None else -1.0


def _said(script: Script, place: int, mine: Sequence[Outcome], missing: str) -> Said:
    """Take the last stage's answer, and an earlier one where that failed; `missing` is the status where nobody was asked."""
    question = script.asked[place]
    asked = [one for one in mine if one.question in {place, -1} and not one.turn]
    stages = sorted({one.stage for one in asked}, reverse=True)
    chosen: list[Outcome] = []
    for stage in stages:
        chosen = [one for one in asked if one.stage == stage]
        if all(one.status in {"ok", "cached"} for one in chosen):
            break
    else:
        chosen = [one for one in asked if stages and one.stage == stages[0]]
    if not chosen:
        return Said(question=question, text="", label="", confidence=None, status=missing, model="", lane="")
    texts = [one.answers[place] if one.answers else one.text for one in chosen]
    surest = max(chosen, key=lambda one: one.confidence if one.confidence is not None else -1.0)
    status = next((one.status for one in chosen if one.status not in {"ok", "cached"}), chosen[0].status)
    sure = [one.confidence for one in chosen if one.confidence is not None]
    return Said(
        question=question, text="\n".join(text for text in texts if text), label=surest.label,
        confidence=min(sure) if sure else None, status=status, model=surest.model, lane=surest.lane, parts=len(chosen),
        value=_value(texts) if script.answer and status in {"ok", "cached"} else None,
    )  # fmt: skip


def _value(texts: Sequence[str]) -> Any:
    """Decode answers that were read already."""
    plain = [text.strip().strip("`").removeprefix("json") for text in texts if text]
    found = [msgspec.json.decode(text) for text in plain]
    return found[0] if len(found) == 1 else found
