"""What a dearer model would gain on a text: learned from outcomes, kept as plain numbers.

Two learners see the same rows. A ridge on hashed words scores the texts; boosted trees see those scores, made on rows
the ridge had not seen, beside the numbers of `text`. The answer is the expected gain of the dear model, in right answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.route import grams
from reelwise.route.trees import Growth, Trees, grow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["FOR_CASCADE", "FOR_ROUTER", "Learned", "Recipe", "Table", "cross_scores", "folds", "learn"]

LEAST = 60
"""Rows below which nothing is learned."""
MOST = 200_000


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a score is put together.

    Attributes:
        doubt: weight of the chance that the cheap answer is wrong. An answer shows when it is wrong more surely than what
            the dear model would make of it; a question alone does not.
        words: weight of the words' own score beside the trees.
        shrink: penalty of the words' ridge.
        growth: of the trees.
        parts: the words' scores are made on so many parts of the rows.
    """

    doubt: float
    words: float
    shrink: float
    growth: Growth = Growth()
    parts: int = 5


FOR_ROUTER = Recipe(doubt=0.0, words=0.5, shrink=10_000.0)
FOR_CASCADE = Recipe(doubt=1.0, words=0.0, shrink=30_000.0, growth=Growth(trees=150, rate=0.03))


class Table(Struct, frozen=True):
    """What is learned from, a row a question.

    Attributes:
        numbers: features, shape (n, f).
        texts: hashed words of the row's texts.
        cheap, dear: how good the answer of either model was, 0..1; shape (n,).
    """

    numbers: Floats
    texts: grams.Sparse
    cheap: Floats
    dear: Floats

    def of(self, rows: Rows) -> Table:
        """Return some rows."""
        return Table(self.numbers[rows], self.texts.of(rows), self.cheap[rows], self.dear[rows])

    def __len__(self) -> int:
        return len(self.cheap)


class Learned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learned score.

    Attributes:
        recipe: how it is put together.
        words_gain, words_doubt: the ridges.
        trees_gain, trees_doubt: the trees; the second is None where the recipe gives doubt no weight.
    """

    recipe: Recipe
    words_gain: grams.Grams
    words_doubt: grams.Grams
    trees_gain: Trees
    trees_doubt: Trees | None

    def check(self, *, width: int, texts: int) -> None:
        """Refuse parts that do not fit `width` features and `texts` texts a row.

        Raises:
            InputError: they do not.
        """
        self.words_gain.check(texts)
        self.words_doubt.check(texts)
        for trees in (self.trees_gain, self.trees_doubt):
            if trees is not None:
                trees.check(width + 2)

    def score(self, numbers: Floats, texts: grams.Sparse) -> Floats:
        """Return for each row how much the dear model is worth; higher is more. Shape (n,)."""
        gain, doubt = self.words_gain.predict(texts), self.words_doubt.predict(texts)
        rows = np.column_stack([numbers, gain, doubt])
        result = self.trees_gain.predict(rows) + self.recipe.words * gain
        if self.trees_doubt is not None:
            result += self.recipe.doubt * self.trees_doubt.predict(rows)
        return result


def learn(table: Table, recipe: Recipe, *, seed: int = 0) -> Learned:
    """Learn from outcomes; the same rows and seed give the same numbers.

    Raises:
        InputError: fewer than 60 rows, more than 200,000, or outcomes in which nothing can be told apart.
    """
    _check(table)
    wanted = {"gain": table.dear - table.cheap, "doubt": 1.0 - table.cheap}
    words = {name: grams.fit(table.texts, values, shrink=recipe.shrink) for name, values in wanted.items()}
    unseen = {name: np.zeros(len(table)) for name in wanted}
    for rest, held in folds(len(table), recipe.parts, seed):
        some, others = table.texts.of(rest), table.texts.of(held)
        for name, values in wanted.items():
            unseen[name][held] = grams.fit(some, values[rest], shrink=recipe.shrink).predict(others)
    rows = np.column_stack([table.numbers, unseen["gain"], unseen["doubt"]])
    return Learned(
        recipe=recipe,
        words_gain=words["gain"],
        words_doubt=words["doubt"],
        trees_gain=grow(rows, wanted["gain"], recipe.growth, seed=seed),
        trees_doubt=grow(rows, wanted["doubt"], recipe.growth, seed=seed + 1) if recipe.doubt else None,
    )


def cross_scores(table: Table, recipe: Recipe, *, parts: int = 5, seed: int = 0) -> Floats:
    """Score every row by what was learned from the other rows, shape (n,).

    Raises:
        InputError: see `learn`.
    """
    _check(table)
    scores = np.zeros(len(table))
    for rest, held in folds(len(table), parts, seed + 1):
        there = table.of(held)
        scores[held] = learn(table.of(rest), recipe, seed=seed).score(there.numbers, there.texts)
    return scores


def folds(count: int, parts: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Deal rows into parts; yield for each part the other rows and its own, both in order."""
    order = np.random.default_rng(seed).permutation(count)
    for number in range(parts):
        held = np.zeros(count, bool)
        held[order[number::parts]] = True
        yield np.flatnonzero(~held), np.flatnonzero(held)


def _check(table: Table) -> None:
    count = len(table)
    if not LEAST * 4 // 5 <= count <= MOST:
        raise InputError(f"{count:,} outcomes", where="outcomes", hint=f"give {LEAST} to {MOST:,} rows")
    if not np.ptp(table.cheap) or not np.any(table.dear - table.cheap):
        raise InputError(
            "the two models are right and wrong on the same rows: there is nothing to choose",
            where="outcomes",
            hint="use the cheaper one; or give rows on which they differ",
        )


def stacked(rows: Sequence[Sequence[float]]) -> Floats:
    """Return rows of features as an array; what is not finite is an error.

    Raises:
        InputError: says which row.
    """
    result = np.array(rows, float).reshape(len(rows), -1)
    bad = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if len(bad):
        raise InputError("a feature is not a finite number", where=f"row {bad[0] + 1}", hint="leave the row out")
    return result
