"""Signal: key frames against the learned background; nothing else is decoded, and in exact mode what lies around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.scan.exact import verify
from reelwise.scan.keyframes import watch_keys

if TYPE_CHECKING:
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["ByKeyFrames"]

_KEY_GAP_MAX = 2.0  # seconds; events shorter than this pass between key frames unseen


class ByKeyFrames:
    """What differs from one key frame to the next."""

    name = "keyframes"
    cost = 0.1
    decodes = True

    def believed(self, stream: Stream) -> tuple[bool, str]:
        """Believe key frames where they are close together and the clock is whole."""
        packets = stream.packets
        gap = packets.longest_gop()
        if len(packets.keys) < 2:
            return False, "there is only one key frame"
        if packets.restarts or packets.repaired:
            return False, ""
        if gap > _KEY_GAP_MAX:
            return False, f"key frames are up to {gap:.1f} s apart, so events can pass between them"
        return True, f"key frames are at most {gap:.1f} s apart"

    def coarse(self, stream: Stream) -> Spans:
        """Return the stretches from one key frame to the next in which something differs."""
        spans = watch_keys(stream.source, stream.packets, stream.mask)
        stream.spend("keyframes")
        return spans

    def exact(self, stream: Stream) -> Spans:
        """Decode these stretches."""
        return stream.take(verify(stream.source, stream.packets, self.coarse(stream), stream.mask))
