"""Signal: sizes of packets at a quantiser that is held equal. Only where it is asked for.

Under a constant bit rate an encoder answers movement with coarser steps, not with more bits; six steps of the quantiser halve the
bits. Reading it takes as long again as reading the packets. docs/scan.md says what it was worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.scan.candidates import candidates_of
from reelwise.scan.exact import verify
from reelwise.scan.normal import Unrest, unrest

if TYPE_CHECKING:
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["BySlices"]


class BySlices:
    """Packets again, each size multiplied by two for every six steps of its first slice's quantiser."""

    name = "slices"
    cost = 0.02
    decodes = False

    def believed(self, stream: Stream) -> tuple[bool, str]:  # noqa: ARG002 - the protocol
        """Never by itself: it found less than packets alone on each stream on which those were not believed."""
        return False, ""

    def _unrest(self, stream: Stream) -> Unrest:
        return Unrest(*unrest(stream.packets, quantisers=True))

    def coarse(self, stream: Stream) -> Spans:
        """Return what is unusual at an equal quantiser."""
        return candidates_of(self._unrest(stream), stream.packets)[1]

    def exact(self, stream: Stream) -> Spans:
        """Decode around it."""
        return stream.take(verify(stream.source, stream.packets, self.coarse(stream), stream.mask))
