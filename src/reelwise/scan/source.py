"""A clip opened for scanning: all its packets without decoding, then only those packets decoded that a plan asks for.

Packets are read again for every pass and fed to the decoder or not. Nothing seeks, so files without an index, with a clock
that restarts or with lost packets take the same way as good ones; reading packets costs under a hundredth of decoding them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import MediaError
from reelwise.scan.packets import Packets, arrange
from reelwise.scan.slices import SliceReader
from reelwise.video.files import checked_file
from reelwise.video.planes import Sampler
from reelwise.video.reader import BROKEN_MAX, FOREIGN, mapped, open_container, video_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

__all__ = ["FULL", "REFERENCES", "SKIP", "Source"]

SKIP, REFERENCES, FULL = 0, 1, 2
"""What to do with a packet: leave it, decode it if others refer to it, decode it."""

_PACKETS_MAX = 20_000_000
_READ_ERRORS_MAX = 50
_CONTAINER_TICKS = 1_000_000  # a second, in libav's own clock


class Source:
    """A clip on disk.

    Args:
        path: the clip.

    Raises:
        MediaError: it cannot be opened, or has no video.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path)
        self._file = checked_file(path)
        self.notes: list[str] = []
        self.broken = 0
        self.codec = ""
        self.size = (0, 0)
        self.decoded = 0

    def packets(self, *, quantisers: bool = False) -> Packets:
        """Read all packets; with `quantisers` also each one's slice QP, where the codec is H.264 or HEVC.

        Raises:
            MediaError: there is no packet of video.
        """
        with mapped(self.path), open_container(self._file) as container:
            stream = video_stream(container, self.path)
            context = stream.codec_context
            self.codec, self.size = context.name, (context.width, context.height)
            slices = SliceReader.of(context.name, context.extradata) if quantisers else None
            rows: list[tuple[int | None, int | None, int, bool]] = []
            found: list[float] = []
            for packet in self._demux(container, stream):
                rows.append((packet.pts, packet.dts, packet.size, packet.is_keyframe))
                if slices is not None:
                    found.append(slices.qp(packet))
                if len(rows) > _PACKETS_MAX:
                    raise MediaError(f"has over {_PACKETS_MAX:,} pictures", where=self.path, hint="cut it into parts")
            if not rows:
                raise MediaError(
                    "has no picture in it", where=self.path, hint="the file may be cut off; try to play it"
                )
            tick = float(stream.time_base or 0) or 1.0
            rate = stream.average_rate or stream.guessed_rate or stream.base_rate
            nominal = 1.0 / float(rate) if rate else 0.04
            declared = float(stream.duration * tick) if stream.duration and stream.duration > 0 else 0.0
            if not declared and container.duration and container.duration > 0:
                declared = container.duration / _CONTAINER_TICKS
        stamps, coded, sizes, keys = zip(*rows, strict=True)
        table = arrange(
            np.array(stamps, dtype=np.float64) * tick,
            np.array(coded, dtype=np.float64) * tick,
            np.array(sizes, dtype=np.int64),
            np.array(keys, dtype=np.bool_),
            np.array(found, dtype=np.float32) if quantisers else np.full(len(rows), np.nan, np.float32),
            nominal=nominal if 1e-4 <= nominal <= 60 else 0.04,
        )
        self._remark(table, declared)
        return table

    def _remark(self, table: Packets, declared: float) -> None:
        if table.restarts:
            self.notes.append(f"the clock restarts {table.restarts} times: times go on from there")
        elif table.repaired:
            self.notes.append(f"{table.repaired} time stamps repaired")
        if declared and table.seconds < 0.95 * declared - 0.5:
            self.notes.append(f"ends after {table.seconds:.1f} s of the {declared:.1f} s that it declares")

    def _demux(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[Any]]:
        """Read packets with contents; after a read error try again a bounded number of times."""
        for _ in range(_READ_ERRORS_MAX):
            packets = container.demux(stream)
            try:
                for packet in packets:
                    if packet.size:
                        yield packet
            except FOREIGN:
                self.broken += 1
            else:
                return

    def grids(  # noqa: C901 - one loop over packets
        self, table: Packets, plan: NDArray[np.uint8], *, deblock: bool = False
    ) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Decode the packets that a plan asks for; yield seconds and the luma grid of each picture.

        Args:
            table: the stream's packets.
            plan: uint8 (packets,), SKIP, REFERENCES or FULL; a run must start at a key frame. It may be changed on the
                way, for packets that are still to come.
            deblock: whether to run the loop filter; without it, pictures drift a little until the next key frame.
        """
        sampler = Sampler()
        wanted = np.flatnonzero(plan)
        if not len(wanted):
            return
        last = int(wanted[-1])
        with mapped(self.path), open_container(self._file) as container:
            stream = video_stream(container, self.path)
            context = stream.codec_context
            if not deblock:
                context.options = {**context.options, "skip_loop_filter": "all"}
            tick = float(stream.time_base or 0) or 1.0
            running, mode, offset, row = False, -1, 0.0, 0
            shifts = table.offset
            for index, packet in enumerate(self._demux(container, stream)):
                if index > last:
                    more = np.flatnonzero(plan[index:])
                    if not len(more):
                        break
                    last = index + int(more[-1])
                if index >= table.count:
                    break  # the file has grown since it was listed
                action = int(plan[index])
                if running and (action == SKIP or shifts[index] != offset):
                    yield from self._shown(stream, None, sampler, tick, offset)
                    context.flush_buffers()
                    running = False
                if action == SKIP:
                    continue
                offset, running = float(shifts[index]), True
                if action != mode:
                    context.skip_frame = "NONREF" if action == REFERENCES else "DEFAULT"
                    mode = action
                before = self.broken
                yield from self._shown(stream, packet, sampler, tick, offset)
                row = row + 1 if self.broken > before else 0
                if row > BROKEN_MAX:
                    raise MediaError(f"{BROKEN_MAX:,} broken packets in a row", where=self.path, hint="copy it again")
            if running:
                yield from self._shown(stream, None, sampler, tick, offset)

    def _shown(
        self, stream: VideoStream, packet: Packet[Any] | None, sampler: Sampler, tick: float, offset: float
    ) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        try:
            frames = stream.decode(packet)
        except FOREIGN:
            self.broken += 1
            return
        for frame in frames:
            self.decoded += 1
            size = (frame.width, frame.height)
            if size != self.size:
                if self.size != (0, 0) and len(self.notes) < 8:
                    self.notes.append(f"size changes from {self.size[0]}x{self.size[1]} to {size[0]}x{size[1]}")
                self.size = size
            stamp = frame.pts if frame.pts is not None else frame.dts
            yield (stamp * tick + offset if stamp is not None else float("nan")), sampler.sample(frame)
