"""Lever 7: ask the cheap model first, and the dear one where its answer is in doubt. Every call is in the cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from msgspec import Struct

from reelwise.errors import EndpointError, InputError
from reelwise.route.learner import FOR_CASCADE
from reelwise.route.saved import Saved, read_saved, train, write_saved
from reelwise.route.text import final_answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reelwise.route.outcomes import Outcomes

__all__ = ["Cascade", "Doubt", "Said", "Step"]

_SAMPLES_MOST = 16


class Said(Struct, frozen=True, kw_only=True):
    """What a model answered.

    Attributes:
        text: its words.
        nano: what the call cost, nano-USD.
        final: what it concludes; None reads it off the text, see `text.final_answer`.
        confidence: its own, 0..1 (from log probabilities, or asked for); None is unknown.
    """

    text: str
    nano: int
    final: str | None = None
    confidence: float | None = None

    @property
    def concluded(self) -> str:
        """What it concludes, in small letters; the whole text where it names nothing."""
        found = final_answer(self.text) if self.final is None else self.final
        return " ".join((found or self.text).lower().split())


class Doubt(Struct, frozen=True, kw_only=True):
    """When a cheap answer is not served. Each condition that is set is enough.

    Attributes:
        confidence_least: below this confidence; an answer without one is in doubt, too.
        samples: the cheap model is asked so often, and must conclude the same at least `agree_least` of the time.
        agree_least: see `samples`.
        second: a second cheap model that must conclude the same; empty is none.
        verify: a callback of question and answer that says whether it holds.
    """

    confidence_least: float | None = None
    samples: int = 1
    agree_least: float = 1.0
    second: str = ""
    verify: Callable[[str, str], bool] | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            InputError: says which field.
        """
        if not 1 <= self.samples <= _SAMPLES_MOST:
            raise InputError(f"{self.samples} samples", where="doubt.samples", hint=f"give 1 to {_SAMPLES_MOST}")
        for name in ("confidence_least", "agree_least"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} is {value}", where=f"doubt.{name}", hint="give a share from 0 to 1")


class Step(Struct, frozen=True, kw_only=True):
    """What a cascade did with one question.

    Attributes:
        answer: what is served.
        model: whose it is.
        escalated: whether the dear model answered.
        by: what decided: confidence, samples, second, verify, score, floor, or nothing: there was no doubt.
        reason: in words.
        calls: every call that was made, in order, as model and nano-USD.
        nano: all of them together.
        score: of the trained score; None without one.
        failed: why the dear model did not answer although it was asked; its calls are not in `calls`.
    """

    answer: Said
    model: str
    escalated: bool
    by: Literal["", "confidence", "samples", "second", "verify", "score", "floor"]
    reason: str
    calls: tuple[tuple[str, int], ...]
    nano: int
    score: float | None = None
    failed: str = ""


