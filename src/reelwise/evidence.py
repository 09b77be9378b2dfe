"""Where a number comes from.

A kind is one bit, so that the kinds of all inputs of a result can be OR-ed; the result is as good as its weakest input.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

__all__ = ["ASSUMED", "GIVEN", "KINDS", "MEASURED", "PUBLISHED", "Fact", "KindName", "kind_bit", "weakest"]

MEASURED: Final = 1
GIVEN: Final = 2
PUBLISHED: Final = 4
ASSUMED: Final = 8

KindName = Literal["measured", "given", "published", "assumed"]

KINDS: Final[tuple[tuple[int, KindName], ...]] = (
    (ASSUMED, "assumed"),
    (PUBLISHED, "published"),
    (GIVEN, "given"),
    (MEASURED, "measured"),
)


def weakest(basis: int) -> KindName:
    """Name the weakest kind in a mask; an empty mask is arithmetic on settings alone, hence given."""
    for bit, name in KINDS:
        if basis & bit:
            return name
    return "given"


def kind_bit(name: KindName) -> int:
    """Turn a kind's name into its bit."""
    return next(bit for bit, known in KINDS if known == name)


class Fact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that footage or a model did under a setting.

    Attributes:
        value: the central value, in the unit that the fact's name says.
        low: 5th percentile, or None where nothing is known of the spread.
        high: 95th percentile, or None.
        kind: measured, given, published or assumed.
        source: who says so.
        day: when it was measured or read, ISO date.
        on: on what: a clip's name, a data set, a plan.
    """

    value: float
    low: float | None = None
    high: float | None = None
    kind: KindName = "given"
    source: str = ""
    day: str = ""
    on: str = ""
