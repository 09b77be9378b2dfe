"""Whether one score is better than another on the same rows, beyond their luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.route.floor import area

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Lift", "lift_of"]


class Lift(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """APGR of two scores on the same rows.

    Attributes:
        without, with_it: of either.
        low, high: 95 % interval of the difference, over rows that are drawn again.
    """

    without: float
    with_it: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether the rows show that it helps."""
        return self.low > 0


def lift_of(
    without: Floats, with_it: Floats, cheap: Floats, dear: Floats, *, samples: int = 500, seed: int = 0
) -> Lift:
    """Compare two scores by drawing the rows again.

    Args:
        without: a score of each row, shape (n,).
        with_it: the other.
        cheap: how good the cheap answer was.
        dear: and the dear one; on average another than the cheap one.
        samples: how often rows are drawn.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(samples):
        some = rng.integers(0, len(cheap), len(cheap))
        if cheap[some].mean() != dear[some].mean():
            both = (area(one[some], cheap[some], dear[some]) for one in (with_it, without))
            found.append(next(both) - next(both))
    low, high = np.quantile(found, (0.025, 0.975)) if found else (-1.0, 1.0)
    return Lift(
        without=area(without, cheap, dear), with_it=area(with_it, cheap, dear), low=float(low), high=float(high)
    )
