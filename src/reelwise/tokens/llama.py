"""Llama: 3.2 sends pictures to cross-attention (one token in the text), 4 counts chunks of 336 px."""

from __future__ import annotations

from reelwise.tokens.grids import best_fit_tiles
from reelwise.tokens.rule import Rule

__all__ = ["RULES", "Llama", "LlamaCross"]


class LlamaCross(Rule, frozen=True, kw_only=True):
    """Llama 3.2 Vision: tiles of `tile_px`, at most `tiles_max`, seen through cross-attention."""

    tile_px: int
    tiles_max: int

    def tiles(self, width_px: int, height_px: int) -> int:
        """Count the tiles; each is 1,601 vision states, which cost time on a GPU and no text tokens."""
        self.check_size(width_px, height_px)
        return best_fit_tiles(width_px, height_px, self.tile_px, self.tiles_max)

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the one token that stands for a picture in the text."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return 1


class Llama(Rule, frozen=True, kw_only=True):
    """Llama 4: chunks of `chunk_px`, `chunk_tokens` each, at most `chunks_max`, plus a global view of the same price."""

    chunk_px: int
    chunk_tokens: int
    chunks_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count chunks and global view; separators (one a chunk and the markers) are left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        chunks = best_fit_tiles(width_px, height_px, self.chunk_px, self.chunks_max)
        return self.chunk_tokens * (chunks + (chunks > 1))


RULES: tuple[Rule, ...] = (
    LlamaCross(
        name="llama_3_2",
        family="Llama 3.2 Vision",
        source="transformers 5.23.0 models/mllama",
        checked="2026-11-22",
        formula="1 token a picture; 1 to 4 tiles of 560 px (1,601 vision states each) go to cross-attention",
        tile_px=560,
        tiles_max=4,
        notes=("Hosts may bill pictures by a rule of their own; the model's text sees one token.",),
    ),
    Llama(
        name="llama_4",
        family="Llama 4",
        source="transformers 5.23.0 models/llama4",
        checked="2026-11-22",
        formula="144 a 336 px chunk, 1 to 16 chunks, and 144 for the whole if more than 1",
        chunk_px=336,
        chunk_tokens=144,
        chunks_max=16,
    ),
)
