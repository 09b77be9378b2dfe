"""What a dearer model would gain on a text: learned from outcomes, kept as plain numbers.

Two learners see the same rows. A ridge on hashed words scores the texts, and another one their vectors where there is an embedding; boosted
trees see those scores, made on rows the ridges had not seen, beside the numbers of `text`. The answer is the expected gain of the dear
model, in right answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.route import grams, linear
from reelwise.route.trees import Growth, Trees, grow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["FOR_CASCADE", "FOR_ROUTER", "Learned", "Recipe", "Table", "cross_scores", "folds", "learn", "stacked"]

LEAST = 75
"""Rows below which nothing is learned and proved."""
_LEAST_OF_PART = 48
"""Rows below which nothing is learned of some parts of them."""
MOST = 200_000


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a score is put together.

    Attributes:
        doubt: weight of the chance that the cheap answer is wrong. An answer shows when it is wrong more surely than what
            the dear model would make of it; a question alone does not.
        words: weight of the words' own score beside the trees.
        shrink: penalty of the words' ridge.
        vectors: weight of the vectors' own score, where the texts have vectors.
        shrink_vectors: penalty of the vectors' ridge.
        growth: of the trees.
        parts: the words' scores are made on so many parts of the rows.
    """

    doubt: float
    words: float
    shrink: float
    vectors: float = 0.25
    shrink_vectors: float = 10.0
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
        vectors: of the questions, shape (n, d); None without an embedding.
    """

    numbers: Floats
    texts: grams.Sparse
    cheap: Floats
    dear: Floats
    vectors: Floats | None = None

    def of(self, rows: Rows) -> Table:
        """Return some rows."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Table(self.numbers[rows], self.texts.of(rows), self.cheap[rows], self.dear[rows], vectors)

    def __len__(self) -> int:
        return len(self.cheap)


