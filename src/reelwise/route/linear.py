"""A ridge on plain numbers: what a text's vector says of how hard it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Linear", "fit"]

_SAME = 1e-9  # a spread below it: the number is the same in every row


class Linear(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fitted ridge.

    Attributes:
        base: what a row of zeros gets.
        weights: for each number.
    """

    base: float
    weights: list[float]

    def check(self, width: int) -> None:
        """Refuse weights for vectors of another size.

        Raises:
            InputError: they are.
        """
        if len(self.weights) != width:
            raise InputError(f"{len(self.weights)} weights, {width} were expected", hint="train it again")

    def predict(self, rows: Floats) -> Floats:
        """Return the answer for each row, shape (n,)."""
        result: Floats = self.base + rows @ np.array(self.weights)
        return result


def fit(rows: Floats, wanted: Floats, *, shrink: float) -> Linear:
    """Fit a ridge on numbers of equal spread.

    Args:
        rows: shape (n, d).
        wanted: shape (n,).
        shrink: the penalty on squared weights; a number whose square has mean 1 / d has none of its own.
    """
    width = rows.shape[1]
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > _SAME, 1.0 / (np.maximum(spread, _SAME) * np.sqrt(width)), 0.0)
    scaled = (rows - mean) * scale
    base = float(wanted.mean())
    weights = np.linalg.solve(scaled.T @ scaled + shrink * np.eye(width), scaled.T @ (wanted - base)) * scale
    folded = [round(float(one), 7) for one in weights]
    return Linear(base=base - float(mean @ np.array(folded)), weights=folded)
