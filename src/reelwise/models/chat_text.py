"""What chats share: default questions, answers that must follow a schema, and how sure a model was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from reelwise.errors import InputError
from reelwise.models.answer import Answer, Score
from reelwise.models.work import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.models.work import Work

__all__ = ["asked", "confidence_of", "described", "labelled", "scored"]

_DESCRIBE = "Describe what is shown, in two or three sentences."
_MODERATE = "Which one label fits best? Say how sure you are, from 0 to 1."


def described(work: Work) -> Work:
    """Ask for a description where nothing is asked."""
    if any(isinstance(part, Text) for part in work.parts):
        return work
    return msgspec.structs.replace(work, parts=(*work.parts, Text(text=_DESCRIBE)))


def asked(work: Work) -> Work:
    """Refuse work that asks nothing.

    Raises:
        InputError: it has no text.
    """
    if not any(isinstance(part, Text) and part.text.strip() for part in work.parts):
        raise InputError("nothing is asked", where="parts", hint="add a Text")
    return work


def labelled(work: Work) -> Work:
    """Ask for one of the labels, and how sure the model is, as JSON.

    Raises:
        InputError: no labels, or too many.
    """
    if not 2 <= len(work.labels) <= 200 or len(set(work.labels)) != len(work.labels):
        raise InputError(f"{len(work.labels)} labels", where="labels", hint="2 to 200 different ones")
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(work.labels)}, "confidence": {"type": "number"}},
        "required": ["label", "confidence"],
        "additionalProperties": False,
    }
    parts = work.parts
    if not any(isinstance(part, Text) for part in parts):
        parts = (*parts, Text(text=_MODERATE))
    return msgspec.structs.replace(work, parts=parts, schema=work.schema or msgspec.json.encode(schema))


def scored(answer: Answer) -> Answer:
    """Read the label out of an answer to `labelled`; an answer that was refused has none.

    Raises:
        AnswerError: no JSON, or no label in it.
    """
    if answer.finish == "refused":
        return answer
    found = answer.json()
    label = found.get("label") if isinstance(found, dict) else None
    if not isinstance(label, str):
        from reelwise.errors import AnswerError

        error = AnswerError("the answer names no label", where=answer.used.model, reason="json")
        error.spent = answer.used
        raise error
    sure = found.get("confidence")
    number = isinstance(sure, (int, float)) and not isinstance(sure, bool) and 0 <= sure <= 1
    answer.scores = (Score(label=label, confidence=float(sure) if number else answer.confidence),)
    answer.confidence = answer.scores[0].confidence
    return answer


def confidence_of(logprobs: Iterable[float]) -> float | None:
    """Return the geometric mean of the probabilities of an answer's tokens; None where there are none."""
    values = [min(0.0, value) for value in logprobs if math.isfinite(value)]
    return math.exp(sum(values) / len(values)) if values else None
