"""A live stream read by a thread of its own into a bounded queue, so that no wait for a camera holds up anything else.

The thread opens the stream, reads packets, decodes sound if it is asked for, and opens a stream that went away again, with
longer and longer pauses and a bounded number of tries. What it puts into the queue is bounded in count and bytes: a file
waits until there is room, a camera's packets are dropped up to the next key frame.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from reelwise.errors import MediaError, ReelwiseError, StreamError
from reelwise.video.reader import FOREIGN, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

__all__ = ["SOUND_RATE", "Coded", "Ended", "Feed", "Heard", "Item", "Listener", "Lost", "Opened", "Pump"]

SOUND_RATE = 16_000
"""Samples a second of the sound that is handed on: one channel, 16 bits."""

_ITEMS_MAX = 3_000
_BYTES_MAX = 64 * 2**20
_WAIT_SECONDS = 0.2
_READ_ERRORS_MAX = 50
_BACKOFF_SECONDS = 0.5
_BACKOFF_MAX_SECONDS = 30.0


class Opened(NamedTuple):
    """The stream is open; `codec` and what follows make a decoder for it."""

    codec: str
    extradata: bytes
    width: int
    height: int
    interval: float
    sound: bool


class Coded(NamedTuple):
    """One packet of video.

    `stamp` is the stream's own clock in seconds at which the picture is shown, None where unknown; `arrived` is seconds
    since 1970, when it was read.
    """

    stamp: float | None
    size: int
    key: bool
    damaged: bool
    arrived: float
    packet: Packet[Any]


class Heard(NamedTuple):
    """Some sound: int16 samples, `SOUND_RATE` a second, and the stream's own clock in seconds of the first."""

    stamp: float | None
    samples: NDArray[np.int16]


class Lost(NamedTuple):
    """The stream went away; it will be opened again."""

    why: str


class Ended(NamedTuple):
    """Nothing more comes: `error` where that is not how a stream should end."""

    why: str
    error: ReelwiseError | None


Item = Opened | Coded | Heard | Lost | Ended


class Feed(Protocol):
    """What a pump reads: opened anew as often as it goes away.

    Attributes:
        shown: the name to show, without a password.
        lossy: whether packets may be dropped (a camera does not wait) or the reader waits (a file does).
        tries: how often in a row it is opened again.
    """

    shown: str
    lossy: bool
    tries: int

    def open(self, stop: threading.Event) -> InputContainer:
        """Open it within a bounded time, or raise `ReelwiseError` or one of libav's errors."""

    def over(self, error: Exception | None) -> str:
        """Say why reading ended, once it did: with an error, or without one at the end."""

    def close(self) -> None:
        """Let go of what `open` took beside the container."""


