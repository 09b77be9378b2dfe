"""Picture sizes."""

from __future__ import annotations

from reelwise.errors import InputError

__all__ = ["fit"]


def fit(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Scale a size so that its long side is at most `long_side`: even sides, aspect kept, never up.

    Raises:
        InputError: a side below 2 pixels.
    """
    if min(width, height) < 2 or long_side < 2:
        raise InputError(f"cannot fit {width}x{height} into {long_side}", hint="sides are at least 2 pixels")
    scale = min(1.0, long_side / max(width, height))
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    # down, so that the long side never passes the limit; never to 0
    return max(2, int(side + 1e-6) // 2 * 2)
