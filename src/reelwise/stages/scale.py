"""Make frames smaller before a model sees them, or just small enough for its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.stages.base import Stage
from reelwise.tokens import cheapest_size, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Scale"]


class Scale(Stage, frozen=True, kw_only=True):
    """Scale down, never up.

    Attributes:
        long_side: pixels of the longer side at most; null leaves the size.
        snap_model: a model whose token grid the size is fitted to, losing at most 1 - `snap_min` of a side; null: none.
        snap_detail: the detail level that the model will be called with.
        snap_min: the smallest factor on a side that fitting may use.
    """

    long_side: Annotated[int, Meta(ge=16, le=16384)] | None = None
    snap_model: str | None = None
    snap_detail: str = ""
    snap_min: Annotated[float, Meta(ge=0.5, le=1)] = 0.9

    slot: ClassVar[int] = 5

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - arithmetic, needs no facts
        """Compute the new size."""
        width, height = item.width_px, item.height_px
        if self.long_side is not None:
            width, height = fitted(width, height, self.long_side)
        if self.snap_model is not None:
            rule = rule_for(self.snap_model, out.day)
            width, height = cheapest_size(rule, width, height, self.snap_detail, self.snap_min)
        return (replace(item, width_px=width, height_px=height),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Set the size that frames of each piece are scaled to when they are cut out of its file."""
        for piece in pieces:
            (item,) = self.expect(piece.item, facts, out)
            yield piece.with_item(width_px=item.width_px, height_px=item.height_px)


def fitted(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Fit a frame into a square of `long_side`, keeping its aspect ratio, never up."""
    factor = min(1.0, long_side / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))
