"""InternVL: tiles of 448 px, 256 tokens each, and a thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.tokens.grids import closest_aspect_tiles
from reelwise.tokens.rule import Rule

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "InternVL"]


class InternVL(Rule, frozen=True, kw_only=True):
    """Tiles of `tile_px`, `tile_tokens` each, at most `tiles_max`, plus a thumbnail where there is more than one."""

    tile_px: int
    tile_tokens: int
    tiles_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count tiles and thumbnail; the two marker tokens around a picture are left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        tiles = closest_aspect_tiles(width_px, height_px, self.tile_px, self.tiles_max)
        return self.tile_tokens * (tiles + (tiles > 1))

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count one tile a frame; the text "FrameN:" before each is left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return frames * float(self.tile_tokens)


RULES: tuple[Rule, ...] = (
    InternVL(
        name="internvl",
        family="InternVL",
        source="transformers 5.23.0 models/internvl and models/got_ocr2",
        checked="2026-11-22",
        formula="picture: 256 a 448 px tile, closest grid of 1 to 12, and a thumbnail if more than 1; video: 256 a frame",
        fps_default=1.0,
        tile_px=448,
        tile_tokens=256,
        tiles_max=12,
        notes=("The library sets no frame rate of its own: 1 a second is our assumption.",),
    ),
)
