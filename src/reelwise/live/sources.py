"""Sources that are decoded here: a file, a camera's stream, a file that grows. A webcam is in `webcam`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter

from reelwise.errors import MediaError
from reelwise.live.source import Picture, Said
from reelwise.scan.pump import Coded, Ended, Heard, Lost, Opened, Pump
from reelwise.scan.timeline import Timeline
from reelwise.video.reader import FOREIGN, Reader, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from reelwise.live.cues import Heard as SoundCue
    from reelwise.live.source import Item
    from reelwise.scan.pump import Feed

__all__ = ["FileSource", "StreamSource"]

_JOIN_SECONDS = 2.0


class _Colours:
    """Turns decoded frames into RGB; one converter for all, for making one takes longer than using it."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame, turns: int = 0) -> NDArray[np.uint8]:
        picture: NDArray[Any] = self._reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


class FileSource:
    """A clip, frame by frame, as fast as it is taken.

    Args:
        path: the clip.

    Raises:
        MediaError: it cannot be read.
    """

    live = False

    def __init__(self, path: str | Path) -> None:
        self._reader = Reader(path)
        info = self._reader.info
        self.shown, self.fps, self.length_seconds = str(path), info.fps, info.seconds
        self.dropped = 0
        self._colours = _Colours()
        self._stopped = False

    def items(self) -> Iterator[Item]:
        """See `Source`."""
        reader, path, turns, any_ = self._reader, self.shown, None, False
        for seconds, frame in reader.frames():
            if self._stopped:
                return
            any_ = True
            if turns is None:
                turns = reader.settled().rotation // 90

            def rgb(frame: VideoFrame = frame, turns: int = turns) -> NDArray[np.uint8]:
                with mapped(path):
                    return self._colours.rgb(frame, turns)

            yield Picture(seconds, rgb)
        if not any_:
            raise reader.nothing()
        for note in reader.close_notes():
            yield Said(note)

    def stop(self) -> None:
        """See `Source`."""
        self._stopped = True

    def close(self) -> None:
        """See `Source`."""
        self._reader.__exit__()


class StreamSource:
    """A camera's stream, or a file that grows, opened again where it went away.

    Args:
        feed: see `reelwise.scan.feeds`.
        ears: cues that listen to its sound.
    """

    def __init__(self, feed: Feed, *, ears: tuple[SoundCue, ...] = ()) -> None:
        self.shown, self.live = feed.shown, feed.lossy
        self.fps = self.length_seconds = 0.0
        self.dropped = 0
        self._pump = Pump(feed, sound=bool(ears))
        self._ears, self._colours, self._time = ears, _Colours(), Timeline()
        self._decoder: VideoCodecContext | None = None
        self._keyed = False
        self._broken = 0

    def items(self) -> Iterator[Item]:
        """See `Source`."""
        self._pump.start()
        for item in self._pump.items():
            if item is None:
                yield None
            elif isinstance(item, Coded):
                yield from self._decode(item)
            else:
                yield from self._told(item)

    def _told(self, item: Opened | Heard | Lost | Ended) -> Iterator[Item]:
        """Take what is no picture."""
        if isinstance(item, Opened):
            self._open(item)
            if self._ears and not item.sound:
                yield Said("there is no sound in the stream: sound asks for nothing")
        elif isinstance(item, Heard):
            at = None if item.stamp is None else self._time.seconds_of(item.stamp)
            for ear in self._ears:
                ear.hear(at, item.samples)
        elif isinstance(item, Lost):
            yield Said(f"the stream went away ({item.why}): opening it again", lost=True)
        else:
            yield from self._left()
            self.dropped += self._pump.dropped
            if self._broken:
                yield Said(f"{self._broken} broken packets skipped")
            if item.error is not None:
                raise item.error

    def _open(self, opened: Opened) -> None:
        try:
            context = CodecContext.create(opened.codec, "r")
            if not isinstance(context, VideoCodecContext):
                raise MediaError("has no video", where=self.shown)
            if opened.extradata:
                context.extradata = opened.extradata
            context.thread_count = 1
        except FOREIGN as error:
            raise MediaError(f"has a video codec that cannot be decoded: {error}", where=self.shown) from None
        self._decoder, self._keyed = context, False
        self._time.renew(opened.interval)
        self.fps = 1.0 / opened.interval

    def _decode(self, item: Coded) -> Iterator[Picture]:
        seconds, _ = self._time.read(item.stamp, item.arrived)
        self._keyed = self._keyed or item.key
        if self._decoder is None or not self._keyed:
            return  # what comes before the first key frame builds on what was not seen
        try:
            frames = self._decoder.decode(item.packet)
        except FOREIGN:
            self._broken += 1
            return
        tick = float(item.packet.time_base or 0)
        for frame in frames:
            yield self._picture(frame, seconds if frame.pts is None else frame.pts * tick + self._time.offset)

    def _picture(self, frame: VideoFrame, seconds: float) -> Picture:
        def rgb() -> NDArray[np.uint8]:
            with mapped(self.shown):
                return self._colours.rgb(frame)

        return Picture(seconds, rgb)

    def _left(self) -> Iterator[Picture]:
        """Yield what the decoder still holds."""
        if self._decoder is None or not self._keyed:
            return
        try:
            frames = self._decoder.decode(None)
        except FOREIGN:
            return
        for frame in frames:
            yield self._picture(frame, self._time.last)

    def stop(self) -> None:
        """See `Source`."""
        self._pump.close()

    def close(self) -> None:
        """See `Source`."""
        self._pump.close()
        if self._pump.is_alive():
            self._pump.join(_JOIN_SECONDS)
