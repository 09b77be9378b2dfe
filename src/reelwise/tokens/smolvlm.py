"""SmolVLM2: a fixed count for every cell of a grid and for every video frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.tokens.rule import Rule

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "SmolVLM"]

_CELLS = 4


class SmolVLM(Rule, frozen=True, kw_only=True):
    """Pictures are scaled so that the long side is four cells, cut into cells, and sent whole once more.

    Attributes:
        cell_px: side of a cell.
        cell_tokens: tokens of a cell and of a video frame.
    """

    cell_px: int
    cell_tokens: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the cells and the global view; row and column markers are left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        long, short = max(width_px, height_px), min(width_px, height_px)
        scaled = int(_CELLS * self.cell_px / (long / short))
        scaled += scaled % 2
        return self.cell_tokens * (_CELLS * max(-(-scaled // self.cell_px), 1) + 1)

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count one cell a frame; the text with the frame's time is left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return frames * float(self.cell_tokens)


def _rule(name: str, family: str, cell_px: int, cell_tokens: int) -> SmolVLM:
    return SmolVLM(
        name=name,
        family=family,
        source="transformers 5.23.0 models/smolvlm; cell sizes from the checkpoints' configuration, recalled",
        checked="2026-11-22",
        formula=f"picture: {cell_tokens} a {cell_px} px cell (long side 4 cells) and the whole; video: {cell_tokens} a frame",
        fps_default=1.0,
        cell_px=cell_px,
        cell_tokens=cell_tokens,
        notes=("Cell size and tokens depend on the checkpoint: compare with its configuration.",),
    )


RULES: tuple[Rule, ...] = (
    _rule("smolvlm2_64", "SmolVLM2 256M and 500M", 512, 64),
    _rule("smolvlm2_81", "SmolVLM2 2.2B", 384, 81),
)
