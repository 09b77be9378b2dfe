"""Put several frames into one picture, where a model bills pictures flat or by the tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.stages.base import Stage
from reelwise.stages.scale import fitted
from reelwise.units import ceil, minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Pack"]


class Pack(Stage, frozen=True, kw_only=True):
    """Make contact sheets.

    Attributes:
        columns, rows: frames on a sheet.
        long_side: pixels of the longer side of the whole sheet.
        fps: frames a second that are packed where nothing has sampled before.
    """

    columns: Annotated[int, Meta(ge=1, le=8)] = 3
    rows: Annotated[int, Meta(ge=1, le=8)] = 3
    long_side: Annotated[int, Meta(ge=64, le=4096)] = 1152
    fps: Annotated[float, Meta(gt=0, le=240)] = 1.0

    slot: ClassVar[int] = 7

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - arithmetic, needs no facts
        """Turn frames into sheets."""
        cells = self.columns * self.rows
        frames = item.frames if item.sampled else minimum(item.frames, ceil(item.seconds * self.fps))
        width, height = fitted(item.width_px * self.columns, item.height_px * self.rows, self.long_side)
        return (
            replace(
                item,
                frames=ceil(frames / cells),
                sheet=item.sheet * cells,
                sampled=True,
                width_px=width,
                height_px=height,
            ),
        )

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Lay the frames of each piece out on sheets, choosing them at an even pace where nothing has before."""
        for piece in pieces:
            if piece.frames is None:
                from reelwise import video

                chosen = video.sample_uniform(piece.track, piece.stretches, self.fps)
                piece = replace(piece, frames=chosen).with_item(frames=float(len(chosen)), sampled=True)  # noqa: PLW2901 - the same piece, sampled
            (item,) = self.expect(piece.item, facts, out)
            yield replace(piece, item=item, sheet=(self.columns, self.rows))
