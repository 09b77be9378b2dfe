"""What a model answered, in one shape for all endpoints."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from reelwise.errors import AnswerError
from reelwise.models.used import Used

__all__ = ["Answer", "Box", "Score", "Stretch", "Word"]


class Score(Struct, frozen=True, kw_only=True):
    """A label and how sure the model is, 0..1; None where it does not say. `part` is which of the work's pictures it is about."""

    label: str
    confidence: float | None = None
    part: int = 0


class Box(Struct, frozen=True, kw_only=True):
    """Where something is, in shares 0..1 of the width and height of the work's picture number `part`."""

    label: str
    confidence: float | None
    left: float
    top: float
    right: float
    bottom: float
    part: int = 0


class Stretch(Struct, frozen=True, kw_only=True):
    """When something is seen or heard, in seconds."""

    label: str
    confidence: float | None
    start_seconds: float
    stop_seconds: float


class Word(Struct, frozen=True, kw_only=True):
    """A stretch of a transcript, in seconds."""

    text: str
    start_seconds: float
    stop_seconds: float


class Answer(Struct, kw_only=True):
    """One answer.

    Attributes:
        used: what it used, for the settlement.
        text: what it wrote.
        finish: why it stopped: stop, length (its maximum), refused (content), cut (by us), other.
        confidence: how sure it is of it, 0..1; None where it does not say.
        scores, boxes, stretches, words, vectors: what it found; each task fills its own.
        texts: what is written in each picture, where that was asked for.
        mask: probability 0..1 that each place is foreground, float32 (h, w), of the first picture; None elsewhere.
        masks: likewise, of each picture.
        attempts: how often the call was sent.
        waited_seconds: for the limiter.
        latency_ms: of the attempt that answered, to its last byte.
        latency_first_ms: to its first piece, of a stream; else the same.
    """

    used: Used
    text: str = ""
    finish: Literal["stop", "length", "refused", "cut", "other"] = "stop"
    confidence: float | None = None
    scores: tuple[Score, ...] = ()
    boxes: tuple[Box, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    words: tuple[Word, ...] = ()
    vectors: tuple[tuple[float, ...], ...] = ()
    texts: tuple[str, ...] = ()
    mask: Any = None
    masks: tuple[Any, ...] = ()
    attempts: int = 1
    waited_seconds: float = 0.0
    latency_ms: float = 0.0
    latency_first_ms: float = 0.0

    def json(self) -> Any:
        """Decode a structured answer.

        Raises:
            AnswerError: it is no JSON: cut at its maximum, refused, or chatty. It is billed; `spent` says what.
        """
        import msgspec

        text = self.text.strip()
        if text.startswith("```"):
            text = text.strip("`").removeprefix("json").strip()
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            why = {"length": ": it reached its maximum", "refused": ": it was refused"}.get(self.finish, "")
            error = AnswerError(
                f"the answer is no JSON{why}", where=self.used.model, hint="a higher tokens_output, or a schema",
                reason="json",
            )  # fmt: skip
            error.spent = self.used
            raise error from None
