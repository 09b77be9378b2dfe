"""Move footage, single frames or masks from one place to another: traffic by the gigabyte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from reelwise.requests import Usage
from reelwise.stages.base import Stage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.flow import Item, Out

__all__ = ["Send"]


class Send(Stage, frozen=True, kw_only=True):
    """Send what is left of the footage to where the model is, or what comes back.

    Attributes:
        sku: rate card of the traffic.
        frame_megabytes: bytes of one frame that is left, in units of 10^6, where frames are sent one by one (a JPEG), or of what
            comes back for each (a mask); null sends the stream at its own bit rate.
    """

    sku: str = "aws/egress-us"
    frame_megabytes: Annotated[float, Meta(ge=0, le=1e4)] | None = None

    slot: ClassVar[int] = 9

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - needs no facts
        """Bill the gigabytes that leave."""
        megabytes = item.megabytes if self.frame_megabytes is None else item.frames * self.frame_megabytes
        out.usages.append(
            Usage(
                sku=self.sku,
                unit="gb",
                quantity=item.count * megabytes / 1000,
                lane=item.lane,
                source_class=item.source_class,
                stage="send",
                basis=item.basis,
            )
        )
        return (item,)
