"""Send easy work to a cheaper model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.requests import Request
from reelwise.stages.asking import EASY, short_tokens
from reelwise.stages.base import Stage, class_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.units import Num

__all__ = ["RULES", "Route"]

RULES = ("difficulty", "price")
"""What can decide when it runs."""


class Route(Stage, frozen=True, kw_only=True):
    """Split items: the share `route.easy_share` goes to lane `to`, the rest stays.

    Attributes:
        rule: what decides when it runs. difficulty: how much happens in a clip, the share of its time that is active; price: which lane is
            cheaper for this very item.
        easy_below: for difficulty: the active share below which an item is easy. An item is never sent to a lane that costs more for it.
        to: the lane of easy items.
        trained: a file of a trained router, which decides on the words of the call in place of the rule; null for none.
        router: model that decides in place of the rule, once an item: it reads what is asked and how long, large and busy the clip is, sees
            nothing of it, and answers easy or hard. null where deciding costs nothing.
    """

    rule: str = "difficulty"
    easy_below: Annotated[float, Meta(ge=0, le=1)] = 0.5
    to: str = "easy"
    trained: str | None = None
    router: str | None = None

    slot: ClassVar[int] = 10
    counted: ClassVar[bool] = False

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Split by share; each class of items may have its own."""
        prefix = out.prefix() if facts.needs_prefix("route.easy_share") else None
        share, bit = facts.get(
            "route.easy_share", stage=self, prefix=prefix, source_class=class_of(item, facts, "route.easy_share")
        )
        if self.router is not None:
            factor: Num = 1.0
            if facts.known("call.text_factor", item.footage):
                factor, _ = facts.get("call.text_factor", stage=(self.router,), source_class=item.footage)
            out.requests.append(
                Request(
                    model=self.router,
                    count=item.count,
                    tokens_text=(item.tokens_prompt * item.questions + EASY.tokens) * factor,
                    tokens_output=short_tokens(self.router, EASY, item, facts),
                    lane=item.lane,
                    source_class=item.source_class,
                    stage="route",
                    basis=item.basis,
                )
            )
        basis = item.basis | bit
        return (
            replace(item, lane=self.to, count=item.count * share, basis=basis),
            replace(item, count=item.count * (1 - share), basis=basis),
        )

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Give each piece its lane for real where models are called; else spread it by the share."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            yield from out.runner.route(self, pieces, out)

    def unrun(self) -> str:
        """Say why it cannot be run; empty where it can."""
        return "" if self.rule in RULES else f"no rule `{self.rule}`; known: {', '.join(RULES)}"

    def check(self, where: str) -> None:
        """Refuse two things that decide at once."""
        if self.trained is not None and self.router is not None:
            raise DocumentError("a trained router and a model decide", where=where, hint="leave one of them out")
