"""What is paid every month whatever is used: subscriptions, support, the least that a contract bills."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from reelwise.errors import DocumentError

__all__ = ["Fee"]


class Fee(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fixed amount a month.

    Attributes:
        name: what for: "support plan", "minimum spend".
        usd_month: USD a month.
        minimum_of: what this is the least spend of: the id of a rate card or model, or a provider ("fal"); only what is missing to
            it is billed. Empty bills the amount on top of everything.
        source: who says so.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    usd_month: Annotated[float, Meta(ge=0, le=1e9)]
    minimum_of: str = ""
    source: str = ""

    def check(self, where: str) -> None:
        """Refuse a name that would read as the id of something else.

        Raises:
            DocumentError: a slash or a line break in the name.
        """
        if "/" in self.name or "\n" in self.name:
            raise DocumentError("a fee's name has no slash", where=where, hint="write it in words: support plan")

    def covers(self, sku: str) -> bool:
        """Say whether spending on something counts towards this minimum."""
        return bool(self.minimum_of) and (sku == self.minimum_of or sku.startswith(f"{self.minimum_of}/"))
