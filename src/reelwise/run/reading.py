"""What an answer says: one of the labels, the form that was asked for, or the answers to several questions; or that it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import AnswerError
from reelwise.form import problem
from reelwise.models.chat_text import scored

if TYPE_CHECKING:
    from reelwise.models.answer import Answer

__all__ = ["Said", "read_answer"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What is in an answer.

    Attributes:
        label: the one that was chosen; empty without labels.
        confidence: how sure the model is, 0..1: a field of that name in its answer, else what the endpoint says.
        answers: to several questions, in order; empty for one.
    """

    label: str = ""
    confidence: float | None = None
    answers: tuple[str, ...] = ()


def read_answer(answer: Answer, *, questions: int, labelled: bool, form: dict[str, Any] | None) -> Said:
    """Read an answer, strictly: what does not follow its form is of no use, and billed.

    Args:
        answer: it.
        questions: that it answers at once.
        labelled: whether it is one of some labels.
        form: the JSON Schema of one answer; None for free text.

    Raises:
        AnswerError: it cannot be read; `spent` says what it used.
    """
    if answer.finish == "refused":
        return Said(confidence=answer.confidence)
    if questions > 1:
        return Said(confidence=answer.confidence, answers=_several(answer, questions, form))
    if form is None:
        return Said(confidence=answer.confidence)
    if labelled:
        one = scored(answer).scores[0]
        if one.label not in form["properties"]["label"]["enum"]:
            raise _unreadable(answer, f"the answer names another label: {one.label!r:.40}")
        return Said(label=one.label, confidence=one.confidence)
    found = answer.json()
    if said := problem(found, form):
        raise _unreadable(answer, f"does not follow its form: {said}")
    sure = found.get("confidence")
    own = isinstance(sure, (int, float)) and not isinstance(sure, bool) and 0 <= sure <= 1
    return Said(confidence=float(sure) if own else answer.confidence)


def _several(answer: Answer, questions: int, form: dict[str, Any] | None) -> tuple[str, ...]:
    found = answer.json()
    listed = found.get("answers") if isinstance(found, dict) else None
    if isinstance(listed, dict):
        names = [f"q{number}" for number in range(1, questions + 1)]
        listed = [listed[name] for name in names if name in listed]
    if not isinstance(listed, list) or len(listed) != questions:
        count = len(listed) if isinstance(listed, list) else 0
        raise _unreadable(
            answer, f"it answers {count} of {questions} questions", hint="fewer questions a call, or ask: each"
        )
    wrong = next((said for one in listed if form is not None and (said := problem(one, form))), "")
    if wrong:
        raise _unreadable(answer, f"does not follow its form: {wrong}")
    return tuple(_text(one) for one in listed)


def _text(one: Any) -> str:
    if isinstance(one, dict) and isinstance(one.get("label"), str):
        return str(one["label"])
    return one if isinstance(one, str) else msgspec.json.encode(one).decode()


def _unreadable(
    answer: Answer, why: str, hint: str = "a larger output_most, a simpler form, or another model"
) -> AnswerError:
    error = AnswerError(why, where=answer.used.model, reason="json", hint=hint)
    error.spent = answer.used
    return error
