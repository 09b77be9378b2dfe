"""What a comparison means: a verdict in a word, and the probability that it is a copy, fitted on clips with known answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from reelwise.duplicates.fingerprint import STORED
from reelwise.duplicates.keys import MOVES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.duplicates.fingerprint import Fingerprint
    from reelwise.duplicates.index import Candidate, Index

__all__ = ["COPY", "Answer", "Match", "Word", "answer_of", "evidence", "judge", "probability", "seen"]

Word = Literal["duplicate", "part", "indistinguishable", "same scene", "new"]

COEFFICIENTS = (-5.41, -2.8, 2.61, 3.02, -0.42, -0.96)
"""Of what `evidence` returns: a logistic on comparisons between stretches of the scenes that bench/dedupe_fit.py names as tuned on."""
COPY = 0.8
"""Probability from which a match is called a copy: set on the same scenes."""
_SAME = 0.8  # correlation of what stands still from which two clips show the same scene
_ENOUGH = 6.0  # seconds alike that need not be a large share of either
_WHOLE = 0.9  # share of both clips that is alike, from which they are duplicates and not parts
_WORDS: tuple[Word, ...] = ("duplicate", "part", "indistinguishable", "same scene", "new")


class Match(Struct, frozen=True):
    """One stored clip, and what the asked one is to it.

    Attributes:
        verdict: "duplicate" (all of both), "part" (some of one is some of the other), "indistinguishable" (the same scene, and
            nothing moves in either: pictures cannot tell), "same scene" (the same scene at another time).
        probability: that it is a copy, whole or in part; None where it is indistinguishable.
        clip: name that the stored clip was added under.
        content: hash of its fingerprint.
        asked: start and stop in the asked clip, in seconds.
        stored: start and stop in the stored clip, in seconds.
        still: correlation of what stands still, -1..1.
        motion: agreement of what moves, -1..1.
        moving_seconds: seconds with movement that were compared.
        crop: width and height of the part of the stored picture that is shown; above 1 where the stored one is the crop.
    """

    verdict: Word
    probability: float | None
    clip: str
    content: str
    asked: tuple[float, float]
    stored: tuple[float, float]
    still: float
    motion: float
    moving_seconds: float
    crop: tuple[float, float]


class Answer(Struct, frozen=True):
    """Whether a clip has been seen.

    Attributes:
        verdict: the best match's, or "new" without one.
        probability: the best match's; 0.0 without one, None where it is indistinguishable.
        matches: at most eight stored clips, copies first.
    """

    verdict: Word
    probability: float | None
    matches: tuple[Match, ...]


def evidence(candidate: Candidate) -> tuple[float, ...]:
    """Return the numbers that the probability rests on.

    1, the misfit of what moves, log of its size, the share that is alike less 1, the misfit of what stands still, and by how
    much the agreement falls short of 0.8.
    """
    like, moves = candidate.likeness, candidate.likeness.motion
    seconds = (like.stop - like.start) / STORED
    shorter = max(0.5, min(candidate.asked_seconds, candidate.stored_seconds) - 0.5)
    share = min(1.0, seconds / min(shorter, _ENOUGH))
    return (
        1.0,
        min(max(moves.misfit, -1.0), 3.5),
        math.log(1 + moves.size),
        share - 1,
        min(max(moves.ground, -6.0), 0.0),
        max(0.0, 0.8 - moves.agreement),
    )


def probability(candidate: Candidate) -> float:
    """Return the probability 0..1 that what moves in both is the same footage; 0 where nothing does."""
    total = sum(weight * value for weight, value in zip(COEFFICIENTS, evidence(candidate), strict=True))
    return 1 / (1 + math.exp(-total)) if candidate.likeness.motion.seconds else 0.0


def judge(candidate: Candidate) -> Match | None:
    """Turn a comparison into a match; None where not even the scene is the same."""
    like = candidate.likeness
    chance: float | None = round(probability(candidate), 4)
    if like.motion.seconds and probability(candidate) >= COPY:
        length = (like.stop - like.start) / STORED + 0.5  # the phase may cost half a second
        whole = min(1.0, length / candidate.asked_seconds), min(1.0, length / candidate.stored_seconds)
        word: Word = "duplicate" if min(whole) >= _WHOLE else "part"
    elif like.still < _SAME:
        return None
    elif like.motion.stirs < MOVES:
        word, chance = "indistinguishable", None
    else:
        word = "same scene"
    return Match(
        verdict=word,
        probability=chance,
        clip=candidate.clip.name,
        content=candidate.clip.content,
        asked=_span(candidate.asked),
        stored=_span(candidate.stored),
        still=round(like.still, 3),
        motion=round(like.motion.agreement, 3),
        moving_seconds=like.motion.seconds,
        crop=(round(candidate.cut.size[0], 3), round(candidate.cut.size[1], 3)),
    )


def _span(span: tuple[float, float]) -> tuple[float, float]:
    return round(span[0], 2), round(span[1], 2)


def answer_of(candidates: Iterable[Candidate]) -> Answer:
    """Say what the candidates of one clip mean together."""
    matches = [match for candidate in candidates if (match := judge(candidate)) is not None]
    matches.sort(
        key=lambda match: (_WORDS.index(match.verdict), -(match.probability or 0.0), -match.still, match.content)
    )
    if not matches:
        return Answer("new", 0.0, ())
    return Answer(matches[0].verdict, matches[0].probability, tuple(matches))


def seen(index: Index, fingerprint: Fingerprint) -> Answer:
    """Say whether an index has seen a clip, or a part of it.

    Raises:
        InputError: the index is damaged.
    """
    return answer_of(index.find(fingerprint))
