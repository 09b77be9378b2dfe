"""OpenAI: squares of 512 px (tile) up to gpt-5.1, patches of 32 px (patch) since and for the small models."""

from __future__ import annotations

import math

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.tokens.rule import SIDE_PX_MAX, Rule, floor

__all__ = ["RULES", "OpenAIPatch", "OpenAITile", "Sizing"]

_GUIDE = "OpenAI images-and-vision guide (mirrored copy of the gpt-5.6 era)"
_MEASURED = "measured by a third party: dataset JOHNISKING/image-token-cost, 10 sizes"
_CHECKED = "2026-11-22"
_PATCH_PX = 32
_PATCHES_MAX = 30_000


class OpenAITile(Rule, frozen=True, kw_only=True):
    """Base tokens plus a price for each 512 px square.

    Attributes:
        base: tokens of any picture.
        tile: tokens of each square.
    """

    base: int
    tile: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Fit 2048 x 2048, then the short side to 768 (never up), count squares. Low detail is the base alone."""
        level = self.level(detail)
        self.check_size(width_px, height_px)
        if level == "low":
            return self.base
        long, short = max(width_px, height_px), min(width_px, height_px)
        # whole numbers throughout, so that no float error moves a side over a tile boundary
        if min(long, 2048) * short > 768 * long:
            long, short = 768 * long // short, 768
        elif long > 2048:
            long, short = 2048, max(2048 * short // long, 1)
        return self.base + self.tile * -(-long // 512) * -(-short // 512)


class Sizing(Struct, frozen=True):
    """What one detail level does to a picture first: longest side in px, and the most patches (None: no such limit)."""

    level: str
    side_px: int = SIDE_PX_MAX
    budget: int | None = None


class OpenAIPatch(Rule, frozen=True, kw_only=True):
    """Patches of 32 px, shrunk to a budget, times a multiplier.

    Attributes:
        multiplier: billed tokens for a patch.
        sizing: a `Sizing` for each level of `details`.
    """

    multiplier: float
    sizing: tuple[Sizing, ...]

    def patches(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the patches after the level's pixel limit and patch budget.

        Raises:
            InputError: more than 30,000 patches, which the endpoint refuses.
        """
        level = self.level(detail)
        self.check_size(width_px, height_px)
        size = next(s for s in self.sizing if s.level == level)
        width, height = _fit(width_px, height_px, size.side_px)
        count = _grid(width, height)
        if size.budget is not None and count > size.budget:
            count = min(_grid(*_shrink(width, height, size.budget)), size.budget)
        if count > _PATCHES_MAX:
            raise InputError(
                f"{width_px}x{height_px} px is {count:,} patches; {self.name} takes {_PATCHES_MAX:,}",
                where="size",
                hint="scale the picture down, or use detail high",
            )
        return count

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count ceil(patches x multiplier); the guide says that billing may differ by one token."""
        return math.ceil(self.patches(width_px, height_px, detail) * self.multiplier - 1e-9)


def _grid(width: int, height: int) -> int:
    return -(-width // _PATCH_PX) * -(-height // _PATCH_PX)


def _fit(width: int, height: int, side_px: int) -> tuple[int, int]:
    longest = max(width, height)
    if longest <= side_px:
        return width, height
    return max(width * side_px // longest, 1), max(height * side_px // longest, 1)


def _shrink(width: int, height: int, budget: int) -> tuple[int, int]:
    """Scale to the budget's area, then a little further so that one side is whole patches. Never up, never under a patch."""
    scale = min(math.sqrt(_PATCH_PX * _PATCH_PX * budget / (width * height)), 1.0)
    columns, rows = width * scale / _PATCH_PX, height * scale / _PATCH_PX
    snapped = min(max(floor(side), 1.0) / side if side >= 1 else 1.0 for side in (columns, rows))
    return max(int(floor(width * scale * snapped)), 1), max(int(floor(height * scale * snapped)), 1)


def _tile(name: str, family: str, base: int, tile: int) -> OpenAITile:
    return OpenAITile(
        name=name,
        family=family,
        source=_GUIDE,
        checked=_CHECKED,
        formula=f"fit 2048 px, short side to 768 px, {base} + {tile} a 512 px square; low: {base}",
        details=("auto", "low", "high"),
        detail_default="auto",
        base=base,
        tile=tile,
        notes=("auto is counted as high.",),
    )


