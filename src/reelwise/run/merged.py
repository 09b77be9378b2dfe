"""One answer an item: the last call's, with the parts of an item that was split put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.run.outcome import Outcome
    from reelwise.script import Script

__all__ = ["ItemResult", "Said", "merged"]


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


class ItemResult(Struct, frozen=True, kw_only=True):
    """One item.

    Attributes:
        clip: its path.
        item: its place in the source.
        status: ok; skipped (nothing of it was left to send); refused, unreadable, ambiguous, failed, or broken (it cannot be read or sent).
        answers: to each question.
        cost_usd: of its calls.
        calls: made about it.
        why: what went wrong, or why nothing was sent.
    """

    clip: str
    item: int
    status: str
    answers: tuple[Said, ...] = ()
    cost_usd: float = 0.0
    calls: int = 0
    why: str = ""


def merged(script: Script, infos: Sequence[Any], outcomes: Sequence[Outcome], runner: Any) -> tuple[ItemResult, ...]:
    """Put the outcomes of each item together.

    Args:
        script: with the questions.
        infos: the clips, in order.
        outcomes: of all calls.
        runner: knows what could not be read or sent.
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
            status, why = ("broken", str(error)) if error is not None else ("skipped", "no stage left anything to send")
            if error is None and runner.halted:
                status, why = "failed", "the run ended before"
            found.append(ItemResult(clip=info.path, item=number, status=status, why=why))
            continue
        answers = tuple(_said(script, place, mine) for place in range(len(script.asked)))
        worst = next((one.status for one in answers if one.status not in {"ok", "cached"}), "ok")
        found.append(
            ItemResult(
                clip=info.path, item=number, status=worst, answers=answers,
                cost_usd=sum(one.cost_nano for one in mine) / 1e9,
                calls=sum(one.status != "cached" for one in mine),
                why=next((one.error for one in reversed(mine) if one.error), ""),
            )
        )  # fmt: skip
    return tuple(found)


def _said(script: Script, place: int, mine: Sequence[Outcome]) -> Said:
    """Take the last stage's answer, and an earlier one where that failed."""
    question = script.asked[place]
    asked = [one for one in mine if one.question in {place, -1}]
    stages = sorted({one.stage for one in asked}, reverse=True)
    chosen: list[Outcome] = []
    for stage in stages:
        chosen = [one for one in asked if one.stage == stage]
        if all(one.status in {"ok", "cached"} for one in chosen):
            break
    else:
        chosen = [one for one in asked if stages and one.stage == stages[0]]
    if not chosen:
        return Said(question=question, text="", label="", confidence=None, status="failed", model="", lane="")
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
