"""Who is billed: free tiers, and where the month stands."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Account"]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The billing account that all features share.

    Attributes:
        free_tiers: whether monthly free tiers still apply to it.
        rates: a YAML file with private prices, discounts or another currency; null for list prices.
        buffer: added to the forecast by name, as a share (0.2 plans 20 % more than expected).
    """

    free_tiers: bool = True
    rates: str | None = None
    buffer: Annotated[float, Meta(ge=0, le=10)] = 0.0
