"""Leave sound out, or only its silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.facts import settings_hash
from reelwise.stages.base import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Audio"]


class Audio(Stage, frozen=True, kw_only=True):
    """Say what happens to the sound.

    Attributes:
        keep: False sends none.
        trim_silence: send only stretches with sound in them.
    """

    keep: bool = True
    trim_silence: bool = False

    slot: ClassVar[int] = 6

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Shrink the audio seconds."""
        if not self.keep:
            return (replace(item, audio_seconds=0.0),)
        if not self.trim_silence:
            return (item,)
        prefix = out.prefix() if facts.needs_prefix("audio.speech_share") else None
        share, bit = facts.get("audio.speech_share", stage=self, prefix=prefix, source_class=item.footage)
        return (replace(item, audio_seconds=item.audio_seconds * share, basis=item.basis | bit),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Count the seconds that have sound in them."""
        if not (self.keep and self.trim_silence):
            yield from super().process(pieces, facts, out)
            return
        from reelwise import video

        settings, prefix = settings_hash(self), out.prefix()
        for piece in pieces:
            whole = piece.track.info.audio_seconds
            share = min(1.0, video.speech_seconds(piece.track) / whole) if whole else 0.0
            if out.tally:
                out.tally.add(
                    "audio.speech_share", settings, prefix, share * piece.item.audio_seconds, piece.item.audio_seconds
                )
            if out.runner is None:
                yield piece.with_item(audio_seconds=piece.item.audio_seconds * share)
                continue
            heard = _within(video.sound_stretches(piece.track), piece.stretches)
            sent = min(float(piece.item.audio_seconds), sum(stop - start for start, stop in heard))
            yield replace(piece, heard=heard).with_item(audio_seconds=sent)


def _within(
    sound: tuple[tuple[float, float], ...], stretches: tuple[tuple[float, float], ...]
) -> tuple[tuple[float, float], ...]:
    """Return what lies in both."""
    both = ((max(a, c), min(b, d)) for a, b in sound for c, d in stretches)
    return tuple(sorted((start, stop) for start, stop in both if stop > start))
