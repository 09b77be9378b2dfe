"""Who is billed: free tiers, and where the month stands."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Account", "Buffer"]


class Buffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money planned on top of what is expected, under a name that says for what.

    Attributes:
        name: "launch week", "unknown footage", ...
        share: of the expected month; 0.2 plans 20 % more.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    share: Annotated[float, Meta(ge=0, le=10)]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The billing account that all features share.

    Attributes:
        free_tiers: whether monthly free tiers still apply to it.
        rates: a YAML file with private prices, discounts or another currency; null for list prices.
        buffers: planned on top of the month, each by its name.
    """

    free_tiers: bool = True
    rates: str | None = None
    buffers: tuple[Buffer, ...] = ()

    @property
    def buffer_share(self) -> float:
        """All buffers together, as a share of the expected month."""
        return sum(buffer.share for buffer in self.buffers)
