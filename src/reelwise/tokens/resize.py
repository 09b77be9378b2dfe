"""The size just under a step of the token price."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from reelwise.errors import InputError

if TYPE_CHECKING:
    from reelwise.tokens.rule import TokenRule

__all__ = ["cheapest_size"]


@lru_cache(maxsize=4096)
def cheapest_size(
    rule: TokenRule, width_px: int, height_px: int, detail: str = "", scale_min: float = 0.9
) -> tuple[int, int]:
    """Find the size that gives the most picture for a token, with the same shape and no side under `scale_min` of its own.

    Only sizes that cost fewer tokens than the original are taken: where the price has no step in reach (a flat price, a
    budget, or the original already just under a step) the original comes back. A picture priced by area is snapped to whole
    patches and not shrunk further: fewer pixels for fewer tokens is downscaling, another lever. Sides come back even, as
    4:2:0 video needs them; the shape is kept within that rounding.

    Args:
        rule: the rule that prices the picture.
        width_px: width of the original.
        height_px: its height.
        detail: detail level, empty for the default.
        scale_min: the smallest scale allowed, over 0 and up to 1.

    Returns:
        Width and height in pixels.

    Raises:
        InputError: a size or level that the rule refuses, or a scale out of range.
    """
    if not 0 < scale_min <= 1:
        raise InputError(f"{scale_min:g} is no scale", where="scale_min", hint="give a share over 0 and up to 1")
    dear = rule.image(width_px, height_px, detail)
    long, short = max(width_px, height_px), min(width_px, height_px)
    best, tokens_best, area_best = (long, short), dear, long * short
    for edge in range(long - long % 2, max(math.ceil(long * scale_min - 1e-9), 2) - 1, -2):
        other = round(short * edge / long)
        if other % 2 or other < 2 or other < short * scale_min:
            continue
        size = (edge, other) if width_px >= height_px else (other, edge)
        tokens = rule.image(*size, detail)
        # a better price for a pixel; on a tie the larger size, which came first
        if tokens < dear and tokens * area_best < tokens_best * edge * other:
            best, tokens_best, area_best = (edge, other), tokens, edge * other
    return best if width_px >= height_px else (best[1], best[0])
