"""Send only the part of the frame that matters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.facts import settings_hash
from reelwise.stages.base import Stage
from reelwise.stages.decoding import decoded
from reelwise.units import is_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.units import Num

__all__ = ["Crop"]

Fraction = Annotated[float, Meta(ge=0, le=1)]


def _central(value: Num) -> float:
    """Take one number for geometry: pixel sizes are whole numbers, so draws of a share use their median here."""
    if is_array(value):
        import numpy as np

        return float(np.median(value))
    return float(value)


class Crop(Stage, frozen=True, kw_only=True):
    """Cut the frame to a region.

    Attributes:
        mode: a fixed polygon, where the activity is, or where a detector found something.
        polygon: corners as fractions of width and height, for mode fixed; its bounding box is sent.
        margin: added around activity, as a fraction of the frame.
        multiple: sides are rounded up to a multiple of this many pixels.
    """

    mode: Literal["fixed", "activity", "detector"] = "activity"
    polygon: tuple[tuple[Fraction, Fraction], ...] = ()
    margin: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    multiple: Annotated[int, Meta(ge=1, le=512)] = 2

    slot: ClassVar[int] = 3

    def check(self, where: str) -> None:
        """Refuse a fixed region without an area."""
        if self.mode == "fixed" and (len(self.polygon) < 3 or self._fixed() is None):
            raise DocumentError(
                "a fixed crop needs a polygon with an area",
                where=where,
                hint="give three or more [x, y] corners between 0 and 1",
            )

    def _fixed(self) -> tuple[float, float, float, float] | None:
        xs = [x for x, _ in self.polygon]
        ys = [y for _, y in self.polygon]
        if not xs or max(xs) <= min(xs) or max(ys) <= min(ys):
            return None
        return min(xs), min(ys), max(xs), max(ys)

    def _side(self, pixels: int, share: float) -> int:
        whole = max(1, math.ceil(pixels * share / self.multiple - 1e-9)) * self.multiple
        return max(1, min(pixels, whole))

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Shrink the frame to the region."""
        bit = 0
        if self.mode != "fixed":
            item = decoded(item, facts, out, "crop")
        if self.mode == "fixed":
            left, top, right, bottom = self._fixed() or (0.0, 0.0, 1.0, 1.0)
            wide, high = right - left, bottom - top
        elif facts.has("crop.width_share", item.footage):
            prefix = out.prefix() if facts.needs_prefix("crop.width_share") else None
            width, bit = facts.get("crop.width_share", stage=self, prefix=prefix, source_class=item.footage)
            height, _ = facts.get(
                "crop.height_share", stage=self, prefix=prefix, source_class=item.footage, default=1.0
            )
            wide, high = _central(width), _central(height)
        else:
            area, bit = facts.get("crop.area_share", source_class=item.footage)
            wide = high = math.sqrt(_central(area))
        return (
            replace(
                item,
                width_px=self._side(item.width_px, wide),
                height_px=self._side(item.height_px, high),
                basis=item.basis | bit,
            ),
        )

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Find the region in what decoding has measured."""
        if self.mode != "activity":
            yield from super().process(pieces, facts, out)
            return
        from reelwise import video

        settings, prefix = settings_hash(self), out.prefix()
        for piece in pieces:
            box = video.activity_box(piece.track, piece.stretches, margin=self.margin)
            left, top, right, bottom = (box.left, box.top, box.right, box.bottom) if box else (0.0, 0.0, 1.0, 1.0)
            item = decoded(piece.item, facts, out, "crop")
            if out.tally:
                out.tally.add("crop.width_share", settings, prefix, (right - left) * item.seconds, item.seconds)
                out.tally.add("crop.height_share", settings, prefix, (bottom - top) * item.seconds, item.seconds)
            yield replace(piece, box=(left, top, right, bottom), item=item).with_item(
                width_px=self._side(item.width_px, right - left), height_px=self._side(item.height_px, bottom - top)
            )
