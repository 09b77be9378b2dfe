"""Who is billed: free tiers, and where the month stands."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from reelwise.errors import DocumentError

__all__ = ["Account", "Buffer", "Limit"]


class Buffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money planned on top of what is expected, under a name that says for what.

    Attributes:
        name: "launch week", "unknown footage", ...
        share: of the expected month; 0.2 plans 20 % more.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    share: Annotated[float, Meta(ge=0, le=10)]


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a provider lets the account ask for: its quota.

    Attributes:
        model: the model or the id of a rate card, as a call names it.
        calls_per_second: calls that may begin a second; each picture is one where pictures are billed.
        tokens_per_minute: input tokens a minute.
        source: who says so.
    """

    model: Annotated[str, Meta(min_length=1)]
    calls_per_second: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    tokens_per_minute: Annotated[float, Meta(gt=0, le=1e15)] | None = None
    source: str = ""

    def check(self, where: str) -> None:
        """Refuse a limit of nothing.

        Raises:
            DocumentError: neither of the two is given.
        """
        if self.calls_per_second is None and self.tokens_per_minute is None:
            raise DocumentError(
                f"no limit is given for {self.model}", where=where, hint="give calls_per_second or tokens_per_minute"
            )


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The billing account that all features share.

    Attributes:
        free_tiers: whether monthly free tiers still apply to it.
        rates: a YAML file with private prices, discounts or another currency; null for list prices.
        buffers: planned on top of the month, each by its name.
        limits: quotas of providers; a plan whose peak is above one cannot do the job.
    """

    free_tiers: bool = True
    rates: str | None = None
    buffers: tuple[Buffer, ...] = ()
    limits: tuple[Limit, ...] = ()

    @property
    def buffer_share(self) -> float:
        """All buffers together, as a share of the expected month."""
        return sum(buffer.share for buffer in self.buffers)
