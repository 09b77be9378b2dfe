"""Look-up tables in memory: key to rows, one table a band, rebuilt from the file when it is opened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelwise.duplicates.keys import BANDS, Keys

__all__ = ["BUCKET_MOST", "Table"]

BUCKET_MOST = 48
"""Rows of one key that a look-up takes at most: a camera that stands still gives every second the same key."""

Rows = NDArray[np.int32]


class Table:
    """Rows by key, for stored seconds that stay as they are.

    Args:
        keys: uint16 (n, 6).
        valid: bool (n, 6).
        order: uint64 (n,), a number each row gets from its content: which rows of an over-full key are taken depends on
            it, not on the order in which clips were added.
    """

    def __init__(self, keys: Keys, valid: NDArray[np.bool_], order: NDArray[np.uint64]) -> None:
        self.count = len(keys)
        self._starts: list[NDArray[np.int64]] = []
        self._rows: list[Rows] = []
        for band in range(BANDS):
            rows = np.flatnonzero(valid[:, band])
            both = (keys[rows, band].astype(np.uint64) << np.uint64(48)) | (order[rows] >> np.uint64(16))
            rows = rows[np.argsort(both, kind="stable")]
            self._starts.append(np.searchsorted(keys[rows, band], np.arange(65_537)))
            self._rows.append(rows.astype(np.int32))

    @property
    def bytes(self) -> int:
        """Count the memory of the tables."""
        return sum(a.nbytes for a in self._starts) + sum(a.nbytes for a in self._rows)

    def find(self, band: int, keys: Keys) -> tuple[NDArray[np.intp], Rows, NDArray[np.int64]]:
        """Look keys up.

        Args:
            band: which table.
            keys: uint16 (m,).

        Returns:
            For each hit the index into `keys` and the row; for each key how many rows have it.
        """
        starts = self._starts[band]
        begin = starts[keys]
        size = starts[keys.astype(np.int64) + 1] - begin
        taken = np.minimum(size, BUCKET_MOST)
        total = int(taken.sum())
        which = np.repeat(np.arange(len(keys)), taken)
        within = np.arange(total) - np.repeat(np.cumsum(taken) - taken, taken)
        return which, self._rows[band][begin[which] + within], size
