"""Lever 6: the model for one request, by rule, by the price of this request, and by how hard it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.route.embedding import check_same, open_embedding
from reelwise.route.learner import FOR_ROUTER
from reelwise.route.saved import Saved, read_saved, train, write_saved
from reelwise.units import NANO

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from reelwise.charge import Ask
    from reelwise.rates import Book
    from reelwise.route.embedding import Embedding
    from reelwise.route.outcomes import Outcomes
    from reelwise.route.rules import Rule

__all__ = ["Choice", "Router"]


class Choice(Struct, frozen=True, kw_only=True):
    """The model that was chosen, and why.

    Attributes:
        model: its name.
        by: what decided: a rule, the price, the score, or a floor that only the dear model keeps.
        reason: in words.
        score: how much the dear model is worth here, in right answers a request; None where it was not asked.
        nano: what the request costs at most with each model, in nano-USD; empty where no prices were given.
        embedding_nano: what the vector of its text cost; 0 where none was made, or it was made here.
    """

    model: str
    by: Literal["rule", "price", "score", "floor"]
    reason: str
    score: float | None = None
    nano: dict[str, int] = {}
    embedding_nano: int = 0


class Router:
    """Chooses between a cheap and a dear model. It is only read, so threads may share it.

    Args:
        saved: a trained score, see `Router.train` and `Router.load`.
        rules: what is decided before the score; None takes the file's own.
        embedding: the one that it was trained with, if it was.

    Raises:
        InputError: another embedding, or none where one is needed.
    """

    def __init__(
        self, saved: Saved, rules: Sequence[Rule] | None = None, *, embedding: Embedding | None = None
    ) -> None:
        check_same(saved.embedding, None if embedding is None else embedding.facts, "router")
        self.saved, self.embedding = saved, embedding
        self.rules = saved.rules if rules is None else tuple(rules)
        for rule in self.rules:
            rule.check()

    @classmethod
    def load(cls, path: Path, rules: Sequence[Rule] | None = None, *, embedding: Embedding | None = None) -> Self:
        """Open a file that was trained, and the embedding that it was trained with.

        Args:
            path: the file.
            rules: in place of its own.
            embedding: the one that it was trained with; None opens the one that it names. One that costs money is only taken as given.

        Raises:
            DocumentError: missing, damaged, of another kind or version.
            InputError: its embedding is not here, costs money and was not given, or is another one than it was trained with.
        """
        saved = read_saved(path, "router")
        if embedding is None and saved.embedding is not None:
            embedding = open_embedding(saved.embedding.name, near=path.parent)
        return cls(saved, rules, embedding=embedding)

    @classmethod
    def train(
        cls,
        outcomes: Outcomes,
        *,
        cheap: str,
        dear: str,
        quality: float = 0.95,
        risk: float = 0.05,
        ahead: int | None = None,
        rules: Sequence[Rule] = (),
        seed: int = 0,
        embedding: Embedding | None = None,
    ) -> Self:
        """Learn from outcomes; see `saved.train`."""
        return cls(
            train(
                outcomes,
                FOR_ROUTER,
                kind="router",
                cheap=cheap,
                dear=dear,
                quality=quality,
                risk=risk,
                ahead=ahead,
                rules=tuple(rules),
                seed=seed,
                embedding=embedding,
            ),
            embedding=embedding,
        )

    def save(self, path: Path) -> None:
        """Write the file whole, or leave what was there.

        Raises:
            OutputError: it cannot be written.
        """
        write_saved(self.saved, path)

    def choose(
        self,
        text: str,
        *,
        asks: Mapping[str, Ask] | None = None,
        book: Book | None = None,
        features: Sequence[float] = (),
        tags: Collection[str] = (),
    ) -> Choice:
        """Choose the model for one request.

        Rules come first. Then the price of this very request: where the dear model costs no more (gpt-4o-mini counts a picture
        33 times as high as gpt-4o does) it is taken. Then the score against the proved cut-off.

        Args:
            text: the request's words.
            asks: the request as each model would be sent it, by model; with `book`, what it costs is compared.
            book: prices of the day.
            features: further numbers it was trained with, in their order.
            tags: for rules.

        Raises:
            InputError: the two models are not both in `asks`, or features are missing.
            UnpricedError, UnknownModelError: a price is not known: it is never taken as 0.
        """
        nano = self._prices(asks, book)
        names = {"cheap": self.saved.cheap, "dear": self.saved.dear}
        for rule in self.rules:
            if rule.holds(text, frozenset(tags)):
                return Choice(model=names[rule.to], by="rule", reason=f"rule {rule.name}", nano=nano)
        if nano and nano[names["dear"]] <= nano[names["cheap"]]:
            usd = {name: nano[name] / NANO for name in nano}
            reason = (
                f"{names['dear']} costs no more here: {usd[names['dear']]:.6f} against {usd[names['cheap']]:.6f} USD"
            )
            return Choice(model=names["dear"], by="price", reason=reason, nano=nano)
        floor = self.saved.floor
        if floor.cut is None:
            reason = f"no cut-off was proved to keep {floor.quality:.0%}: everything goes to {names['dear']}"
            return Choice(model=names["dear"], by="floor", reason=reason, nano=nano)
        made = self.embedding.embed([text]) if self.embedding is not None else None
        score = self.saved.score(text, features=features, vectors=None if made is None else made.vectors)
        hard = floor.to_dear(score)
        reason = f"worth {score:+.3f}, {'above' if hard else 'at most'} the cut-off {floor.cut:+.3f}"
        return Choice(
            model=names["dear" if hard else "cheap"], by="score", reason=reason, score=score, nano=nano,
            embedding_nano=0 if made is None else made.nano,
        )  # fmt: skip

    def _prices(self, asks: Mapping[str, Ask] | None, book: Book | None) -> dict[str, int]:
        if asks is None or book is None:
            return {}
        from reelwise.charge import hold

        for name in (self.saved.cheap, self.saved.dear):
            if name not in asks:
                raise InputError(f"no request for {name}", where="asks", hint="give the request as each model gets it")
        return {name: hold(asks[name], book).nano for name in (self.saved.cheap, self.saved.dear)}
