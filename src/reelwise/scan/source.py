"""A clip opened for scanning: all its packets without decoding, then only those packets decoded that a plan asks for.

Packets are read again for every pass and fed to the decoder or not. Where a container has an index and the clock is whole, long
stretches that no plan asks for are jumped over; where the jump does not land on the packet that was meant, everything is read,
which costs under a hundredth of decoding it. So files without an index or with lost packets give the same answer as good ones.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from reelwise.errors import MediaError
from reelwise.scan.packets import Packets, arrange
from reelwise.scan.slices import SliceReader
from reelwise.video.files import checked_file
from reelwise.video.planes import Sampler
from reelwise.video.reader import BROKEN_MAX, FOREIGN, mapped, open_container, video_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

T = TypeVar("T")

__all__ = ["FULL", "PASS", "REFERENCES", "SKIP", "Source"]

SKIP, REFERENCES, FULL, PASS = 0, 1, 2, 3
"""What to do with a packet: leave it and end the run, decode it if others refer to it, decode it, leave it and go on after it
as if nothing had changed."""

_SHOW_ALL = 8  # libav's flag for pictures whose references are missing, too
_PACKETS_MAX = 20_000_000
_READ_ERRORS_MAX = 50
_CONTAINER_TICKS = 1_000_000  # a second, in libav's own clock
_INDEXED = ("mov", "mp4", "matroska")  # containers that say where each key frame is
_SEEK_MIN = 200  # packets; fewer are read faster than jumped over


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
            damaged = 0
            for packet in self._demux(container, stream):
                damaged += bool(packet.is_corrupt)
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
        if damaged:
            self.notes.append(
                f"packets were lost ({damaged} are marked as damaged): pictures after them may look like an event"
            )
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

    def _planned(
        self, container: InputContainer, stream: VideoStream, table: Packets, plan: NDArray[np.uint8]
    ) -> Iterator[tuple[int, Packet[Any]]]:
        """Read packets with their positions, up to the last that the plan asks for; jump over long stretches where that works."""
        tick = float(stream.time_base or 0) or 1.0
        whole = not (table.repaired or table.restarts)
        able = whole and any(name in container.format.name for name in _INDEXED)
        stamps = np.round((table.times - table.offset) / tick).astype(np.int64) if able else np.zeros(0, np.int64)
        index, idle, packets = 0, True, self._demux(container, stream)
        while index < table.count:  # a file that has grown since it was listed is read to where it was
            if idle and plan[index] == SKIP:
                ahead = np.flatnonzero(plan[index:])
                if not len(ahead):
                    return
                wanted = index + int(ahead[0])
                if able and wanted - index > _SEEK_MIN:
                    packets, landed = self._jumped(container, stream, stamps, wanted)
                    able = index <= landed <= wanted
                    if able:
                        index = landed
                    else:
                        packets = self._again(container, stream, index, int(stamps[0]))
                idle = False
            packet = next(packets, None)
            if packet is None:
                return
            action = plan[index]
            yield index, packet
            # the decoder gives out what it holds back at the first packet that is left out: only then look ahead
            idle = action == SKIP and (idle or index == 0 or plan[index - 1] != SKIP)
            index += 1

    def _jumped(
        self, container: InputContainer, stream: VideoStream, stamps: NDArray[np.int64], wanted: int
    ) -> tuple[Iterator[Packet[Any]], int]:
        """Jump to a key frame; return the packets from there and the position of the first, -1 where it is not known."""
        try:
            container.seek(int(stamps[wanted]), stream=stream, backward=True)
        except FOREIGN:
            return iter(()), -1
        packets = self._demux(container, stream)
        first = next(packets, None)
        if first is None or first.pts is None or not first.is_keyframe:
            return packets, -1
        at = np.flatnonzero(stamps == first.pts)
        return chain([first], packets), int(at[0]) if len(at) == 1 else -1

    def _again(self, container: InputContainer, stream: VideoStream, count: int, stamp: int) -> Iterator[Packet[Any]]:
        """Read from the beginning, and leave out what was read already.

        Raises:
            MediaError: the file does not begin where it did.
        """
        with mapped(self.path):
            container.seek(min(0, stamp), stream=stream, backward=True)
        packets = self._demux(container, stream)
        for at in range(count):
            packet = next(packets, None)
            if packet is None or (at == 0 and packet.pts != stamp):
                raise MediaError("cannot be read again from its start", where=self.path, hint="copy it again")
        return packets

    def grids(
        self, table: Packets, plan: NDArray[np.uint8], *, deblock: bool = False
    ) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Decode the packets that a plan asks for; yield seconds and the luma grid of each picture.

        Args:
            table: the stream's packets.
            plan: uint8 (packets,), SKIP, REFERENCES, FULL or PASS; a run must start at a key frame. It may be changed on the
                way, for packets that are still to come.
            deblock: whether to run the loop filter; without it, pictures drift a little until the next key frame.
        """
        sampler = Sampler()
        yield from self.pictures(table, plan, lambda _, frame: sampler.sample(frame), deblock=deblock)

    def pictures(
        self, table: Packets, plan: NDArray[np.uint8], take: Callable[[float, VideoFrame], T], *, deblock: bool = True
    ) -> Iterator[tuple[float, T]]:
        """Decode the packets that a plan asks for; yield seconds and what `take` makes of each picture, see `grids`.

        Args:
            table: the stream's packets.
            plan: what to decode.
            take: gets seconds (nan in a raw stream) and the picture, which it must not keep.
            deblock: whether to run the loop filter.
        """
        if not plan.any():
            return
        with mapped(self.path), open_container(self._file) as container:
            stream = video_stream(container, self.path)
            context = stream.codec_context
            if (plan == PASS).any():
                context.flags |= _SHOW_ALL
            if not deblock:
                context.options = {**context.options, "skip_loop_filter": "all"}
            tick = float(stream.time_base or 0) or 1.0
            running, mode, offset, row = False, -1, 0.0, 0
            counted = _Counted(table.interval)
            shifts = table.offset
            for index, packet in self._planned(container, stream, table, plan):
                action = int(plan[index])
                if running and (action == SKIP or shifts[index] != offset):
                    yield from counted(self._shown(stream, None, take, tick, offset))
                    context.flush_buffers()
                    running = False
                if action in {SKIP, PASS}:
                    continue
                counted.begin(float(table.times[index]), running=running)
                offset, running = float(shifts[index]), True
                if action != mode:
                    context.skip_frame = "NONREF" if action == REFERENCES else "DEFAULT"
                    mode = action
                before = self.broken
                yield from counted(self._shown(stream, packet, take, tick, offset))
                row = row + 1 if self.broken > before else 0
                if row > BROKEN_MAX:
                    raise MediaError(f"{BROKEN_MAX:,} broken packets in a row", where=self.path, hint="copy it again")
            if running:
                yield from counted(self._shown(stream, None, take, tick, offset))

    def _shown(
        self,
        stream: VideoStream,
        packet: Packet[Any] | None,
        take: Callable[[float, VideoFrame], T],
        tick: float,
        offset: float,
    ) -> Iterator[tuple[float, T]]:
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
            seconds = stamp * tick + offset if stamp is not None else float("nan")
            yield seconds, take(seconds, frame)


class _Counted:
    """Gives pictures without a time stamp (a raw stream has none) a time by counting them from where decoding began."""

    def __init__(self, interval: float) -> None:
        self._next = 0.0
        self._interval = interval

    def begin(self, seconds: float, *, running: bool) -> None:
        """Count from here where decoding begins anew."""
        self._next = self._next if running else seconds

    def __call__(self, pictures: Iterator[tuple[float, T]]) -> Iterator[tuple[float, T]]:
        for stamp, grid in pictures:
            seconds = stamp if stamp == stamp else self._next  # noqa: PLR0124 - nan is not itself
            self._next = seconds + self._interval
            yield seconds, grid
