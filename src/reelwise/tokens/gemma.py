"""Gemma 3: a flat count for a picture."""

from __future__ import annotations

from reelwise.tokens.rule import Rule

__all__ = ["RULES", "Gemma"]


class Gemma(Rule, frozen=True, kw_only=True):
    """`image_tokens` for every picture, whatever its size (pan and scan is off by default)."""

    image_tokens: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the flat number; begin and end markers are left out."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return self.image_tokens


RULES: tuple[Rule, ...] = (
    Gemma(
        name="gemma_3",
        family="Gemma 3",
        source="transformers 5.23.0 models/gemma3",
        checked="2026-11-22",
        formula="256 a picture",
        image_tokens=256,
    ),
)