_OPEN = Sizing("auto")
_HIGH_2500 = Sizing("high", 2048, 2500)
_SIZES_56 = (_OPEN, Sizing("low", 512), _HIGH_2500, Sizing("original"))
_SIZES_55 = (Sizing("auto", 6000, 10_000), Sizing("low", 512), _HIGH_2500, Sizing("original", 6000, 10_000))
_SIZES_54 = (Sizing("auto", 2048, 2500), Sizing("low", 2048, 6144), _HIGH_2500, Sizing("original", 6000, 10_000))
_SIZES_6144 = tuple(Sizing(level, 2048, 6144) for level in ("auto", "low", "high"))
_SIZES_1536 = tuple(Sizing(level, SIDE_PX_MAX, 1536) for level in ("auto", "low", "high"))
_SIZES_6 = (_OPEN, Sizing("high", SIDE_PX_MAX, 2500))

_AUTO = "auto means original here: a 12 MP photo costs 14,364 tokens, 3,000 at most at high."
_LOW_54 = "low allows 6,144 patches and high 2,500, so low can cost more than high."
_CHANGED = (
    "The guide said 1.62 (mini) and 2.46 (nano) before; users measured 1.2 and 1.5 in bills since 2025 and published it "
    "on community.openai.com on 2026-03-18, the day this table changes."
)
_LOW_1536 = "low has no effect here (measured by users, community.openai.com)."
_SMALL_54 = "For mini and nano another copy of the guide allows 1,536 patches at high; a third party measured 2,500."


def _patch(name: str, family: str, multiplier: float, sizing: tuple[Sizing, ...], *notes: str) -> OpenAIPatch:
    limits = "; ".join(
        f"{s.level}: {s.side_px if s.side_px < SIDE_PX_MAX else 'any'} px, "
        f"{'no budget' if s.budget is None else f'{s.budget} patches'}"
        for s in sizing
    )
    return OpenAIPatch(
        name=name,
        family=family,
        source=_GUIDE if sizing is not _SIZES_6 else _MEASURED,
        checked=_CHECKED,
        formula=f"ceil({multiplier:g} x 32 px patches) after limits ({limits})",
        details=tuple(s.level for s in sizing),
        detail_default="auto",
        multiplier=multiplier,
        sizing=sizing,
        notes=notes,
    )


RULES: tuple[Rule, ...] = (
    _tile("openai_tile_85_170", "OpenAI tile: gpt-4o, gpt-4.1, gpt-4.5", 85, 170),
    _tile("openai_tile_70_140", "OpenAI tile: gpt-5, gpt-5.1", 70, 140),
    _tile("openai_tile_75_150", "OpenAI tile: o1, o1-pro, o3", 75, 150),
    _tile("openai_tile_2833_5667", "OpenAI tile: gpt-4o-mini", 2833, 5667),
    _tile("openai_tile_65_129", "OpenAI tile: computer-use-preview, gpt-image-1 input", 65, 129),
    _patch("openai_patch_6", "OpenAI patch: gpt-6", 1.2, _SIZES_6, _AUTO, "Only auto and high were measured."),
    _patch("openai_patch_5_6", "OpenAI patch: gpt-5.6", 1.2, _SIZES_56, _AUTO),
    _patch(
        "openai_patch_5_5", "OpenAI patch: gpt-5.5", 1.2, _SIZES_55, "auto means original here: up to 12,000 tokens."
    ),
    _patch("openai_patch_5_4", "OpenAI patch: gpt-5.4, mini and nano", 1.2, _SIZES_54, _LOW_54, _SMALL_54),
    _patch("openai_patch_5_4_mini_old", "OpenAI patch: gpt-5.4-mini, before", 1.62, _SIZES_54, _LOW_54, _CHANGED),
    _patch("openai_patch_5_4_nano_old", "OpenAI patch: gpt-5.4-nano, before", 2.46, _SIZES_54, _LOW_54, _CHANGED),
    _patch("openai_patch_5_2", "OpenAI patch: gpt-5.2", 1.2, _SIZES_6144),
    _patch("openai_patch_4_1_mini", "OpenAI patch: gpt-4.1-mini", 1.62, _SIZES_6144),
    _patch("openai_patch_5_mini", "OpenAI patch: gpt-5-mini", 1.2, _SIZES_1536, _LOW_1536, _CHANGED),
    _patch("openai_patch_5_mini_old", "OpenAI patch: gpt-5-mini, before", 1.62, _SIZES_1536, _LOW_1536, _CHANGED),
    _patch("openai_patch_5_nano", "OpenAI patch: gpt-5-nano", 1.5, _SIZES_1536, _LOW_1536, _CHANGED),
    _patch("openai_patch_5_nano_old", "OpenAI patch: gpt-5-nano, before", 2.46, _SIZES_1536, _LOW_1536, _CHANGED),
    _patch("openai_patch_4_1_nano", "OpenAI patch: gpt-4.1-nano", 2.46, _SIZES_1536, _LOW_1536),
    _patch("openai_patch_o4_mini", "OpenAI patch: o4-mini", 1.72, _SIZES_1536, _LOW_1536),
)
