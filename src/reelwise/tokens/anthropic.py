"""Anthropic: patches of 28 px after a resize to two caps; before 2026 the documentation said width x height / 750."""

from __future__ import annotations

import math

from reelwise.tokens.rule import Rule

__all__ = ["RULES", "AnthropicArea", "AnthropicPatch"]

_DOCS = "platform.claude.com build-with-claude/vision (mirrored copy of the Opus 4.8 era)"
_CHECKED = "2026-11-22"
_PATCH_PX = 28


class AnthropicPatch(Rule, frozen=True, kw_only=True):
    """Patches of 28 px.

    Attributes:
        edge_px_max: longest side after padding to whole patches.
        tokens_max: most tokens of a picture.
    """

    edge_px_max: int
    tokens_max: int

    def resized(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Find the largest size with this aspect ratio under both caps, in px before padding; never scaled up."""
        long, short = max(width_px, height_px), min(width_px, height_px)

        def fits(edge: int) -> bool:
            other = max(round(short * edge / long), 1)
            tokens = -(-edge // _PATCH_PX) * -(-other // _PATCH_PX)
            return -(-edge // _PATCH_PX) * _PATCH_PX <= self.edge_px_max and tokens <= self.tokens_max

        good, bad = 1, long + 1
        while bad - good > 1:  # at most 13 turns: a side has 8,000 px at most
            middle = (good + bad) // 2
            good, bad = (middle, bad) if fits(middle) else (good, middle)
        other = max(round(short * good / long), 1)
        return (good, other) if width_px >= height_px else (other, good)

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count ceil(w / 28) x ceil(h / 28) of the resized picture."""
        self.level(detail)
        self.check_size(width_px, height_px)
        width, height = self.resized(width_px, height_px)
        return -(-width // _PATCH_PX) * -(-height // _PATCH_PX)


class AnthropicArea(Rule, frozen=True, kw_only=True):
    """The older approximation: pixels / 750 after fitting the long edge to `edge_px_max`."""

    edge_px_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count ceil(w x h / 750)."""
        self.level(detail)
        self.check_size(width_px, height_px)
        scale = min(1.0, self.edge_px_max / max(width_px, height_px))
        return max(math.ceil(width_px * scale * height_px * scale / 750 - 1e-9), 1)


def _patch(name: str, family: str, edge_px_max: int, tokens_max: int, images_max: int, *notes: str) -> AnthropicPatch:
    return AnthropicPatch(
        name=name,
        family=family,
        source=_DOCS,
        checked=_CHECKED,
        formula=f"ceil(w/28) x ceil(h/28) after a resize to {edge_px_max} px and {tokens_max} tokens",
        images_max=images_max,
        side_px_max=8000,
        edge_px_max=edge_px_max,
        tokens_max=tokens_max,
        notes=("With more than 20 pictures in a request, sides over 2,000 px are refused.", *notes),
    )


RULES: tuple[Rule, ...] = (
    _patch(
        "anthropic_high",
        "Claude Opus 4.7 and later, the families 5 and 5.5",
        2576,
        4784,
        600,
        "A third party measured less than the documented 4,784 above 2,000 px on the 5.5 family (2,992 to 3,928); ask count_tokens there.",
    ),
    _patch("anthropic_standard", "Claude Opus 4.6, Sonnet 4.6", 1568, 1568, 600),
    _patch("anthropic_standard_200k", "Claude 3 to 4.5 (context of 200,000 tokens)", 1568, 1568, 100),
    AnthropicArea(
        name="anthropic_legacy",
        family="Claude before 2026",
        source="Anthropic vision documentation before 2026: width x height / 750, long edge 1568 px",
        checked=_CHECKED,
        formula="ceil(w x h / 750) after fitting the long edge to 1568 px",
        images_max=100,
        side_px_max=8000,
        edge_px_max=1568,
        notes=("An approximation of the time; the 28 px patches replaced it.",),
    ),
)
