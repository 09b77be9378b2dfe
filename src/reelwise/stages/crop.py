"""Send only the part of the frame that matters."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.facts import settings_hash
from reelwise.stages.base import Stage
from reelwise.stages.decoding import decoded
from reelwise.stages.detector import detected, is_name
from reelwise.tokens import rule_for
from reelwise.units import is_array
from reelwise.video.snapping import cheapest_sides, placed, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.tokens import TokenRule
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
        margin: added around activity and around what a detector found, as a fraction of the frame.
        multiple: sides are rounded up to a multiple of this many pixels.
        detector: for mode detector: person finds people (extra `live`, `reelwise models install person-segmentation`); or a
            function of yours, "module:function": it is imported and called with RGB pictures of
            each clip (never when a plan is only priced), and returns boxes (left, top, right, bottom) in pixels. Take plans
            that name one only from people whose code you would run. null: shares are given as facts.
        snap_model: a model whose tokens decide the size: the one that holds the region and costs the fewest, never more than
            the whole frame. null: the region as it is.
        snap_detail: the detail level that the model will be called with.
    """

    mode: Literal["fixed", "activity", "detector"] = "activity"
    polygon: tuple[tuple[Fraction, Fraction], ...] = ()
    margin: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    multiple: Annotated[int, Meta(ge=1, le=512)] = 2
    detector: str | None = None
    snap_model: str | None = None
    snap_detail: str = ""

    slot: ClassVar[int] = 3

    def check(self, where: str) -> None:
        """Refuse a fixed region without an area."""
        if self.mode == "fixed" and (len(self.polygon) < 3 or self._fixed() is None):
            raise DocumentError(
                "a fixed crop needs a polygon with an area",
                where=where,
                hint="give three or more [x, y] corners between 0 and 1",
            )
        if self.detector is not None and (self.mode != "detector" or not is_name(self.detector)):
            raise DocumentError(
                "a detector is named in mode detector",
                where=where,
                hint='set mode: detector, detector: person (or "module:function")',
            )

    def _fixed(self) -> tuple[float, float, float, float] | None:
        xs = [x for x, _ in self.polygon]
        ys = [y for _, y in self.polygon]
        if not xs or max(xs) <= min(xs) or max(ys) <= min(ys):
            return None
        return min(xs), min(ys), max(xs), max(ys)

    def _shares(self, width: int, height: int) -> tuple[float, float]:
        """Return the shares of a frame that a fixed region takes, in the whole pixels that hold it."""
        left, top, right, bottom = self._fixed() or (0.0, 0.0, 1.0, 1.0)
        (x0, x1), (y0, y1) = reach(left, right, width), reach(top, bottom, height)
        return (x1 - x0) / width, (y1 - y0) / height

    def _side(self, pixels: int, share: float) -> int:
        whole = max(1, math.ceil(pixels * share / self.multiple - 1e-9)) * self.multiple
        return max(1, min(pixels, whole))

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Shrink the frame to the region."""
        bit = 0
        if self.mode != "fixed":
            item = decoded(item, facts, out, "crop")
        if self.mode == "fixed":
            wide, high = self._shares(item.width_px, item.height_px)
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
        width_px, height_px = self._size(item, wide, high, out)
        return (replace(item, width_px=width_px, height_px=height_px, basis=item.basis | bit),)

    def _size(self, item: Item, wide: float, high: float, out: Out) -> tuple[int, int]:
        """Return the pixels that are sent of a region with these shares of the frame."""
        least = self._side(item.width_px, wide), self._side(item.height_px, high)
        if self.snap_model is None:
            return least
        rule = rule_for(self.snap_model, out.day)
        return _snapped(rule, least, (item.width_px, item.height_px), self.snap_detail, self.multiple)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Find the region in what decoding has measured, or let a detector find it."""
        if self.mode == "detector" and self.detector is None:
            yield from super().process(pieces, facts, out)
            return
        settings, prefix = settings_hash(self), out.prefix()
        for piece in pieces:
            item = piece.item if self.mode == "fixed" else decoded(piece.item, facts, out, "crop")
            whole = item.width_px, item.height_px
            left, top, right, bottom = self._region(piece, *whole)
            wide, high = (right - left) / whole[0], (bottom - top) / whole[1]
            if out.tally and self.mode != "fixed":
                out.tally.add("crop.width_share", settings, prefix, wide * item.seconds, item.seconds)
                out.tally.add("crop.height_share", settings, prefix, high * item.seconds, item.seconds)
            width, height = self._size(item, wide, high, out)
            x, y = placed(left, right, width, whole[0]), placed(top, bottom, height, whole[1])
            box = x / whole[0], y / whole[1], (x + width) / whole[0], (y + height) / whole[1]
            yield replace(piece, box=box, item=item).with_item(width_px=width, height_px=height)

    def _region(self, piece: Piece, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the whole pixels that hold the region with its margin; the whole frame where nothing was found."""
        box: tuple[float, float, float, float] | None
        if self.mode == "fixed":
            box = self._fixed()
        elif self.mode == "activity":
            from reelwise import video

            found = video.activity_box(piece.track, piece.stretches, margin=self.margin)
            box = (found.left, found.top, found.right, found.bottom) if found else None
        else:
            info, by = piece.track.info, self.margin
            seen = detected(self.detector or "", info.path, info.sha256_head)
            box = (seen[0] - by, seen[1] - by, seen[2] + by, seen[3] + by) if seen else None
        near_x, near_y, far_x, far_y = box or (0.0, 0.0, 1.0, 1.0)
        (left, right), (top, bottom) = reach(near_x, far_x, width), reach(near_y, far_y, height)
        return left, top, right, bottom


@lru_cache(maxsize=4096)
def _snapped(
    rule: TokenRule, least: tuple[int, int], whole: tuple[int, int], detail: str, multiple: int
) -> tuple[int, int]:
    """Return the size that costs the fewest tokens, never more than the whole frame; on a tie the smallest."""

    def tokens(width: int, height: int) -> int:
        return rule.image(width, height, detail)

    return cheapest_sides(least, whole, tokens, multiple)
