"""Which price of generated video a resolution falls under: the dearer one where that is open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reelwise.rates.cards import load_cards, on

if TYPE_CHECKING:
    from reelwise.charge.ask import Ask
    from reelwise.rates import Book

__all__ = ["generated", "height_of"]

_NAMES = {"hd": 720, "fhd": 1080, "full hd": 1080, "2k": 1440, "qhd": 1440, "4k": 2160, "uhd": 2160, "8k": 4320}
_HIGH = "-high-res"
_PLAIN_MOST = 720


def height_of(resolution: str) -> int | None:
    """Read the short side in pixels from "1080p", "4K", "1792x1024"; None where it is none of these."""
    name = resolution.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    if found := re.fullmatch(r"(\d{2,5})\s*[x*:\u00d7]\s*(\d{2,5})", name):
        return min(int(found[1]), int(found[2]))
    if found := re.fullmatch(r"(\d{3,4})[pi]?", name):
        return int(found[1])
    return None


def generated(ask: Ask, book: Book) -> tuple[str, str]:
    """Pick the card and the resolution that generated seconds are billed by.

    A resolution that the card does not list falls under its general price below the lowest that it lists, else under the
    next listed one above, else under the dearest. A name without a known size is taken at the dearest.

    Raises:
        UnknownModelError: nothing has that id.
    """
    sku = ask.model
    height = height_of(ask.resolution)
    if ask.resolution and (height is None or height > _PLAIN_MOST) and f"{sku}{_HIGH}" in load_cards():
        sku = f"{sku}{_HIGH}"
    prices = [price for price in on(book.entry(sku), book.day.isoformat()) if price.mode == ask.mode]
    listed = {price.resolution: price for price in prices}
    named = [name for name in listed if name]
    if ask.resolution in listed or not named or not ask.resolution:
        return sku, ask.resolution
    sizes = {name: size for name in named if (size := height_of(name)) is not None}
    if height is not None:
        same = [name for name, size in sizes.items() if size == height]
        if same:
            return sku, same[0]
        if "" in listed and sizes and height < min(sizes.values()):
            return sku, ""
        above = sorted((size, name) for name, size in sizes.items() if size > height)
        if above:
            return sku, above[0][1]
    return sku, max(listed, key=lambda name: listed[name].usd or 0.0)
