"""Signal: sizes and kinds of packets. Nothing is decoded but a sample of key frames, and in exact mode what is unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.scan.exact import verify

if TYPE_CHECKING:
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["ByPackets"]


class ByPackets:
    """Where an encoder spends more bits, or codes in another pattern, than is usual in this stream."""

    name = "packets"
    cost = 0.01
    decodes = False

    def believed(self, stream: Stream) -> tuple[bool, str]:
        """Believe packets where the stream's own check found them to tell active from quiet."""
        verdict = stream.verdict
        return (
            verdict.separable,
            f"packet sizes tell active from quiet: {verdict.why}" if verdict.separable else verdict.why,
        )

    def coarse(self, stream: Stream) -> Spans:
        """Return what packets call unusual."""
        return stream.candidates

    def exact(self, stream: Stream) -> Spans:
        """Decode around what packets call unusual."""
        return stream.take(verify(stream.source, stream.packets, stream.candidates, stream.mask, unrest=stream.unrest))
