"""Let the expensive model see only the stretches where something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from reelwise.errors import DocumentError, MediaError
from reelwise.facts import settings_hash
from reelwise.stages.base import Stage
from reelwise.stages.decoding import SCAN_CPU, decoded, looked_for
from reelwise.units import is_array, maximum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.scan import Scan  # noqa: TC004 - never decoded from a document

__all__ = ["Found", "Gate"]

Spans = tuple[tuple[float, float], ...]


class Found(Struct, frozen=True):
    """What a gate finds in a piece of footage, in seconds from its start.

    Attributes:
        events: when something happens, as its signal says.
        stretches: what is kept: the events, padded and joined.
        scan: the scan that said so; None where every frame was decoded.
        trouble: why a scan could not be had, in words, or empty.
    """

    events: Spans
    stretches: Spans
    scan: Scan | None = None
    trouble: str = ""


class Gate(Stage, frozen=True, kw_only=True):
    """Keep active stretches.

    Attributes:
        method: how they are found. auto takes the cheapest signal that a file lets rely on, as `reelwise scan` does; packets,
            keyframes and luma take that one; full decodes every frame and compares it with a learned background; person keeps
            where people are, moving or not, as the person-segmentation networks say (extra `live`, `reelwise models install`).
        mode: of a scan; coarse says which stretches to look at, exact decodes around them and finds start and stop.
        threshold: share of the picture that must differ from the background, or null to learn it from the clip; a full
            decode measures that, so it makes auto take one.
        pad_seconds: kept before and after each stretch.
        join_seconds: stretches closer than this become one.
        at: where it runs; at the edge no bytes of idle footage are sent, and the device's own cost is not billed here.
    """

    method: Literal["auto", "packets", "keyframes", "luma", "full", "person"] = "auto"
    mode: Literal["coarse", "exact"] = "exact"
    threshold: Annotated[float, Meta(gt=0, lt=1)] | None = None
    pad_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.0
    join_seconds: Annotated[float, Meta(ge=0, le=600)] = 2.0
    at: Literal["edge", "cloud"] = "cloud"

    slot: ClassVar[int] = 1

    @property
    def decodes_all(self) -> bool:
        """Whether every frame is decoded to decide."""
        return self.method == "full" or self.threshold is not None

    def check(self, where: str) -> None:
        """Refuse a threshold for a signal that does not measure it."""
        if self.threshold is not None and self.method not in {"auto", "full"}:
            raise DocumentError(
                f"the method {self.method} has no threshold",
                where=where,
                hint="leave the threshold out, or take method full",
            )

    def _looked(self, item: Item, facts: Facts, out: Out) -> Item:
        """Bill what the decision costs, where it is not the device that decides."""
        if self.at == "edge":
            item = replace(item, place="edge")
        if self.decodes_all:
            return decoded(item, facts, out, "gate")
        looked_for(item, facts, out, (self.method, self.mode))
        return item

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

    def find(self, piece: Piece) -> Found:
        """Find the stretches: in the file's own packets and pictures, or in what decoding all of it has measured.

        Where auto cannot scan a file that can be decoded, all of it is.

        Raises:
            MediaError: the method that was asked for cannot read the file.
        """
        trouble = ""
        if self.method != "full" and self.threshold is None:
            if piece.scan is None:
                from reelwise.scan import scan as look
            else:
                look = piece.scan
            try:
                result = look(piece.track.info.path, mode=self.mode, method=self.method)
            except MediaError as error:
                if self.method != "auto":
                    raise
                trouble = error.message
            else:
                return self._cut(result, piece)
        from reelwise import video

        options = {} if self.threshold is None else {"threshold": self.threshold}
        return Found(
            video.gate(piece.track, pad_seconds=0.0, join_seconds=0.0, **options),
            video.gate(piece.track, pad_seconds=self.pad_seconds, join_seconds=self.join_seconds, **options),
            trouble=trouble,
        )

    def _cut(self, result: Scan, piece: Piece) -> Found:
        """Take a part's events out of its file's, then pad and join them within the part."""
        start, length = piece.track.start_seconds, piece.track.seconds
        cut = [(max(0.0, e.start_seconds - start), min(length, e.stop_seconds - start)) for e in result.events]
        events = tuple((a, b) for a, b in cut if b > a)
        kept: list[tuple[float, float]] = []
        for a, b in events:
            first, last = max(0.0, a - self.pad_seconds), min(length, b + self.pad_seconds)
            if kept and first - kept[-1][1] <= self.join_seconds:
                kept[-1] = (kept[-1][0], max(kept[-1][1], last))
            else:
                kept.append((first, last))
        return Found(events, tuple(kept), result)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Find the stretches and bill what that took."""
        settings, prefix = settings_hash(self), out.prefix()
        how = (self.method, self.mode)
        for piece in pieces:
            found = self.find(piece)
            item = replace(piece.item, place="edge") if self.at == "edge" else piece.item
            if found.scan is None:
                item = decoded(item, facts, out, "gate")
            else:
                cpu = found.scan.cpu_seconds / found.scan.seconds
                looked_for(item, facts, out, how, cpu)
                if out.tally:
                    out.tally.add(SCAN_CPU, settings_hash(how), "", cpu * item.seconds, item.seconds)
            seconds = sum(stop - start for start, stop in found.stretches)
            share = seconds / piece.item.seconds if piece.item.seconds else 0.0
            if out.tally:
                out.tally.add("gate.active_share", settings, prefix, seconds, piece.item.seconds)
                out.tally.add("gate.kept_share", settings, prefix, float(seconds > 0), 1.0)
            if seconds > 0:
                yield replace(piece, stretches=found.stretches, item=item).with_item(
                    seconds=seconds,
                    frames=item.frames * share,
                    audio_seconds=item.audio_seconds * share,
                    megabytes=item.megabytes * share,
                )
