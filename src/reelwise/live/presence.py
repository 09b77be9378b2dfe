"""Whether anyone looks: paused, hidden, or nobody who reads the output. Then no model is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.live.caught import Caught
from reelwise.live.modes import OFF, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Presence"]


class Presence:
    """Says whether the output is wanted.

    Args:
        reader: asked on every frame whether somebody reads the output; None: somebody does. One that fails counts as nobody.

    Attributes:
        paused, hidden: as set.
    """

    def __init__(self, reader: Callable[[], bool] | None) -> None:
        self.paused = False
        self.hidden = False
        self._reader = reader

    def wish(self) -> Wish | None:
        """Return the wish for no calls at all; None where somebody looks."""
        if self.paused:
            return Wish(OFF, "paused", "paused")
        if self.hidden:
            return Wish(OFF, "hidden", "hidden")
        if self._reader is None:
            return None
        with Caught() as caught:
            reads = bool(self._reader())
        if caught.error is not None:
            return Wish(OFF, "unread", f"whether anybody reads is not known: {caught.said}")
        return None if reads else Wish(OFF, "unread", "nobody reads the output")
