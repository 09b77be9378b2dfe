"""Whether a cheap answer is in doubt: by its own confidence, by what others answer, by a verdict, by a calibrated score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError
from reelwise.route.text import final_answer
from reelwise.run.agreement import text_likeness
from reelwise.stages.asking import RIGHT
from reelwise.stages.escalate import OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reelwise.flow import Piece
    from reelwise.run.outcome import Outcome
    from reelwise.script import Script
    from reelwise.stages import Escalate

__all__ = ["answers_of", "asked_of", "calibrated", "confidence_of", "in_doubt", "same_answer", "says_same"]

_ANSWERED = frozenset({"ok", "cached"})
_CLOSE = 1e-9


def calibrated(stage: Escalate) -> Any:
    """Open the calibrated file of a stage; None where it names none.

    Raises:
        InputError: it looks at another number of answers than the stage asks for, or would ask a second model for nothing.
    """
    if stage.calibrated is None:
        return None
    from reelwise.route.saved import read_saved

    saved, asked = read_saved(Path(stage.calibrated), "cascade"), 2 if stage.second else 1
    if saved.answers != asked:
        hint = (
            "name the model of the second with `second`"
            if saved.answers == 2
            else "calibrate it on the answers of one or two cheap models"
            if saved.answers > 2
            else "leave `second` out, or calibrate it on both answers"
        )
        raise InputError(
            f"looks at {saved.answers} answers, and the stage has {asked}", where=stage.calibrated, hint=hint
        )
    if saved.floor.cut is None and asked > 1:
        raise InputError(
            "no cut-off was proved: everything would go to the dear model, and the second one be asked for nothing",
            where=stage.calibrated, hint="calibrate it on more rows, or for a lower floor",
        )  # fmt: skip
    return saved


def in_doubt(  # noqa: PLR0911 - one doubt each
    stage: Escalate,
    piece: Piece,
    others: Mapping[str, tuple[Outcome, ...]],
    *,
    saved: Any,
    verifier: Callable[[str, str], bool] | None,
) -> bool:
    """Say whether the cheap answers about a piece are in doubt. A call that failed, or a verdict that nobody gave, is doubt.

    Args:
        stage: what decides.
        piece: with the cheap answers.
        others: what further calls answered, by what they were for.
        saved: the calibrated score, or None.
        verifier: a function of yours, for `verifier: own`.
    """
    last: tuple[Outcome, ...] = piece.answers[-1] if piece.answers else ()
    _, asked = asked_of(piece)
    if saved is not None and saved.floor.cut is None:
        return True
    if any(one.status not in _ANSWERED for one in last):
        return True
    if stage.verifier == OWN:
        return not all(
            verifier is not None and verifier(question, answer)
            for question, answer in zip(asked, answers_of(last, len(asked)), strict=True)
        )
    if stage.verifier:
        verdicts = others.get("verify", ())
        return not verdicts or any(one.status not in _ANSWERED or one.label != RIGHT.labels[0] for one in verdicts)
    if stage.samples > 1:
        same = 1 + sum(same_answer(last, one, stage.alike) for one in others.values())
        return same < stage.agree * stage.samples - _CLOSE
    if saved is not None:
        return _scored(saved, asked, last, others.get("second") if stage.second else None)
    if stage.second:
        return not same_answer(last, others.get("second", ()), stage.alike)
    sure = confidence_of(last)
    return sure is None or sure < stage.sure


def _scored(saved: Any, asked: Sequence[str], last: Sequence[Outcome], second: Sequence[Outcome] | None) -> bool:
    """Say whether the calibrated score doubts any answer."""
    if saved.answers == 1:
        return any(saved.floor.to_dear(saved.score(asked[max(0, one.question)], [one.text])) for one in last)
    other = {(one.chunk, one.question): one for one in second or () if one.status in _ANSWERED}
    return any(
        (there := other.get((one.chunk, one.question))) is None
        or saved.floor.to_dear(saved.score(asked[max(0, one.question)], [one.text, there.text]))
        for one in last
    )


def asked_of(piece: Piece) -> tuple[Script, tuple[str, ...]]:
    """Return what was said to the last call about a piece, and its questions."""
    last = piece.answers[-1] if piece.answers else ()
    script: Script = piece.script.of(last[0].task if last else "")
    return script, script.asked


def answers_of(outcomes: Sequence[Outcome], questions: int) -> list[str]:
    """Return the answer to each question, the parts of an item that was split in order of time."""
    found = []
    for number in range(questions):
        parts = [one for one in outcomes if one.question in {number, -1}]
        said = (one.answers[number] if one.answers else one.label or one.text for one in parts)
        found.append("\n".join(text for text in said if text))
    return found


def confidence_of(outcomes: tuple[Any, ...]) -> float | None:
    """Return how sure the least sure of some answers is; None where one does not say."""
    found = [one.confidence for one in outcomes]
    return None if not found or any(one is None for one in found) else min(found)


def same_answer(one: Sequence[Outcome], other: Sequence[Outcome], alike: float) -> bool:
    """Say whether two models answered the same about an item, question by question and part by part; what is missing is not the same.

    Labels are the same or not; texts that conclude something ("the answer is B") where they conclude the same, other texts where so much
    of their words is shared.
    """
    there = {(said.chunk, said.question): said for said in other if said.status in _ANSWERED}
    for said in one:
        match = there.get((said.chunk, said.question))
        if match is None:
            return False
        if not says_same(said, match, alike):
            return False
    return bool(one)


def says_same(one: Outcome, other: Outcome, alike: float) -> bool:
    """Say whether two answers to one call say the same; see `same_answer`."""
    if one.label or other.label:
        return one.label == other.label
    if len(one.answers) != len(other.answers):
        return False
    pairs = zip(one.answers or (one.text,), other.answers or (other.text,), strict=True)
    return all(_same_text(a, b, alike) for a, b in pairs)


def _same_text(one: str, other: str, alike: float) -> bool:
    ends = final_answer(one), final_answer(other)
    return ends[0] == ends[1] if all(ends) else text_likeness(one, other) >= alike
