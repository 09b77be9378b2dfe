"""Move footage out of where it lies: egress by the gigabyte."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.requests import Usage
from reelwise.stages.base import Stage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.flow import Item, Out

__all__ = ["Send"]


class Send(Stage, frozen=True, kw_only=True):
    """Send what is left of the footage to where the model is.

    Attributes:
        sku: rate card of the traffic.
    """

    sku: str = "aws/egress-us"

    slot: ClassVar[int] = 9

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - needs no facts
        """Bill the gigabytes that leave."""
        out.usages.append(
            Usage(
                sku=self.sku,
                unit="gb",
                quantity=item.count * item.megabytes / 1000,
                lane=item.lane,
                source_class=item.source_class,
                stage="send",
                basis=item.basis,
            )
        )
        return (item,)