class Cascade:
    """Cheap first, the dear model on doubt. It is only read, so threads may share it.

    Args:
        cheap, dear: names of the models.
        doubt: conditions that need no training.
        saved: a trained score, see `Cascade.calibrate` and `Cascade.load`; where it looks at two answers, `doubt.second` names the
            model of the second.
        keep_cheap: serve the cheap answer where the dear model fails, in place of the error.
    """

    def __init__(
        self, cheap: str, dear: str, *, doubt: Doubt | None = None, saved: Saved | None = None, keep_cheap: bool = False
    ) -> None:
        self.cheap, self.dear, self.saved, self.keep_cheap = cheap, dear, saved, keep_cheap
        self.doubt = doubt or Doubt()
        self.doubt.check()
        if saved is not None and (saved.answers > 1) != bool(self.doubt.second):
            needs = f"{saved.answers} answers"
            raise InputError(f"the trained score looks at {needs}", where="cascade", hint="set doubt.second to match")
        if saved is not None and saved.answers > 2:
            raise InputError(f"{saved.answers} answers", where="cascade", hint="train it on two at most")

    @classmethod
    def load(cls, path: Path, *, doubt: Doubt | None = None, keep_cheap: bool = False) -> Self:
        """Open a file that was calibrated.

        Raises:
            DocumentError: missing, damaged, of another kind or version.
        """
        saved = read_saved(path, "cascade")
        return cls(saved.cheap, saved.dear, doubt=doubt, saved=saved, keep_cheap=keep_cheap)

    @staticmethod
    def calibrate(
        outcomes: Outcomes,
        *,
        cheap: str,
        dear: str,
        quality: float = 0.97,
        risk: float = 0.05,
        ahead: int | None = None,
        share: float | None = None,
        seed: int = 0,
    ) -> Saved:
        """Learn when a cheap answer is in doubt; see `saved.train`. The outcomes hold the cheap answers' texts."""
        return train(
            outcomes,
            FOR_CASCADE,
            kind="cascade",
            cheap=cheap,
            dear=dear,
            quality=quality,
            risk=risk,
            ahead=ahead,
            share=share,
            seed=seed,
        )

    def save(self, path: Path) -> None:
        """Write the trained score.

        Raises:
            InputError: there is none.
            OutputError: it cannot be written.
        """
        if self.saved is None:
            raise InputError("nothing was trained", where="cascade", hint="Cascade.calibrate first")
        write_saved(self.saved, path)

    def answer(self, question: str, ask: Callable[[str], Said], *, features: Sequence[float] = ()) -> Step:
        """Answer one question.

        Args:
            question: its words, for the score and the verifier.
            ask: makes one call to the model it is given, and returns what it said and cost. Its errors are not caught, but for
                an EndpointError of the dear model where `keep_cheap` is set.
            features: further numbers that the score was trained with.

        Raises:
            EndpointError: a model failed.
        """
        first = ask(self.cheap)
        calls = [(self.cheap, first.nano)]
        by, reason, score = self._doubts(question, first, ask, calls, features)
        if not by:
            return self._step(first, self.cheap, calls, by="", reason="no doubt", score=score)
        try:
            last = ask(self.dear)
        except EndpointError as error:
            if not self.keep_cheap:
                raise
            return self._step(first, self.cheap, calls, by=by, reason=reason, score=score, failed=str(error))
        calls.append((self.dear, last.nano))
        return self._step(last, self.dear, calls, by=by, reason=reason, score=score)

    def _step(
        self,
        said: Said,
        model: str,
        calls: list[tuple[str, int]],
        *,
        by: Literal["", "confidence", "samples", "second", "verify", "score", "floor"],
        reason: str,
        score: float | None,
        failed: str = "",
    ) -> Step:
        return Step(
            answer=said,
            model=model,
            escalated=model == self.dear,
            by=by,
            reason=reason,
            calls=tuple(calls),
            nano=sum(nano for _, nano in calls),
            score=score,
            failed=failed,
        )

    def _doubts(  # noqa: C901, PLR0911 - one doubt each
        self,
        question: str,
        first: Said,
        ask: Callable[[str], Said],
        calls: list[tuple[str, int]],
        features: Sequence[float],
    ) -> tuple[Literal["", "confidence", "samples", "second", "verify", "score", "floor"], str, float | None]:
        """Look for a doubt, the signals that cost nothing first."""
        doubt = self.doubt
        if self.saved is not None and self.saved.floor.cut is None:
            return "floor", f"no cut-off was proved to keep {self.saved.floor.quality:.0%}", None
        least = doubt.confidence_least
        if least is not None and (first.confidence is None or first.confidence < least):
            return "confidence", f"confidence {first.confidence}, below {least}", None
        if doubt.verify is not None and not doubt.verify(question, first.text):
            return "verify", "the verifier refused it", None
        if doubt.samples > 1:
            same = 1
            for _ in range(doubt.samples - 1):
                again = ask(self.cheap)
                calls.append((self.cheap, again.nano))
                same += again.concluded == first.concluded
            if same < doubt.agree_least * doubt.samples:
                return "samples", f"{same} of {doubt.samples} answers agree", None
        texts = [first.text]
        if doubt.second:
            other = ask(doubt.second)
            calls.append((doubt.second, other.nano))
            texts.append(other.text)
            if self.saved is None and other.concluded != first.concluded:
                return "second", f"{doubt.second} concludes something else", None
        if self.saved is not None:
            score = self.saved.score(question, texts, features)
            if self.saved.floor.to_dear(score):
                return "score", f"doubt {score:+.3f}, above the cut-off {self.saved.floor.cut:+.3f}", score
            return "", "", score
        return "", "", None
