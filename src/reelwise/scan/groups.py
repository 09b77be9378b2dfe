"""The newest packets of a live stream, from a key frame on, and a decoder that looks at them when something begins."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext

from reelwise.errors import MediaError
from reelwise.video.planes import Sampler
from reelwise.video.reader import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from numpy.typing import NDArray

    from reelwise.scan.pump import Opened

__all__ = ["Decoder", "Groups", "Held"]

BUFFER_PACKETS = 1_500
BUFFER_BYTES = 48 * 2**20
_COVER_SECONDS = 2.5


class Held(NamedTuple):
    """One packet with its time in the stream; `offset` is what its own clock lacks to that."""

    seconds: float
    offset: float
    kind: int
    key: bool
    size: int
    packet: Packet[Any]


class Groups:
    """Keeps packets from the last key frame but one on, bounded in count and bytes.

    Args:
        packets: how many at most.
        size: bytes at most.
    """

    def __init__(self, packets: int = BUFFER_PACKETS, size: int = BUFFER_BYTES) -> None:
        self.overflows = 0
        self.bytes_most = self.packets_most = 0
        self._packets, self._size = packets, size
        self._groups: deque[list[Held]] = deque()
        self._bytes = self._count = 0

    def add(self, held: Held) -> None:
        """Take one packet; what comes before the first key frame cannot be decoded and is let go."""
        if held.key:
            self._groups.append([])
        if not self._groups:
            return
        self._groups[-1].append(held)
        self._bytes += held.size
        self._count += 1
        self._trim(held.seconds)
        self.bytes_most = max(self.bytes_most, self._bytes)
        self.packets_most = max(self.packets_most, self._count)

    def _trim(self, now: float) -> None:
        while len(self._groups) > 2 and now - self._groups[1][0].seconds >= _COVER_SECONDS:
            self._drop()
        while self._count > self._packets or self._bytes > self._size:
            self.overflows += len(self._groups) == 1
            self._drop()

    def _drop(self) -> None:
        gone = self._groups.popleft()
        self._bytes -= sum(one.size for one in gone)
        self._count -= len(gone)

    def clear(self) -> None:
        """Let go of everything: what follows does not build on it."""
        self._groups.clear()
        self._bytes = self._count = 0

    def nearly_full(self) -> bool:
        """Say whether the present group alone is about to exceed the bounds."""
        return len(self._groups) == 1 and (self._count >= 0.9 * self._packets or self._bytes >= 0.9 * self._size)

    def since(self, seconds: float) -> list[Held]:
        """Return the packets from the key frame before a moment on; from the first key frame held if there is none."""
        first = 0
        for index, group in enumerate(self._groups):
            if group[0].seconds <= seconds:
                first = index
        return [one for group in list(self._groups)[first:] for one in group]


class Decoder:
    """Turns packets into luma grids with their times.

    Args:
        opened: what the stream is.
    """

    def __init__(self, opened: Opened) -> None:
        self.decoded = 0
        self.broken = 0
        self.size = (opened.width, opened.height)
        self.sizes = 0
        self._sampler = Sampler()
        try:
            context = CodecContext.create(opened.codec, "r")
            if not isinstance(context, VideoCodecContext):
                raise MediaError("has no video", where=opened.codec)
            if opened.extradata:
                context.extradata = opened.extradata
            context.thread_count = 1
            context.options = {"skip_loop_filter": "all"}
            if context.width == 0 and opened.width and opened.codec not in {"h264", "hevc"}:
                context.width, context.height = opened.width, opened.height
        except FOREIGN as error:
            raise MediaError(f"has a video codec that cannot be decoded: {error}", where=opened.codec) from None
        self._context = context
        self._offset = self._tick = self._seconds = 0.0
        self._mode: Literal["NONREF", "DEFAULT"] = "DEFAULT"

    def feed(self, held: Held | None, *, references: bool = False) -> Iterator[tuple[float, NDArray[Any]]]:
        """Decode one packet, or with None what is left in the decoder; yield seconds and grid of each picture.

        Args:
            held: the packet.
            references: leave it out if no other picture refers to it.
        """
        mode: Literal["NONREF", "DEFAULT"] = "NONREF" if references else "DEFAULT"
        if mode != self._mode:
            self._context.skip_frame = mode
            self._mode = mode
        if held is not None:
            self._offset, self._tick = held.offset, float(held.packet.time_base or 0)
            self._seconds = held.seconds
        try:
            frames = self._context.decode(None if held is None else held.packet)
        except FOREIGN:
            self.broken += 1
            frames = []
        if held is None:
            self._context.flush_buffers()  # ready for another key frame, whatever becomes of these pictures
        for frame in frames:
            self.decoded += 1
            if (frame.width, frame.height) != self.size:
                self.sizes += self.size != (0, 0)
                self.size = (frame.width, frame.height)
            stamp = frame.pts if frame.pts is not None else frame.dts
            # a frame that is flushed out has no time base of its own
            seconds = self._seconds if stamp is None else stamp * self._tick + self._offset
            try:
                grid = self._sampler.sample(frame)
            except FOREIGN:
                self.broken += 1
                continue
            yield seconds, grid
