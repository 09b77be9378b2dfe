"""Whether anybody knows how fast a machine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.fleet import speed_of

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.hosts import Host
    from reelwise.rates import Book

__all__ = ["speed_unknown"]


def speed_unknown(host: Host, facts: Facts, book: Book) -> str:
    """Say how to learn the speed of a machine; empty where it is known."""
    try:
        speed_of(host, facts, book.card(host.sku))
    except InputError:
        return (
            f"how many frames a second {host.sku} does is not known: `reelwise bench-model` measures it, "
            f"or give facts.host.{host.name}.frames_per_second"
        )
    return ""
