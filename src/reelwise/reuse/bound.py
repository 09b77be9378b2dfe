"""How often a kind of difference was wrong, and which kinds keep a bound on the error among hits.

The idea is vCache's (arXiv 2502.03771): the user sets the error, the cache learns what keeps it. Here it is learned for kinds of
difference: kinds are added in one order as long as all that is served is proved, by the exact bound of a share, to
be wrong at most so often; the first that fails ends it (fixed-sequence testing); one that was never judged is left out. "exact" is no guess and needs no proof;
"shuffled" and "moved" are the same words and too rare in judged pairs to be proved: they are served until they are refuted, "moved" from a
bound of 5 % on. All that is served counts in its error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.reuse.likeness import KINDS, Question, difference
from reelwise.route.bounds import lower, upper

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PRESUMED_FROM", "Counts", "Verdict", "counted", "served"]

PRESUMED_FROM: Final = {"shuffled": 0.0, "moved": 0.05}
"""Kinds that are served without proof, unless what was seen speaks against them, and from which bound on."""


class Counts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a kind was right and wrong, by judged pairs."""

    right: int = 0
    wrong: int = 0

    def check(self) -> None:
        """Refuse negative counts.

        Raises:
            InputError: one is.
        """
        if self.right < 0 or self.wrong < 0:
            raise InputError("a count is negative", where="counts", hint="counts are 0 or more")


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a kind is served under a bound.

    Attributes:
        kind: one of `KINDS`.
        served: whether it is.
        seen, wrong: judged pairs of this kind.
        error_upper: upper bound of the error of all that is served with it; None where it was not tested.
        why: in words.
    """

    kind: str
    served: bool
    seen: int
    wrong: int
    error_upper: float | None
    why: str


def counted(pairs: Iterable[tuple[str, str, bool]]) -> dict[str, Counts]:
    """Count the kinds of judged pairs.

    Args:
        pairs: two questions, and whether one's answer is right for the other.
    """
    right, wrong = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for one, other, same in pairs:
        kind = difference(Question.of(one), Question.of(other))
        if kind in right:
            (right if same else wrong)[kind] += 1
    return {kind: Counts(right=right[kind], wrong=wrong[kind]) for kind in KINDS}


def served(counts: dict[str, Counts], bound: float, *, risk: float = 0.05) -> tuple[Verdict, ...]:
    """Decide for every kind whether it may be served.

    Args:
        counts: what was judged, by kind; a missing one was never seen.
        bound: the share of hits that may be wrong, 0..1.
        risk: chance that the bound is missed, one side.

    Raises:
        InputError: a share outside 0..1.
    """
    if not (0 < bound < 1 and 0 < risk < 1):
        raise InputError(f"bound {bound}, risk {risk}", where="bound", hint="both lie between 0 and 1")
    result = []
    total = wrong = 0
    open_ = True
    for kind in KINDS:
        own = counts.get(kind, Counts())
        seen = own.right + own.wrong
        highest: float | None = None
        if kind == "exact":
            ok, why = True, "the same words in the same order"
        elif kind in PRESUMED_FROM:
            refuted = seen > 0 and lower(own.wrong, seen, risk) > bound
            ok = bound >= PRESUMED_FROM[kind] and not refuted
            why = (
                f"wrong in {own.wrong} of {seen}"
                if refuted
                else "the same words; not refuted"
                if ok
                else f"presumed from a bound of {PRESUMED_FROM[kind]:.0%} on"
            )
        elif not seen:
            ok, why = False, "never judged"
        else:
            highest = upper(wrong + own.wrong, total + seen, risk)
            ok = open_ and highest <= bound
            open_ = ok
            why = f"{wrong + own.wrong} of {total + seen} wrong: at most {highest:.1%}"
        if ok:
            total, wrong = total + seen, wrong + own.wrong
        result.append(Verdict(kind=kind, served=ok, seen=seen, wrong=own.wrong, error_upper=highest, why=why))
    return tuple(result)
