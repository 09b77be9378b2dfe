"""Pixtral and Mistral: rows of patches, one break token a row."""

from __future__ import annotations

from reelwise.tokens.rule import Rule

__all__ = ["RULES", "Pixtral"]


class Pixtral(Rule, frozen=True, kw_only=True):
    """Cells of `cell_px` (patch x merge) after fitting the long side to `edge_px_max`."""

    cell_px: int
    edge_px_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count (columns + 1) x rows: every row ends with a break token."""
        self.level(detail)
        self.check_size(width_px, height_px)
        width, height = width_px, height_px
        ratio = max(width, height) / self.edge_px_max
        if ratio > 1:
            width, height = max(round(width / ratio), 1), max(round(height / ratio), 1)
        return ((width - 1) // self.cell_px + 2) * ((height - 1) // self.cell_px + 1)


def _rule(name: str, family: str, cell_px: int, edge_px_max: int, *notes: str) -> Pixtral:
    return Pixtral(
        name=name,
        family=family,
        source="mistral-common 1.13.1 tokens/tokenizers/image.py",
        checked="2026-11-22",
        formula=f"(columns + 1) x rows of {cell_px} px after fitting {edge_px_max} px",
        cell_px=cell_px,
        edge_px_max=edge_px_max,
        notes=notes,
    )


RULES: tuple[Rule, ...] = (
    _rule("pixtral_12b", "Pixtral 12B", 16, 1024),
    _rule(
        "mistral_1540",
        "Mistral Small 3.1 and 3.2, Medium 3",
        28,
        1540,
        "Patch 14, merge 2 and 1,540 px are recalled, not read: compare with the checkpoint's tokenizer configuration.",
    ),
)
