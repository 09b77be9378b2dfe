"""Choose frames instead of sending all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.facts import settings_hash
from reelwise.flow import START
from reelwise.stages.base import Stage
from reelwise.stages.decoding import decoded
from reelwise.units import ceil, is_array, minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Sample"]


class Sample(Stage, frozen=True, kw_only=True):
    """Keep `fps` frames a second, or with `adaptive` only those that changed, up to that rate.

    Attributes:
        fps: frames a second, at most.
        adaptive: keep a frame when enough has changed since the last kept one.
        change: how much counts as enough: accumulated share of the picture.
        gap_max_seconds: a frame at least this often while adaptive.
    """

    fps: Annotated[float, Meta(gt=0, le=240)] = 1.0
    adaptive: bool = False
    change: Annotated[float, Meta(gt=0, le=100)] = 0.03
    gap_max_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0

    slot: ClassVar[int] = 4
    vector: ClassVar[tuple[str, ...]] = ("fps",)

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Bound the frames by the rate, and by what changed where that was measured."""
        if self.adaptive:
            item = decoded(item, facts, out, "sample")
        frames, basis = minimum(item.frames, ceil(item.seconds * self.fps)), item.basis
        name = "sample.frames_per_second" if self.adaptive else "sample.uniform_frames_per_second"
        if is_array(self.fps) or not facts.has(name, item.footage):
            return (replace(item, frames=frames, sampled=True, basis=basis),)
        prefix = out.prefix() if facts.needs_prefix(name) else None
        found = facts.find(name, stage=self, prefix=prefix, source_class=item.footage)
        if found is not None and (self.adaptive or found[1]):
            rate, bit = facts.get(name, stage=self, prefix=prefix, source_class=item.footage)
            frames = minimum(item.frames, 1 + item.seconds * rate)
            if self.adaptive:
                frames = minimum(frames, item.seconds * self.fps + 1)
                basis |= bit
        return (replace(item, frames=frames, sampled=True, basis=basis),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Choose the frames from what decoding has measured."""
        from reelwise import video

        settings, prefix = settings_hash(self), out.prefix()
        name = "sample.frames_per_second" if self.adaptive else "sample.uniform_frames_per_second"
        for piece in pieces:
            if self.adaptive:
                chosen = video.sample_adaptive(
                    piece.track,
                    piece.stretches,
                    change=self.change,
                    fps_max=self.fps,
                    gap_max_seconds=self.gap_max_seconds,
                )
            else:
                chosen = video.sample_uniform(piece.track, piece.stretches, self.fps)
            if out.tally and len(chosen) and (self.adaptive or prefix != START):
                # the first frame comes with every clip, however long: it must not be scaled to the hour
                out.tally.add(name, settings, prefix, float(len(chosen)) - 1, piece.item.seconds)
            item = decoded(piece.item, facts, out, "sample") if self.adaptive else piece.item
            yield replace(piece, frames=chosen, item=item).with_item(frames=float(len(chosen)), sampled=True)
