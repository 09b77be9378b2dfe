"""Ask a dearer model only where the cheap one is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.stages.base import Stage, class_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Escalate"]


class Escalate(Stage, frozen=True, kw_only=True):
    """Pass the share `escalate.doubt_share` of answered items on to lane `to`.

    Attributes:
        to: the lane of doubtful items; a call in that lane follows.
        sure: when it runs, how sure an answer must be: below that, or where a model does not say, it is in doubt. `reelwise verify` says
            what the answers are worth then.
        calibrated: a file of a calibrated cascade, which decides in place of `sure`; null for none.
    """

    to: str = "doubt"
    sure: Annotated[float, Meta(ge=0, le=1)] = 0.8
    calibrated: str | None = None

    slot: ClassVar[int] = 12
    counted: ClassVar[bool] = False

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Keep the doubtful share; the others are answered."""
        prefix = out.prefix() if facts.needs_prefix("escalate.doubt_share") else None
        share, bit = facts.get(
            "escalate.doubt_share",
            stage=self,
            prefix=prefix,
            source_class=class_of(item, facts, "escalate.doubt_share"),
        )
        return (replace(item, lane=self.to, count=item.count * share, basis=item.basis | bit),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Pass on the pieces whose answers are in doubt where models are called; else a share of each."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            yield from out.runner.escalate(self, pieces, out)
