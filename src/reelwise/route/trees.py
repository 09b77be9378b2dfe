"""Boosted regression trees on binned features: small, deterministic, plain lists in JSON.

Each tree is complete, of one depth; it is grown level by level from histograms on half of the rows and some of the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Growth", "Trees", "grow"]

_BINS = 32
_AT_ONCE = 512  # rows, for a bounded memory
_NEVER = 3.0e38  # a threshold that no finite feature passes: the node does not split


class Growth(Struct, frozen=True, kw_only=True):
    """How trees are grown.

    Attributes:
        trees: how many.
        depth: splits from root to leaf.
        rate: share of each tree's answer that is added.
        rows: share of rows that each tree sees.
        features: share of features that each tree sees.
        leaf: rows in a leaf at least.
        shrink: rows worth of zero added to each leaf.
    """

    trees: int = 450
    depth: int = 3
    rate: float = 0.01
    rows: float = 0.5
    features: float = 0.3
    leaf: int = 15
    shrink: float = 5.0


class Trees(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grown trees.

    Attributes:
        base: the mean that trees add to.
        depth: splits from root to leaf.
        features: for each tree the feature of each inner node, level by level.
        above: likewise, the threshold: rows above it go right.
        leaves: for each tree its answers, from left to right.
    """

    base: float
    depth: int
    features: list[list[int]]
    above: list[list[float]]
    leaves: list[list[float]]

    def check(self, width: int) -> None:
        """Refuse shapes that do not fit each other, and features that there are not.

        Raises:
            InputError: they do not.
        """
        inner, outer = 2**self.depth - 1, 2**self.depth
        fits = (
            0 < self.depth <= 8
            and len(self.features) == len(self.above) == len(self.leaves)
            and all(len(one) == inner for one in self.features)
            and all(len(one) == inner for one in self.above)
            and all(len(one) == outer for one in self.leaves)
            and all(0 <= number < width for one in self.features for number in one)
        )
        if not fits:
            raise InputError("its trees do not fit each other", hint="train it again")

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the answer for each row of features, shape (n,)."""
        features, above, leaves = np.array(self.features), np.array(self.above), np.array(self.leaves)
        tree = np.arange(len(features))
        result = np.full(len(rows), self.base)
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            number = np.arange(len(some))[:, None]
            node = np.zeros((len(some), len(tree)), np.int64)
            for _ in range(self.depth):
                node = 2 * node + 1 + (some[number, features[tree, node]] > above[tree, node])
            result[start : start + _AT_ONCE] += leaves[tree, node - (2**self.depth - 1)].sum(axis=1)
        return result


def grow(rows: NDArray[np.float64], wanted: NDArray[np.float64], how: Growth, *, seed: int = 0) -> Trees:
    """Grow trees that predict `wanted`.

    Args:
        rows: finite features, shape (n, f).
        wanted: shape (n,).
        how: sizes and shares.
        seed: of the rows and features that each tree sees; the same seed gives the same trees.
    """
    count, width = rows.shape
    edges = [_edges(column) for column in rows.T]
    binned = np.stack([np.searchsorted(edge, column, side="left") for edge, column in zip(edges, rows.T, strict=True)])
    chance = np.random.default_rng(seed)
    some = max(1, min(width, round(width * how.features)))
    base = float(wanted.mean())
    now = np.full(count, base)
    features: list[list[int]] = []
    above: list[list[float]] = []
    leaves: list[list[float]] = []
    for _ in range(how.trees):
        seen = np.flatnonzero(chance.random(count) < how.rows)
        tried = np.sort(chance.choice(width, some, replace=False))
        chosen, splits = _splits(binned[np.ix_(tried, seen)], (wanted - now)[seen], how)
        number = tried[chosen]
        place, rest = np.zeros(count, np.int64), np.arange(count)
        for _ in range(how.depth):
            place = 2 * place + 1 + (binned[number[place], rest] > splits[place])
        place -= 2**how.depth - 1
        size = 2**how.depth
        heads = np.bincount(place[seen], minlength=size)
        total = np.bincount(place[seen], (wanted - now)[seen], minlength=size)
        answers = np.round(how.rate * total / (heads + how.shrink), 6)
        now += answers[place]
        features.append([int(one) for one in number])
        above.append([_edge(edges[one], int(split)) for one, split in zip(number, splits, strict=True)])
        leaves.append([float(one) for one in answers])
    return Trees(base=base, depth=how.depth, features=features, above=above, leaves=leaves)


def _edges(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return at most 31 edges between bins of about as many rows each; a value equal to an edge lies below it."""
    values = np.unique(column)
    if len(values) <= _BINS:
        return (values[:-1] + values[1:]) / 2
    return np.unique(np.quantile(column, np.arange(1, _BINS) / _BINS))


def _edge(edges: NDArray[np.float64], split: int) -> float:
    return float(edges[split]) if split < len(edges) else _NEVER


def _splits(
    binned: NDArray[np.int64], wanted: NDArray[np.float64], how: Growth
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose a feature and a bin for each inner node; bin 31 where none is worth it."""
    width, count = binned.shape
    inner = 2**how.depth - 1
    chosen, splits = np.zeros(inner, np.int64), np.full(inner, _BINS - 1)
    place, numbers = np.zeros(count, np.int64), np.arange(count)
    offset = (np.arange(width) * _BINS)[:, None]
    repeated = np.broadcast_to(wanted, binned.shape).ravel()
    for level in range(how.depth):
        nodes, first = 2**level, 2**level - 1
        cell = ((place - first) * (width * _BINS) + binned + offset).ravel()
        shape = (nodes, width, _BINS)
        heads = np.bincount(cell, minlength=nodes * width * _BINS).reshape(shape).cumsum(axis=2)
        total = np.bincount(cell, repeated, minlength=nodes * width * _BINS).reshape(shape).cumsum(axis=2)
        heads_right, total_right = heads[..., -1:] - heads, total[..., -1:] - total
        worth = total**2 / (heads + how.shrink) + total_right**2 / (heads_right + how.shrink)
        worth -= total[..., -1:] ** 2 / (heads[..., -1:] + how.shrink)
        worth[(heads < how.leaf) | (heads_right < how.leaf)] = -1.0
        flat = worth.reshape(nodes, -1)
        best = flat.argmax(axis=1)
        good = flat[np.arange(nodes), best] > 1e-12
        chosen[first : first + nodes] = np.where(good, best // _BINS, 0)
        splits[first : first + nodes] = np.where(good, best % _BINS, _BINS - 1)
        place = 2 * place + 1 + (binned[chosen[place], numbers] > splits[place])
    return chosen, splits
