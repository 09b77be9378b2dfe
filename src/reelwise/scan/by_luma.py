"""Signal: decoded pictures, luma only; always believed, and the dearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.scan.heads import blind_seconds, watch_all, watch_heads

if TYPE_CHECKING:
    from reelwise.scan.packets import Packets
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["ByLuma"]

_GOP_MIN = 1.5  # seconds


class ByLuma:
    """Motion on the luma grid of all pictures, or of all but the tails of groups of pictures that seem quiet."""

    name = "luma"
    cost = 0.8
    decodes = True

    def believed(self, stream: Stream) -> tuple[bool, str]:
        """Believe it always."""
        if not _has_tails(stream.packets):
            return True, ""
        blind = blind_seconds(stream.packets)
        return True, f"the last {blind:.1f} s before each key frame are decoded only where something may move"

    def coarse(self, stream: Stream) -> Spans:
        """Decode; starts and stops are exact already."""
        return self.exact(stream)

    def exact(self, stream: Stream) -> Spans:
        """Decode everything, or all that may matter."""
        if stream.asked == "auto" and _has_tails(stream.packets):
            stream.blind = blind_seconds(stream.packets)
            events = watch_heads(stream.source, stream.packets, stream.mask)
        else:
            events = watch_all(stream.source, stream.packets, stream.mask)
        stream.spend("luma")
        return events


def _has_tails(packets: Packets) -> bool:
    """Say whether leaving out the tails of groups of pictures is worth it, and sure."""
    return len(packets.keys) > 4 and packets.longest_gop() >= _GOP_MIN and not (packets.restarts or packets.repaired)
