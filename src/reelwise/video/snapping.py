"""The size of a cut-out that costs the fewest tokens. No numpy here: prices need it, too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cheapest_sides", "placed", "reach"]

_SIZES = 96  # tried on each side


def cheapest_sides(
    least: tuple[int, int], most: tuple[int, int], tokens: Callable[[int, int], int], multiple: int = 2
) -> tuple[int, int]:
    """Find the size from `least` to `most` that costs the fewest tokens; on a tie the smallest area.

    A larger cut-out can be the cheaper one: rules that scale a picture's short side to a fixed length first cut narrow
    pictures into more tiles. Both ends are always tried, and up to 96 sizes on each side between, so the answer never costs
    more than the cut-out asked for, nor more than the whole picture.

    Args:
        least: width and height that must fit in, in pixels.
        most: width and height of the picture.
        tokens: what a picture of some width and height costs: a token rule's `image`.
        multiple: sides between are multiples of this.

    Returns:
        Width and height in pixels.

    Raises:
        InputError: `least` does not fit into `most`, or a side below 1.
    """
    if not all(1 <= small <= large for small, large in zip(least, most, strict=True)) or multiple < 1:
        raise InputError(
            f"no size from {least[0]}x{least[1]} to {most[0]}x{most[1]} px", hint="the region lies within the picture"
        )
    widths, heights = (_sizes(a, b, multiple) for a, b in zip(least, most, strict=True))
    return min(((w, h) for w in widths for h in heights), key=lambda size: (tokens(*size), size[0] * size[1], size[0]))


def _sizes(least: int, most: int, multiple: int) -> list[int]:
    step = multiple * max(1, -(-(most - least) // (_SIZES * multiple)))
    first = -(-least // multiple) * multiple
    return sorted({least, most, *range(first, most + 1, step)})


def placed(near: int, far: int, length: int, whole: int) -> int:
    """Return where a side of `length` starts so that it holds `near` to `far`, lies within 0 to `whole`, and is centred on them.

    Needs far - near <= length <= whole.
    """
    centred = (near + far - length) // 2
    return min(max(centred, far - length, 0), near, whole - length)


def reach(near: float, far: float, length: int) -> tuple[int, int]:
    """Return the whole pixels, within 0 to `length`, that hold a side given in fractions: start and stop, one at least."""
    start = min(max(0, math.floor(near * length + 1e-9)), length - 1)
    return start, max(start + 1, min(length, math.ceil(far * length - 1e-9)))
