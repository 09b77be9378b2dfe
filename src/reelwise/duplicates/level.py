"""Keys of consecutive rows and their tables: one level holds most, a small one what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.duplicates.keys import BANDS
from reelwise.duplicates.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.duplicates.store import Kept

__all__ = ["Level"]


class Level:
    """Keys of consecutive rows and their tables: one level holds most, a small one what is new."""

    def __init__(self, base: int = 0) -> None:
        self.base = base
        self.table: Table | None = None
        self.clip_of = np.zeros(0, np.int32)
        self._keys = np.zeros((0, BANDS), np.uint16)
        self._valid = np.zeros((0, BANDS), np.bool_)
        self._order = np.zeros(0, np.uint64)

    @property
    def count(self) -> int:
        """Count the rows."""
        return len(self.clip_of)

    @property
    def bytes(self) -> int:
        """Count the memory."""
        arrays = (self.clip_of, self._keys, self._valid, self._order)
        return sum(array.nbytes for array in arrays) + (self.table.bytes if self.table else 0)

    def moves(self, rows: NDArray[np.int64], *, inner: bool) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """Return the two keys of what moves in rows, as one number of 32 bits, and whether they say anything."""
        return self._keys.view(np.uint32)[rows, 2 if inner else 1], self._valid[rows, 4 if inner else 2]

    def extend(self, parts: list[tuple[Kept, NDArray[np.uint16], NDArray[np.bool_]]]) -> None:
        """Take clips in; `build` makes them found."""
        clips = [np.full(kept.count, kept.id, np.int32) for kept, _, _ in parts]
        orders = [_order(kept) for kept, _, _ in parts]
        self.clip_of = np.concatenate((self.clip_of, *clips))
        self._keys = np.concatenate((self._keys, *(keys for _, keys, _ in parts)))
        self._valid = np.concatenate((self._valid, *(valid for _, _, valid in parts)))
        self._order = np.concatenate((self._order, *orders))

    def build(self) -> None:
        """Make the tables."""
        self.table = Table(self._keys, self._valid, self._order) if self.count else None

    def merge(self, other: Level) -> None:
        """Take another level's rows in, that follow these, and make the tables."""
        self.clip_of = np.concatenate((self.clip_of, other.clip_of))
        self._keys = np.concatenate((self._keys, other._keys))
        self._valid = np.concatenate((self._valid, other._valid))
        self._order = np.concatenate((self._order, other._order))
        self.build()


def _order(kept: Kept) -> NDArray[np.uint64]:
    """Give each second of a clip a number that depends on its content alone."""
    seed = np.uint64(int(kept.content[:16], 16))
    mixed = (np.arange(kept.count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ seed
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))
