"""Hashed word pairs and a ridge on them: which words come with a cheap model's mistakes.

A word's weight holds its rarity, so that what is saved is one list of numbers and no vocabulary.
"""

from __future__ import annotations

import itertools
import re
import zlib
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["BUCKETS", "Grams", "Sparse", "fit", "hashed"]

BUCKETS = 4096
_TOKENS_MOST = 4000
_STEPS_MOST = 60
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[^\w\s]")


class Sparse(Struct, frozen=True):
    """Rows of few numbers.

    Attributes:
        row, bucket: where each number is, sorted by row; shape (k,).
        value: 1 + log of how often a bucket is in its text.
        count: rows.
        width: buckets.
    """

    row: NDArray[np.int64]
    bucket: NDArray[np.int64]
    value: NDArray[np.float64]
    count: int
    width: int

    def of(self, rows: NDArray[np.int64]) -> Sparse:
        """Return some rows, in the order given."""
        start = np.searchsorted(self.row, np.arange(self.count + 1))
        sizes = start[rows + 1] - start[rows]
        ends = np.cumsum(sizes)
        where = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(start[rows] - (ends - sizes), sizes)
        row = np.repeat(np.arange(len(rows)), sizes)
        return Sparse(row, self.bucket[where], self.value[where], len(rows), self.width)

    def times(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows @ weights, shape (count,)."""
        return np.bincount(self.row, self.value * weights[self.bucket], minlength=self.count).astype(np.float64)

    def back(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values @ rows, shape (width,)."""
        return np.bincount(self.bucket, self.value * values[self.row], minlength=self.width).astype(np.float64)


class Grams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fitted ridge.

    Attributes:
        base: the mean that words add to.
        weights: for each bucket.
    """

    base: float
    weights: list[float]

    def check(self, texts: int) -> None:
        """Refuse weights for another number of texts.

        Raises:
            InputError: it is another.
        """
        if len(self.weights) != BUCKETS * texts:
            raise InputError(f"{len(self.weights)} weights, {BUCKETS * texts} were expected", hint="train it again")

    def predict(self, rows: Sparse) -> NDArray[np.float64]:
        """Return the answer for each row, shape (n,)."""
        return self.base + rows.times(np.array(self.weights))


def hashed(texts: Sequence[Sequence[str]]) -> Sparse:
    """Hash words and pairs of neighbours; each text of a row has buckets of its own.

    Args:
        texts: for each row its texts, as many in each; of each the first 4,000 words are read.
    """
    rows: list[int] = []
    buckets: list[int] = []
    values: list[float] = []
    width = max((len(row) for row in texts), default=1)
    for number, row in enumerate(texts):
        for place, text in enumerate(row):
            counts = _counts(text)
            rows += [number] * len(counts)
            buckets += [place * BUCKETS + bucket for bucket in counts]
            values += counts.values()
    return Sparse(
        np.array(rows, np.int64),
        np.array(buckets, np.int64),
        1.0 + np.log(np.array(values, float)),
        len(texts),
        width * BUCKETS,
    )


def _counts(text: str) -> dict[int, float]:
    words = [found.group() for _, found in zip(range(_TOKENS_MOST), _TOKEN.finditer(text.lower()), strict=False)]
    counts: dict[int, float] = {}
    for gram in (*words, *map(" ".join, itertools.pairwise(words))):
        bucket = zlib.crc32(gram.encode()) % BUCKETS
        counts[bucket] = counts.get(bucket, 0.0) + 1.0
    return counts


def fit(rows: Sparse, wanted: NDArray[np.float64], *, shrink: float) -> Grams:
    """Fit a ridge by conjugate gradients.

    Args:
        rows: hashed texts.
        wanted: shape (n,).
        shrink: the penalty on squared weights, in units of rows times squared rarity.
    """
    seen = np.bincount(rows.bucket, minlength=rows.width)
    rare = np.where(seen >= 2, 1.0 + np.log((1.0 + rows.count) / (1.0 + seen)), 0.0)
    scaled = Sparse(rows.row, rows.bucket, rows.value * rare[rows.bucket], rows.count, rows.width)
    base = float(wanted.mean())
    mean = scaled.back(np.ones(rows.count)) / max(1, rows.count)
    weights = np.zeros(rows.width)
    # (X'X + shrink) w = X'y of centred columns
    rest = scaled.back(wanted - base)
    way = rest.copy()
    size = float(rest @ rest)
    goal = size * 1e-7
    for _ in range(_STEPS_MOST):
        if size <= goal:
            break
        moved = scaled.times(way)
        moved = scaled.back(moved) - rows.count * float(mean @ way) * mean + shrink * way
        step = size / float(way @ moved)
        weights += step * way
        rest -= step * moved
        size, before = float(rest @ rest), size
        way = rest + (size / before) * way
    folded = weights * rare
    return Grams(base=base - float(mean @ weights), weights=[round(float(one), 7) for one in folded])