class Learned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learned score.

    Attributes:
        recipe: how it is put together.
        words_gain, words_doubt: the ridges.
        trees_gain, trees_doubt: the trees; the second is None where the recipe gives doubt no weight.
        vectors_gain, vectors_doubt: the ridges on vectors; None without an embedding.
    """

    recipe: Recipe
    words_gain: grams.Grams
    words_doubt: grams.Grams
    trees_gain: Trees
    trees_doubt: Trees | None
    vectors_gain: linear.Linear | None = None
    vectors_doubt: linear.Linear | None = None

    def check(self, *, width: int, texts: int, dimension: int = 0) -> None:
        """Refuse parts that do not fit `width` features, `texts` texts a row and vectors of `dimension` numbers (0: none).

        Raises:
            InputError: they do not.
        """
        self.words_gain.check(texts)
        self.words_doubt.check(texts)
        ridges = [one for one in (self.vectors_gain, self.vectors_doubt) if one is not None]
        if len(ridges) != (2 if dimension else 0):
            raise InputError("its weights of vectors do not fit its embedding", hint="train it again")
        for one in ridges:
            one.check(dimension)
        for trees in (self.trees_gain, self.trees_doubt):
            if trees is not None:
                trees.check(width + 2 + len(ridges))

    def score(self, numbers: Floats, texts: grams.Sparse, vectors: Floats | None = None) -> Floats:
        """Return for each row how much the dear model is worth; higher is more. Shape (n,).

        Raises:
            InputError: vectors without an embedding, or none where there is one.
        """
        gain, doubt = self.words_gain.predict(texts), self.words_doubt.predict(texts)
        columns, own = [gain, doubt], self.recipe.words * gain
        if (vectors is None) != (self.vectors_gain is None):
            raise InputError("vectors and embedding do not go together", where="score", hint="give vectors as trained")
        if vectors is not None and self.vectors_gain is not None and self.vectors_doubt is not None:
            columns += [self.vectors_gain.predict(vectors), self.vectors_doubt.predict(vectors)]
            own = own + self.recipe.vectors * columns[2]
        rows = np.column_stack([numbers, *columns])
        result = self.trees_gain.predict(rows) + own
        if self.trees_doubt is not None:
            result += self.recipe.doubt * self.trees_doubt.predict(rows)
        return result


def learn(table: Table, recipe: Recipe, *, seed: int = 0) -> Learned:
    """Learn from outcomes; the same rows and seed give the same numbers.

    Raises:
        InputError: fewer than 48 rows, more than 200,000, or outcomes in which nothing can be told apart.
    """
    _check(table, _LEAST_OF_PART)
    wanted = {"gain": table.dear - table.cheap, "doubt": 1.0 - table.cheap}
    words = {name: grams.fit(table.texts, values, shrink=recipe.shrink) for name, values in wanted.items()}
    ridges: dict[str, linear.Linear] = {}
    if table.vectors is not None:
        shrink = recipe.shrink_vectors
        ridges = {name: linear.fit(table.vectors, values, shrink=shrink) for name, values in wanted.items()}
    rows = np.column_stack([table.numbers, *_unseen(table, recipe, wanted, seed)])
    return Learned(
        recipe=recipe,
        words_gain=words["gain"],
        words_doubt=words["doubt"],
        trees_gain=grow(rows, wanted["gain"], recipe.growth, seed=seed),
        trees_doubt=grow(rows, wanted["doubt"], recipe.growth, seed=seed + 1) if recipe.doubt else None,
        vectors_gain=ridges.get("gain"),
        vectors_doubt=ridges.get("doubt"),
    )


def _unseen(table: Table, recipe: Recipe, wanted: dict[str, Floats], seed: int) -> list[Floats]:
    """Score every row by ridges that had not seen it: words for gain and doubt, then vectors where there are some."""
    names = [("words", name) for name in wanted]
    names += [("vectors", name) for name in wanted if table.vectors is not None]
    found = [np.zeros(len(table)) for _ in names]
    for rest, held in folds(len(table), recipe.parts, seed):
        some, others = table.of(rest), table.of(held)
        for (what, name), column in zip(names, found, strict=True):
            values = wanted[name][rest]
            if what == "words":
                column[held] = grams.fit(some.texts, values, shrink=recipe.shrink).predict(others.texts)
            elif some.vectors is not None and others.vectors is not None:
                column[held] = linear.fit(some.vectors, values, shrink=recipe.shrink_vectors).predict(others.vectors)
    return found


def cross_scores(table: Table, recipe: Recipe, *, parts: int = 5, seed: int = 0) -> Floats:
    """Score every row by what was learned from the other rows, shape (n,).

    Raises:
        InputError: see `learn`.
    """
    _check(table)
    scores = np.zeros(len(table))
    for rest, held in folds(len(table), parts, seed + 1):
        there = table.of(held)
        scores[held] = learn(table.of(rest), recipe, seed=seed).score(there.numbers, there.texts, there.vectors)
    return scores


def folds(count: int, parts: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Deal rows into parts; yield for each part the other rows and its own, both in order."""
    order = np.random.default_rng(seed).permutation(count)
    for number in range(parts):
        held = np.zeros(count, bool)
        held[order[number::parts]] = True
        yield np.flatnonzero(~held), np.flatnonzero(held)


def _check(table: Table, least: int = LEAST) -> None:
    count = len(table)
    if not least <= count <= MOST:
        raise InputError(
            f"{count:,} outcomes", where="outcomes",
            hint=f"give {LEAST} to {MOST:,} rows; a few hundred before a floor can be proved",
        )  # fmt: skip
    for name, column in (("cheap", table.cheap), ("dear", table.dear)):
        if not np.ptp(column) and float(column[0]) in {0.0, 1.0} and (name == "cheap" or not column[0]):
            said = "right" if column[0] else "wrong"
            raise InputError(
                f"the {name} model is {said} on every row: there is nothing to choose", where="outcomes",
                hint="check the column; or give rows of both kinds",
            )  # fmt: skip
    if not np.ptp(table.cheap) or not np.any(table.dear - table.cheap):
        raise InputError(
            "the two models are right and wrong on the same rows: there is nothing to choose",
            where="outcomes",
            hint="use the cheaper one; or give rows on which they differ",
        )


def stacked(rows: Sequence[Sequence[float]] | Floats) -> Floats:
    """Return rows of features as an array; what is not finite is an error.

    Raises:
        InputError: says which row.
    """
    result = np.array(rows, float).reshape(len(rows), -1)
    bad = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if len(bad):
        raise InputError("a feature is not a finite number", where=f"row {bad[0] + 1}", hint="leave the row out")
    return result
