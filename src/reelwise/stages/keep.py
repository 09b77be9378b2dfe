"""Store footage: bytes times days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from reelwise.requests import Usage
from reelwise.stages.base import Stage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.flow import Item, Out

__all__ = ["Keep"]

_DAYS_A_MONTH = 365 / 12


class Keep(Stage, frozen=True, kw_only=True):
    """Keep the footage as it arrives.

    Attributes:
        sku: rate card of the storage class.
        days: how long each item stays.
        share: share of the footage that is kept.
    """

    sku: str = "aws/s3-standard"
    days: Annotated[float, Meta(ge=0, le=36500)] = 30.0
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0

    slot: ClassVar[int] = 0
    vector: ClassVar[tuple[str, ...]] = ("days", "share")

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - needs no facts
        """Bill GB-months: each item once, however often it is viewed."""
        gigabytes = item.count / item.views * item.megabytes / 1000 * self.share
        months = self.days / _DAYS_A_MONTH
        out.usages.append(
            Usage(
                sku=self.sku,
                unit="gb_month",
                quantity=gigabytes * months,
                lane=item.lane,
                source_class=item.source_class,
                stage="keep",
                basis=item.basis,
            )
        )
        return (item,)
