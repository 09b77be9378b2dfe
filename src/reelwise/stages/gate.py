"""Let the expensive model see only the stretches where something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.facts import settings_hash
from reelwise.stages.base import Stage
from reelwise.stages.decoding import decoded
from reelwise.units import is_array, maximum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Gate"]


class Gate(Stage, frozen=True, kw_only=True):
    """Keep active stretches, found by change of the luma plane.

    Attributes:
        method: the signal; more will follow.
        threshold: share of the picture that must differ from the background, or null to learn it from the clip.
        pad_seconds: kept before and after each stretch.
        join_seconds: stretches closer than this become one.
        at: where it runs; at the edge no bytes of idle footage are sent, and the device's own cost is not billed here.
    """

    method: Literal["change"] = "change"
    threshold: Annotated[float, Meta(gt=0, lt=1)] | None = None
    pad_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.0
    join_seconds: Annotated[float, Meta(ge=0, le=600)] = 2.0
    at: Literal["edge", "cloud"] = "cloud"

    slot: ClassVar[int] = 1

    def _looked(self, item: Item, facts: Facts, out: Out) -> Item:
        """Bill the decoding that the decision costs, where it is not the device that decides."""
        if self.at == "edge":
            item = replace(item, place="edge")
        return decoded(item, facts, out, "gate")

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Shrink the item to its active share; items without any activity make no call."""
        item = self._looked(item, facts, out)
        prefix = out.prefix() if facts.needs_prefix("gate.active_share") else None
        share, bit = facts.get("gate.active_share", stage=self, prefix=prefix, source_class=item.footage)
        kept, _ = facts.get("gate.kept_share", stage=self, prefix=prefix, source_class=item.footage, default=1.0)
        kept = maximum(kept, share)  # what is active lies in items that are kept: no item can grow
        if not is_array(kept) and kept <= 0:
            return ()
        each = share / maximum(kept, 1e-12)  # a drawn share of 0 is kept by 0 of the items
        return (
            replace(
                item,
                count=item.count * kept,
                seconds=item.seconds * each,
                frames=item.frames * each,
                audio_seconds=item.audio_seconds * each,
                megabytes=item.megabytes * each,
                basis=item.basis | bit,
            ),
        )

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Find the stretches in what decoding has measured."""
        from reelwise import video

        settings, prefix = settings_hash(self), out.prefix()
        for piece in pieces:
            item = self._looked(piece.item, facts, out)
            options = {} if self.threshold is None else {"threshold": self.threshold}
            stretches = video.gate(piece.track, pad_seconds=self.pad_seconds, join_seconds=self.join_seconds, **options)
            seconds = sum(stop - start for start, stop in stretches)
            share = seconds / piece.item.seconds if piece.item.seconds else 0.0
            if out.tally:
                out.tally.add("gate.active_share", settings, prefix, seconds, piece.item.seconds)
                out.tally.add("gate.kept_share", settings, prefix, float(seconds > 0), 1.0)
            if seconds > 0:
                yield replace(piece, stretches=tuple(stretches), item=item).with_item(
                    seconds=seconds,
                    frames=item.frames * share,
                    audio_seconds=item.audio_seconds * share,
                    megabytes=item.megabytes * share,
                )