class Pump(threading.Thread):
    """Reads a feed.

    Args:
        feed: what to read.
        sound: whether to decode sound.
    """

    def __init__(self, feed: Feed, *, sound: bool = False) -> None:
        super().__init__(name="reelwise-reader", daemon=True)
        self.cpu_seconds = 0.0
        self.dropped = 0
        self.read_errors = 0
        self.bytes_held_most = 0
        self._feed = feed
        self._sound = sound
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._skipping = False

    def items(self) -> Iterator[Item | None]:
        """Yield what is read, None whenever nothing came for a fifth of a second, until the stream has ended."""
        while True:
            with self._changed:
                if not self._items:
                    self._changed.wait(_WAIT_SECONDS)
                item = self._items.popleft() if self._items else None
                self._bytes -= _weight(item)
                self._changed.notify_all()
            if item is None and not self.is_alive() and not self._items:
                yield Ended("reading stopped", StreamError("reading stopped unexpectedly", where=self._feed.shown))
                return
            yield item
            if isinstance(item, Ended):
                return

    def close(self) -> None:
        """Make the thread end; what it waits for is given up within its own limits."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def run(self) -> None:
        """Read until the feed ends, is given up, or `close` is called."""
        failed, first = 0, True
        while not self._stopping.is_set():
            error: ReelwiseError | None = None
            received = 0
            try:
                with self._feed.open(self._stopping) as container:
                    received, why = self._read(container)
            except ReelwiseError as problem:
                error, why = problem, problem.message
            except FOREIGN as problem:
                why = self._feed.over(problem)
                error = StreamError(f"cannot be opened: {why}", where=self._feed.shown, hint="is the address right?")
            finally:
                self._feed.close()
            failed = 0 if received else failed + 1
            if self._stopping.is_set():
                break
            if first and not received:
                return self._end(why, error or MediaError("has no picture in it", where=self._feed.shown))
            first = False
            if not self._feed.tries:
                return self._end(why, error)
            if failed > self._feed.tries:
                gone = StreamError(
                    f"went away and did not come back in {self._feed.tries} tries: {why}",
                    where=self._feed.shown,
                    hint="is the camera on? --reconnects N tries longer",
                )
                return self._end(why, gone)
            self._put(Lost(why))
            self._stopping.wait(min(_BACKOFF_MAX_SECONDS, _BACKOFF_SECONDS * 2**failed))
        return self._end("stopped", None)

    def _end(self, why: str, error: ReelwiseError | None) -> None:
        self._put(Ended(why, error))

    def _read(self, container: InputContainer) -> tuple[int, str]:
        """Hand on all packets of one connection; return how many, and why it ended."""
        video = video_stream(container, self._feed.shown)
        context = video.codec_context
        sounds = [one for one in container.streams.audio if one.codec_context is not None][: int(self._sound)]
        rate = video.average_rate or video.guessed_rate or video.base_rate
        interval = 1.0 / float(rate) if rate and 1e-4 <= 1.0 / float(rate) <= 60 else 0.04
        extradata = bytes(context.extradata or b"")
        self._put(Opened(context.name, extradata, context.width, context.height, interval, bool(sounds)))
        received, problem = 0, None
        listener = Listener() if sounds else None
        for _ in range(_READ_ERRORS_MAX):
            began, problem = time.thread_time(), None
            try:
                for packet in container.demux([video, *sounds]):
                    if self._stopping.is_set():
                        return received, "stopped"
                    if packet.stream is not video:
                        for heard in listener.hear(packet) if listener is not None else ():
                            self._put(heard)
                    elif packet.size:
                        received += 1
                        self._put(_coded(packet, video))
                    now = time.thread_time()
                    self.cpu_seconds += now - began
                    began = now
            except FOREIGN as error:
                problem = error
                self.read_errors += 1
            if problem is None or self._feed.lossy:
                break
        return received, self._feed.over(problem)

    def _put(self, item: Item) -> None:
        with self._changed:
            if isinstance(item, Coded | Heard):
                if self._full() and self._feed.lossy:
                    self._skipping = True
                elif self._skipping and isinstance(item, Coded) and item.key:
                    self._skipping = False
                if self._skipping:
                    self.dropped += isinstance(item, Coded)
                    return
                while self._full() and not self._stopping.is_set():
                    self._changed.wait(_WAIT_SECONDS)
            self._items.append(item)
            self._bytes += _weight(item)
            self.bytes_held_most = max(self.bytes_held_most, self._bytes)
            self._changed.notify_all()

    def _full(self) -> bool:
        return len(self._items) >= _ITEMS_MAX or self._bytes >= _BYTES_MAX


def _weight(item: Item | None) -> int:
    if isinstance(item, Coded):
        return item.size
    return item.samples.nbytes if isinstance(item, Heard) else 0


def _coded(packet: Packet[Any], video: VideoStream) -> Coded:
    tick = float(video.time_base or 0)
    ticks = packet.pts if packet.pts is not None else packet.dts
    stamp = None if ticks is None or not tick else ticks * tick
    return Coded(stamp, packet.size, packet.is_keyframe, packet.is_corrupt, time.time(), packet)


class Listener:
    """Decodes sound to one channel of `SOUND_RATE`; what is broken is left out."""

    def __init__(self) -> None:
        from av import AudioResampler

        self._resampler = AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)

    def hear(self, packet: Packet[Any]) -> Iterator[Heard]:
        """Yield the sound of one packet."""
        try:
            for frame in packet.decode():
                stamp = frame.pts * float(frame.time_base) if frame.pts is not None and frame.time_base else None
                for one in self._resampler.resample(frame):  # type: ignore[arg-type]
                    yield Heard(stamp, np.array(one.to_ndarray()[0], np.int16))
                    stamp = None
        except FOREIGN:
            return
