"""Grids of square tiles that open models lay over a picture."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["best_fit_tiles", "closest_aspect_tiles"]


@lru_cache(maxsize=8)
def _arrangements(tiles_max: int) -> tuple[tuple[int, int], ...]:
    """List (columns, rows) of at most `tiles_max` tiles, fewest first."""
    every = ((c, r) for c in range(1, tiles_max + 1) for r in range(1, tiles_max + 1) if c * r <= tiles_max)
    return tuple(sorted(every, key=lambda grid: grid[0] * grid[1]))


def closest_aspect_tiles(width_px: int, height_px: int, tile_px: int, tiles_max: int) -> int:
    """Count the tiles of the grid whose aspect ratio is closest; on a tie more tiles, up to twice the picture's area.

    Source: transformers 5.23.0 models/got_ocr2, which InternVL uses.
    """
    aspect, area = width_px / height_px, width_px * height_px
    best, tiles = float("inf"), 1
    for columns, rows in _arrangements(tiles_max):
        gap = abs(aspect - columns / rows)
        if gap < best:
            best, tiles = gap, columns * rows
        elif gap == best and area > 0.5 * tile_px * tile_px * columns * rows:
            tiles = columns * rows
    return tiles


def best_fit_tiles(width_px: int, height_px: int, tile_px: int, tiles_max: int) -> int:
    """Count the tiles of the canvas that needs the least upscaling, else the least downscaling; on a tie the smallest.

    Source: transformers 5.23.0 models/mllama and models/llama4.
    """
    scales = [
        (min(columns * tile_px / width_px, rows * tile_px / height_px), columns * rows)
        for columns, rows in _arrangements(tiles_max)
    ]
    up = [scale for scale, _ in scales if scale >= 1]
    chosen = min(up) if up else max(scale for scale, _ in scales)
    return min(tiles for scale, tiles in scales if scale == chosen)
