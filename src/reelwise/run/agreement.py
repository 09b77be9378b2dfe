"""How far a cheaper plan's answers agree with the full plan's, with 95 % intervals that know which answers are of one clip."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.run.claims import contradiction
from reelwise.run.measure import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Agreement", "Scored", "agreement", "found_share", "interval_of", "text_likeness"]

_Z = 1.959964
_NONE = 1e-18
_WORD = re.compile(r"[^\W_]+")
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
    2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, 97.5 %, for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2)."""


class Scored(Struct, frozen=True):
    """One answer's score, 0..1; the clip it is of; and how much footage it stands for."""

    value: float
    clip: str
    weight: float = 1.0


class Agreement(Struct, frozen=True, kw_only=True):
    """How far two plans agree in one respect.

    Attributes:
        what: labels (share of equal ones); text (F1 of the words, 0 where the texts contradict each other in a number or a negation);
            masks (IoU); events (share of active time that is still looked at), events_found (share of the full plan's events that the
            cheaper one looks at) and events_real (share of the cheaper plan's stretches in which the full plan has one).
        value: the mean, each part of the footage with its weight.
        low, high: 95 % interval. Answers about one clip are like each other: the interval counts clips, not answers.
        items: answers it rests on.
        clips: clips they are of.
        p5: what 95 of 100 items reach, for masks; None elsewhere. p5_low, p5_high is its interval.
    """

    what: str
    value: float
    low: float
    high: float
    items: int
    clips: int = 0
    p5: float | None = None
    p5_low: float | None = None
    p5_high: float | None = None


def agreement(what: str, scored: Sequence[Scored]) -> Agreement | None:
    """Average scores, with an interval over clips; None without any. See `interval_of`."""
    whole = sum(one.weight for one in scored)
    if not scored or whole <= 0:
        return None
    value = sum(one.value * one.weight for one in scored) / whole
    low, high = interval_of(scored)
    return Agreement(
        what=what, value=min(1.0, value), low=min(low, value), high=min(1.0, max(high, value)), items=len(scored),
        clips=len({one.clip for one in scored}),
    )  # fmt: skip


def interval_of(scored: Sequence[Scored]) -> tuple[float, float]:
    """Return the 95 % interval of a weighted mean of scores 0..1.

    Korn and Graubard's way with few clusters: the variance is that between clips (linearised); the answers count as many as would have
    that variance if none were like another, at most as many as there are, and less by Student's t for so few clips; of that many,
    Wilson's interval. Where all are equal each clip counts as one answer. With one clip the answers are taken as they come: the interval
    then speaks of that clip alone.
    """
    names = {one.clip for one in scored}
    if len(names) > 1:
        sums = {name: [0.0, 0.0] for name in names}
        for one in scored:
            sums[one.clip][0] += one.value * one.weight
            sums[one.clip][1] += one.weight
        parts = list(sums.values())
    else:
        parts = [[one.value * one.weight, one.weight] for one in scored]
    whole = sum(weight for _, weight in parts)
    if len(parts) < 2 or whole <= 0:
        return 0.0, 1.0
    share = sum(value for value, _ in parts) / whole
    count = len(parts)
    variance = count / (count - 1) * sum((value - share * weight) ** 2 for value, weight in parts) / whole**2
    if variance <= _NONE or not 0 < share < 1:
        return wilson(share, float(count), _Z)
    effective = min(float(len(scored)), share * (1 - share) / variance)
    return wilson(share, effective * (_Z / _student(count - 1)) ** 2, _Z)


def _student(degrees: int) -> float:
    if degrees <= len(_STUDENT):
        return _STUDENT[degrees - 1]
    return _Z + (_Z**3 + _Z) / (4 * degrees)


def text_likeness(one: str, other: str) -> float:
    """Compare two texts: F1 of their words, 0..1, whatever their order and case; 0 where they contradict each other."""
    a, b = Counter(_WORD.findall(one.lower())), Counter(_WORD.findall(other.lower()))
    if not a and not b:
        return 1.0
    if contradiction(one, other):
        return 0.0
    both = sum((a & b).values())
    return 2 * both / (sum(a.values()) + sum(b.values()))


def found_share(of: Sequence[tuple[float, float]], among: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Count stretches that others overlap.

    Args:
        of: (start, stop) in seconds.
        among: the others.

    Returns:
        How many of `of` are found (half of one, or of a shorter other that lies in it, is covered), and how many there are.
    """
    found = 0
    for start, stop in of:
        covered = sum(max(0.0, min(stop, end) - max(start, begin)) for begin, end in among)
        within = any(
            min(stop, end) - max(start, begin) >= 0.5 * min(stop - start, end - begin) > 0 for begin, end in among
        )
        found += covered >= 0.5 * (stop - start) > 0 or within
    return found, len(of)
