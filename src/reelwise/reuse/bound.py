"""How often a kind of difference was wrong, and which kinds keep a bound on the error among hits.

The idea is vCache's (arXiv 2502.03771): the user sets the error, the cache learns what keeps it. Here it is learned for kinds of
difference: groups of kinds are added in one order as long as all that is served is proved, by the exact bound of a share, to
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

PRESUMED_FROM: Final = {"exact": 0.0, "shuffled": 0.0, "moved": 0.05}
"""Kinds that are served without proof, the last two unless what was seen speaks against them, and from which bound on."""
_GROUPS: Final = (("small", "frames", "synonyms"), ("plurals",), ("which",), ("helpers",), ("turned",))
"""The other kinds, in the order in which they are proved; a group is proved together."""


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


def served(counts: dict[str, Counts], bound: float, *, risk: float = 0.02) -> tuple[Verdict, ...]:
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
    found: dict[str, Verdict] = {}
    total = wrong = 0
    for kind in KINDS[: -sum(map(len, _GROUPS))]:
        own = counts.get(kind, Counts())
        seen = own.right + own.wrong
        refuted = kind != "exact" and seen > 0 and lower(own.wrong, seen, risk) > bound
        ok = bound >= PRESUMED_FROM[kind] and not refuted
        why = (
            f"wrong in {own.wrong} of {seen}"
            if refuted
            else "the same words"
            if ok
            else f"presumed from a bound of {PRESUMED_FROM[kind]:.0%} on"
        )
        if ok:
            total, wrong = total + seen, wrong + own.wrong
        found[kind] = Verdict(kind=kind, served=ok, seen=seen, wrong=own.wrong, error_upper=None, why=why)
    open_ = True
    for group in _GROUPS:
        judged: dict[str, Counts] = {
            kind: counts[kind] for kind in group if kind in counts and counts[kind] != Counts()
        }
        total += sum(one.right + one.wrong for one in judged.values())
        wrong += sum(one.wrong for one in judged.values())
        highest = upper(wrong, total, risk) if judged else None
        open_ = open_ and (highest is None or highest <= bound)
        for kind in group:
            own = judged.get(kind, Counts())
            why = "never judged" if kind not in judged else f"{wrong} of {total} wrong: at most {highest:.1%}"
            found[kind] = Verdict(
                kind=kind, served=open_ and kind in judged, seen=own.right + own.wrong, wrong=own.wrong,
                error_upper=highest if kind in judged else None, why=why,
            )  # fmt: skip
    return tuple(found[kind] for kind in KINDS)
