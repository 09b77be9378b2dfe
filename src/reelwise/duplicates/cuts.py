"""Which part of a stored picture an asked one may show: the cuts that are tried, and the windows that follow from them."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from reelwise.duplicates.keys import INNER, Grid, Interval

__all__ = ["PLAIN", "Cut", "cuts", "grids"]

Window = tuple[float, float, float, float]


class Cut(Struct, frozen=True):
    """The part of the stored picture that the asked one shows.

    Attributes:
        left, top, right, bottom: its edges as fractions of the stored one; beyond 0..1 where the stored one is the crop.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def window(self, side: float) -> Window:
        """Return the window of the asked picture that shows the middle of the stored one; cut off where it shows less."""
        low, high = (1 - side) / 2, (1 + side) / 2
        (left, right), (top, bottom) = _seen(self.left, self.right, low, high), _seen(self.top, self.bottom, low, high)
        return left, top, right, bottom

    def asked(self) -> Window:
        """Return the window of the asked picture that the stored one shows too."""
        return self.window(1.0)

    def stored(self) -> Window:
        """Return the window of the stored picture that the asked one shows too."""
        return max(0.0, self.left), max(0.0, self.top), min(1.0, self.right), min(1.0, self.bottom)

    @property
    def centred(self) -> bool:
        """Say whether it is in the middle, so that the core is shown."""
        return abs(self.left + self.right - 1) < 1e-6 and abs(self.top + self.bottom - 1) < 1e-6


def _seen(start: float, stop: float, low: float, high: float) -> Interval:
    """Return where low..high of the stored line lies in the asked one, that shows start..stop of it."""
    wide = stop - start
    return max(0.0, (low - start) / wide), min(1.0, (high - start) / wide)


PLAIN = tuple(
    Cut((1 - side) / 2, (1 - side) / 2, (1 + side) / 2, (1 + side) / 2)
    for side in (1.0, 0.95, 0.9, 0.85, 0.8, 1 / 0.9, 1 / 0.8)
)
"""Cuts in the middle, looked up by what moves in the core."""
_BARRED = ((1.0, 0.9), (1.0, 0.8), (0.9, 1.0), (0.8, 1.0))  # bars may cover the picture
_PLACES = {1.0: 1, 0.95: 2, 0.9: 3, 0.85: 4, 0.8: 6, 1 / 0.95: 1, 1 / 0.9: 1, 1 / 0.8: 1}
"""How many places of a cut of this side are tried along a line: steps of a thirtieth, twice that far between sides."""


def _line(side: float, places: int) -> tuple[Interval, ...]:
    starts = [(1 - side) / 2] if places == 1 else [(1 - side) * number / (places - 1) for number in range(places)]
    return tuple((start, start + side) for start in starts)


def _families(*, barred: bool) -> list[tuple[tuple[Interval, ...], tuple[Interval, ...]]]:
    lines = [_line(side, places) for side, places in _PLACES.items()]
    families = [(line, line) for line in lines]
    if barred:
        families += [(_line(wide, 1), _line(tall, 1)) for wide, tall in _BARRED]
    return families


@lru_cache(maxsize=2)
def cuts(*, barred: bool) -> tuple[Cut, ...]:
    """Return every cut that is tried, in the order of `grids`.

    Args:
        barred: whether bars were cut off the asked clip: they may cover some of the picture.
    """
    return tuple(
        Cut(left, top, right, bottom)
        for across, down in _families(barred=barred)
        for top, bottom in down
        for left, right in across
    )


@lru_cache(maxsize=2)
def grids(*, barred: bool) -> tuple[Grid, ...]:
    """Return the windows of the asked picture that show the inner part of the stored one, a grid of them for each side."""
    low, high = (1 - INNER) / 2, (1 + INNER) / 2
    return tuple(
        (tuple(_seen(*part, low, high) for part in across), tuple(_seen(*part, low, high) for part in down))
        for across, down in _families(barred=barred)
    )
