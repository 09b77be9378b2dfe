"""A trained score as a file: plain JSON with a version, whole or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct

from reelwise.documents import read_text, write_whole
from reelwise.errors import DocumentError, InputError
from reelwise.route.embedding import EmbeddingFacts
from reelwise.route.floor import Floor, area, hold_floor, hold_share, share_at
from reelwise.route.learner import Learned, Recipe, Table, cross_scores, learn
from reelwise.route.lift import Lift, lift_of
from reelwise.route.needed import Needed, needed_rows
from reelwise.route.outcomes import Outcomes, numbers_of, table_of, width_of
from reelwise.route.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.route.embedding import Embedding

__all__ = ["VERSION", "Saved", "Trained", "read_saved", "train", "with_vectors", "write_saved"]

VERSION: Final = 1
_LARGEST: Final = 50_000_000


class Trained(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it was trained on.

    Attributes:
        rows: how many.
        sha256: of the file of outcomes.
        columns: of further features, in order.
        apgr: share of the gap between the models that is recovered, on rows not learned from; null where there is no gap.
        share_at_floor: smallest share of dear calls that reaches the floor on those rows, read off the curve: not proved.
        seed: of what is dealt by lot.
        lift: what the embedding adds to APGR on rows not learned from; None without one.
        embedding_nano: what the vectors of the rows cost, nano-USD.
        needed: rows that would prove the floor; None where these do.
    """

    rows: int
    sha256: str
    columns: tuple[str, ...]
    apgr: float | None
    share_at_floor: float
    seed: int
    lift: Lift | None = None
    embedding_nano: int = 0
    needed: Needed | None = None


