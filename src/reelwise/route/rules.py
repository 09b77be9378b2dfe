"""Rules that come before any learned score: what a team knows already."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from reelwise.errors import InputError

__all__ = ["Rule"]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Send a request to one of the two models. All conditions that are set must hold.

    Attributes:
        name: said as the reason.
        to: cheap or dear.
        words: any of these, as whole words in any case.
        longer_than: characters of text.
        shorter_than: likewise.
        tag: a tag that the caller gives with the request: "safety", "free tier".
    """

    name: str
    to: Literal["cheap", "dear"]
    words: tuple[str, ...] = ()
    longer_than: int | None = None
    shorter_than: int | None = None
    tag: str = ""

    def check(self) -> None:
        """Refuse a rule that no condition limits.

        Raises:
            InputError: it has none.
        """
        if not (self.words or self.longer_than is not None or self.shorter_than is not None or self.tag):
            raise InputError("holds for every request", where=f"rule {self.name}", hint="give it a condition")

    def holds(self, text: str, tags: frozenset[str] = frozenset()) -> bool:
        """Say whether it decides this request."""
        self.check()
        if self.longer_than is not None and len(text) <= self.longer_than:
            return False
        if self.shorter_than is not None and len(text) >= self.shorter_than:
            return False
        if self.tag and self.tag not in tags:
            return False
        low = text.lower()
        return not self.words or any(re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", low) for word in self.words)
