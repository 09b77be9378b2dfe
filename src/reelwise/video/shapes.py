"""Paint soft-edged shapes on an RGB picture with numpy, for the scene that the project draws itself.

Coordinates are in units of a 16 x 9 picture, whatever its size in pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ACROSS", "DOWN", "Canvas", "clouds"]

ACROSS = 16.0
DOWN = 9.0

Field = NDArray[np.float32]
Colour = tuple[float, float, float]


class Canvas:
    """A part of the picture that can be painted on.

    Args:
        width, height: pixels of the whole picture.
        window: left, top, right, bottom of the part in pixels; the whole picture where left out.

    Attributes:
        rgb: float32 (rows, columns, 3), 0..255.
        alpha: float32 (rows, columns), how much of it is painted, for sprites.
        x, y: the pixels' centres in units.
    """

    def __init__(self, width: int, height: int, window: tuple[int, int, int, int] | None = None) -> None:
        left, top, right, bottom = window or (0, 0, width, height)
        self.window = (left, top, right, bottom)
        self.pixels = width / ACROSS
        self.x: Field = (((np.arange(left, right) + 0.5) * ACROSS / width)[None, :]).astype(np.float32)
        self.y: Field = (((np.arange(top, bottom) + 0.5) * DOWN / height)[:, None]).astype(np.float32)
        self.rgb: Field = np.zeros((bottom - top, right - left, 3), np.float32)
        self.alpha: Field = np.zeros((bottom - top, right - left), np.float32)

    def paint(self, mask: Field, colour: Colour | Field) -> None:
        """Blend a colour, or a picture of the canvas' size, over the pixels of a mask 0..1."""
        cover = mask[..., None]
        self.rgb += (np.asarray(colour, np.float32) - self.rgb) * cover
        self.alpha += (1 - self.alpha) * mask

    def shade(self, mask: Field, factor: float) -> None:
        """Multiply the pixels of a mask by a factor: shadows below 1, light above."""
        self.rgb *= (1 + (factor - 1) * mask)[..., None]

    def soft(self, distance: NDArray[Any], blur: float = 0.0) -> Field:
        """Turn a signed distance in units (inside negative) into a mask with an edge a pixel, or `blur` units, wide."""
        width = max(1.0 / self.pixels, blur)
        mask: Field = np.clip(0.5 - distance / width, 0, 1).astype(np.float32)
        return mask

    def box(
        self, left: float, top: float, right: float, bottom: float, *, radius: float = 0.0, blur: float = 0.0
    ) -> Field:
        """Mask an upright rectangle with round corners."""
        dx = np.abs(self.x - (left + right) / 2) - (right - left) / 2 + radius
        dy = np.abs(self.y - (top + bottom) / 2) - (bottom - top) / 2 + radius
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
        return self.soft(outside + np.minimum(np.maximum(dx, dy), 0) - radius, blur)

    def oval(self, x: float, y: float, across: float, down: float, *, blur: float = 0.0) -> Field:
        """Mask an ellipse with half axes."""
        reach = np.hypot((self.x - x) / across, (self.y - y) / down)
        return self.soft((reach - 1) * min(across, down), blur)

    def bar(self, start: tuple[float, float], end: tuple[float, float], radius: float, *, blur: float = 0.0) -> Field:
        """Mask a line with round ends."""
        ax, ay = end[0] - start[0], end[1] - start[1]
        px, py = self.x - start[0], self.y - start[1]
        along = np.clip((px * ax + py * ay) / max(ax * ax + ay * ay, 1e-9), 0, 1)
        return self.soft(np.hypot(px - along * ax, py - along * ay) - radius, blur)

    def facet(self, corners: Sequence[tuple[float, float]], *, blur: float = 0.0) -> Field:
        """Mask a convex polygon, corners clockwise on the screen."""
        distance = np.full((self.y.shape[0], self.x.shape[1]), -1e9, np.float32)
        for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            dx, dy = x1 - x0, y1 - y0
            side = ((self.x - x0) * dy - (self.y - y0) * dx) / max(float(np.hypot(dx, dy)), 1e-9)
            distance = np.maximum(distance, side)
        return self.soft(distance, blur)


def clouds(rng: np.random.Generator, rows: int, columns: int, cells: tuple[int, int], octaves: int = 3) -> Field:
    """Draw smooth noise, about -1..1: random values on a coarse grid, interpolated, at several scales.

    Args:
        rng: where the randomness comes from.
        rows: pixels down.
        columns: pixels across.
        cells: coarse grid of the largest scale, down and across.
        octaves: scales, each twice as fine and half as strong.
    """
    total = np.zeros((rows, columns), np.float32)
    strength = 1.0
    down, across = cells
    for _ in range(octaves):
        coarse = rng.uniform(-1, 1, (down + 1, across + 1)).astype(np.float32)
        total += strength * (_blend(rows, down) @ coarse @ _blend(columns, across).T)
        down, across, strength = min(rows, down * 2), min(columns, across * 2), strength / 2
    return total


def _blend(pixels: int, cells: int) -> Field:
    """Return the weights that interpolate `cells` + 1 values to `pixels`, smoothly."""
    at = (np.arange(pixels) + 0.5) / pixels * cells
    index = np.minimum(at.astype(int), cells - 1)
    part = at - index
    part = part * part * (3 - 2 * part)
    weights = np.zeros((pixels, cells + 1), np.float32)
    weights[np.arange(pixels), index] = 1 - part
    weights[np.arange(pixels), index + 1] = part
    return weights
