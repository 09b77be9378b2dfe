"""Send easy work to a cheaper model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.requests import Request
from reelwise.stages.base import Stage, class_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

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
        router: model that decides, billed for the text of the call, or null where deciding costs nothing.
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
            text = item.tokens_prompt
            out.requests.append(
                Request(
                    model=self.router,
                    count=item.count * item.questions,
                    tokens_text=text,
                    tokens_output=1.0,
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
        if self.rule not in RULES:
            return f"no rule `{self.rule}`; known: {', '.join(RULES)}"
        return "a model that routes is not called yet" if self.router is not None else ""