class Saved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A score, the cut-off that keeps a floor, and where both come from.

    Attributes:
        version: of the file's format.
        kind: router (decides before the call) or cascade (decides on the cheap answer).
        cheap, dear: the models.
        answers: texts of cheap answers that it looks at.
        learned: the score.
        floor: the cut-off.
        trained: where it comes from.
        rules: what is decided before any score, in order.
        embedding: of the questions, which the score needs; None for none.
    """

    version: int
    kind: Literal["router", "cascade"]
    cheap: str
    dear: str
    answers: int
    learned: Learned
    floor: Floor
    trained: Trained
    rules: tuple[Rule, ...] = ()
    embedding: EmbeddingFacts | None = None

    def score(
        self,
        text: str,
        answers: Sequence[str] = (),
        features: Sequence[float] = (),
        vectors: NDArray[np.float64] | None = None,
    ) -> float:
        """Return how much the dear model is worth here.

        Args:
            text: the question.
            answers: texts of cheap answers, for a cascade.
            features: further numbers.
            vectors: of the question, shape (1, d), where there is an embedding.

        Raises:
            InputError: another number of answers or features than it was trained with, or one that is not finite.
        """
        from reelwise.route import grams
        from reelwise.route.learner import stacked

        if len(answers) != self.answers or len(features) != len(self.trained.columns):
            raise InputError(
                f"{len(answers)} answers and {len(features)} features",
                where=self.kind,
                hint=f"it was trained with {self.answers} and {len(self.trained.columns)}",
            )
        numbers = stacked([numbers_of(text, answers, features)])
        return float(self.learned.score(numbers, grams.hashed([(*answers, text)]), vectors)[0])


def train(
    outcomes: Outcomes,
    recipe: Recipe,
    *,
    kind: Literal["router", "cascade"],
    cheap: str,
    dear: str,
    quality: float,
    risk: float = 0.05,
    ahead: int | None = None,
    share: float | None = None,
    rules: tuple[Rule, ...] = (),
    seed: int = 0,
    embedding: Embedding | None = None,
) -> Saved:
    """Learn a score from outcomes, and prove a floor on scores that each row got from the other rows.

    Args:
        outcomes: at least 75 rows.
        recipe: `FOR_ROUTER` or `FOR_CASCADE`.
        kind: what decides: router or cascade.
        cheap: name of the cheap model.
        dear: name of the dear one.
        quality: the floor, see `floor.hold_floor`.
        risk: chance of missing it.
        ahead: on the next so many rows.
        share: of calls that may go to the dear model: then the cut-off keeps to it, and the floor is what is proved there, see
            `floor.hold_share`; None looks for the fewest that keep the floor.
        rules: kept in the file.
        seed: the same outcomes and seed give the same file.
        embedding: of the questions; what it adds is measured, too.

    Raises:
        InputError: too few rows, nothing to choose, or a share outside 0..1.
    """
    table, embedding_nano, lift = table_of(outcomes.rows), 0, None
    scores = cross_scores(table, recipe, seed=seed)
    gap = table.dear.mean() != table.cheap.mean()
    if embedding is not None:
        made = embedding.embed([row.text for row in outcomes.rows])
        table, embedding_nano = with_vectors(table, made.vectors, embedding.facts), made.nano
        plain, scores = scores, cross_scores(table, recipe, seed=seed)
        lift = lift_of(plain, scores, table.cheap, table.dear) if gap else None
    sides = (scores, table.cheap, table.dear)
    floor, needed = _held(sides, quality=quality, risk=risk, ahead=ahead, share=share)
    return Saved(
        version=VERSION,
        kind=kind,
        cheap=cheap,
        dear=dear,
        answers=len(outcomes.columns.answers),
        learned=learn(table, recipe, seed=seed),
        floor=floor,
        trained=Trained(
            rows=len(table),
            sha256=outcomes.sha256,
            columns=outcomes.columns.features,
            apgr=area(*sides) if gap else None,
            share_at_floor=share_at(*sides, floor.quality),
            seed=seed,
            lift=lift,
            embedding_nano=embedding_nano,
            needed=needed,
        ),
        rules=rules,
        embedding=None if embedding is None else embedding.facts,
    )


def _held(
    sides: tuple[NDArray[np.float64], ...], *, quality: float, risk: float, ahead: int | None, share: float | None
) -> tuple[Floor, Needed | None]:
    """Prove a floor, or what a given share keeps; and where no floor can be proved, say from how many rows on one could."""
    if share is not None:
        return hold_share(*sides, share=share, risk=risk, ahead=ahead), None
    floor = hold_floor(*sides, quality=quality, risk=risk, ahead=ahead)
    if floor.cut is not None:
        return floor, None
    return floor, needed_rows(*sides, quality=quality, risk=risk, ahead=ahead)


def with_vectors(table: Table, vectors: NDArray[np.float64], facts: EmbeddingFacts) -> Table:
    """Add the vectors of an embedding to rows.

    Args:
        table: n rows.
        vectors: one a row, in their order; shape (n, dimension of the embedding).
        facts: of the embedding.

    Raises:
        InputError: another number of them than of rows, of another size than the embedding's, or a number that is not finite.
    """
    from reelwise.route.learner import stacked

    if vectors.shape != (len(table), facts.dimension):
        raise InputError(
            f"vectors of the shape {vectors.shape}", where=facts.name,
            hint=f"{len(table)} of {facts.dimension} numbers were expected",
        )  # fmt: skip
    return msgspec.structs.replace(table, vectors=stacked(vectors))


def write_saved(saved: Saved, path: Path) -> None:
    """Write the file whole, or leave what was there.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(path, msgspec.json.encode(saved) + b"\n")


def read_saved(path: Path, kind: Literal["router", "cascade"]) -> Saved:
    """Read a file that `write_saved` wrote.

    Raises:
        DocumentError: missing, not such a file, damaged, of the other kind, or of another version.
    """
    text = read_text(path, largest=_LARGEST)
    again = f"train it again: reelwise {'router train' if kind == 'router' else 'cascade calibrate'}"
    try:
        plain: Any = msgspec.json.decode(text)
        version = plain.get("version") if isinstance(plain, dict) else None
        if isinstance(version, int) and version != VERSION:
            raise DocumentError(
                f"is of version {version}; this release reads version {VERSION}", where=str(path), hint=again
            )
        saved = msgspec.convert(plain, Saved)
        saved.learned.check(
            width=width_of(saved.answers, len(saved.trained.columns)), texts=saved.answers + 1,
            dimension=saved.embedding.dimension if saved.embedding else 0,
        )  # fmt: skip
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DocumentError(f"is no {kind} file: {error}", where=str(path), hint=again) from None
    except InputError as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(error.message, where=str(path), hint=again) from None
    if saved.kind != kind:
        raise DocumentError(f"is a {saved.kind}, a {kind} was expected", where=str(path), hint=again)
    return saved
