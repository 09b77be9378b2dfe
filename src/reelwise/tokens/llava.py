"""LLaVA-OneVision: a base view of 729 tokens plus unpadded tiles; video pooled to 196 tokens a frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.tokens.rule import Rule
from reelwise.units import where

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "LlavaOneVision"]


class LlavaOneVision(Rule, frozen=True, kw_only=True):
    """Any-resolution tiles.

    Attributes:
        tile_px: side of a tile.
        tile_side: tokens on a side of a tile.
        grid_max: tiles on a side of the largest canvas.
        tiles_max: tiles above which features are pooled down.
    """

    tile_px: int
    tile_side: int
    grid_max: int
    tiles_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count base, unpadded features and one newline a row, for a request with one picture."""
        self.level(detail)
        self.check_size(width_px, height_px)
        columns, rows = self._canvas(width_px, height_px)
        wide, high = columns * self.tile_side, rows * self.tile_side
        # the library's own steps: the padding that is cut off is a whole number of features on each side
        if width_px / height_px > wide / high:
            high -= (high - int(round(height_px * (wide / width_px), 7))) // 2 * 2
        else:
            wide -= (wide - int(round(width_px * (high / height_px), 7))) // 2 * 2
        ratio = math.sqrt(wide * high / (self.tiles_max * self.tile_side**2))
        if ratio > 1.1:
            wide, high = int(wide // ratio), int(high // ratio)
        return self.tile_side**2 + wide * high + high

    def _canvas(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Find the tiles (columns, rows) that keep most of the picture and waste least."""
        best = (0, 0)
        chosen = (1, 1)
        for rows in range(1, self.grid_max + 1):
            for columns in range(1, self.grid_max + 1):
                wide, high = columns * self.tile_px, rows * self.tile_px
                scale = min(wide / width_px, high / height_px)
                kept = min(int(width_px * scale) * int(height_px * scale), width_px * height_px)
                if (kept, kept - wide * high) > best or best == (0, 0):
                    best, chosen = (kept, kept - wide * high), (columns, rows)
        return chosen

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count the pooled tokens of every frame and one newline."""
        self.level(detail)
        self.check_size(width_px, height_px)
        side = -(-self.tile_side // 2)
        return where(frames > 0, frames * float(side * side) + 1.0, frames * 0.0)


RULES: tuple[Rule, ...] = (
    LlavaOneVision(
        name="llava_onevision",
        family="LLaVA-OneVision",
        source="transformers 5.23.0 models/llava_onevision",
        checked="2026-11-22",
        formula="picture: 729 + unpadded 384 px tiles x 729 pooled to 9 tiles + one a row; video: 196 a frame + 1",
        fps_default=1.0,
        tile_px=384,
        tile_side=27,
        grid_max=6,
        tiles_max=9,
        notes=(
            "Several pictures in a request cost 730 each: only a single one is cut into tiles.",
            "The library sets no frame rate of its own: 1 a second is our assumption.",
        ),
    ),
)
