"""Read media through PyAV: open, probe, luma grids and loudness in one decode, pictures. Foreign errors end here.

Decoding runs on one thread, so CPU seconds mean something, and never loads more than a frame.
"""

from __future__ import annotations

import itertools
import math
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import av
import av.error
import numpy as np
from av.stream import Disposition

from reelwise.errors import MediaError
from reelwise.video.clips import ClipInfo
from reelwise.video.clock import Clock
from reelwise.video.files import checked_file, head_hash
from reelwise.video.planes import Sampler
from reelwise.video.sound import Loudness

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

__all__ = [
    "BROKEN_MAX",
    "FOREIGN",
    "SIDE_MAX",
    "Reader",
    "mapped",
    "open_container",
    "probe",
    "video_stream",
]

SIDE_MAX = 16_384
_PIXELS_MAX = 2**27
BROKEN_MAX = 2_000  # broken packets in a row until the clip is given up
_CHANNELS_MAX = 64
_READ_ERRORS_MAX = 50
_TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf", "lavfi"})  # demuxers that call a text file a video
_TURNING = ("mov", "mp4", "matroska", "webm")  # containers that can carry a rotation
_SAMPLES = {"u8": np.uint8, "s16": np.int16, "s32": np.int32, "s64": np.int64, "flt": np.float32, "dbl": np.float64}
_HINT = "is it a video? try to play it, or re-encode it: ffmpeg -i IN -c:v libx264 OUT.mp4"
FOREIGN = (av.error.FFmpegError, ValueError, OverflowError, NotImplementedError, MemoryError)


@contextmanager
def mapped(path: str, hint: str = _HINT) -> Iterator[None]:
    """Turn libav's errors into a `MediaError`; interrupts pass."""
    try:
        yield
    except MediaError:
        raise
    except FOREIGN as error:
        raise _media_error(path, error, hint) from None


def _media_error(path: str, error: Exception, hint: str = _HINT) -> MediaError:
    if isinstance(error, MemoryError):
        return MediaError("does not fit into memory", where=path, hint="scale it down first")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MediaError(f"cannot be read: {reason}", where=path, hint=hint)


def _sane(frame: AudioFrame) -> bool:
    """Refuse frames of a damaged stream whose planes are not what the layout says: PyAV 18 reads past them and crashes."""
    channels = frame.layout.nb_channels
    return 0 < channels <= _CHANNELS_MAX and len(frame.planes) == (channels if frame.format.is_planar else 1)


class Reader:
    """One clip, open for one pass; use it in a `with` statement.

    Args:
        path: the clip.
        audio: whether to measure loudness on the way.

    Raises:
        MediaError: the clip cannot be opened, has no video, or is larger than 16,384 pixels a side.
    """

    def __init__(self, path: str | os.PathLike[str], *, audio: bool = False) -> None:
        self.path = str(path)
        self._file = checked_file(path)
        self.notes: list[str] = []
        self.cpu_luma = 0.0
        self.cpu_audio = 0.0
        with ExitStack() as stack:
            with mapped(self.path):
                self._container = open_container(self._file)
            stack.callback(self._container.close)
            with mapped(self.path):
                self._video = video_stream(self._container, self.path)
                sound = self._container.streams.audio
                self._sound: AudioStream | None = next((s for s in sound if s.codec_context is not None), None)
                self.info = self._describe()
            stack.pop_all()  # from here on __exit__ closes
        self._listen = self._sound if audio else None
        self._clock = Clock(1.0 / self.info.fps if self.info.fps > 0 else 0.04, self.info.seconds)
        origin = self._video.start_time
        self.loudness = Loudness(float(origin * (self._video.time_base or 0)) if origin is not None else 0.0)
        self._tick = float(self._video.time_base or 0)
        self._beat = float(self._sound.time_base or 0) if self._sound is not None else 0.0
        self._broken = 0
        self._row = 0
        self._sound_broken = 0
        self._rotation: int | None = None
        self._size = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _describe(self) -> ClipInfo:
        video, container = self._video, self._container
        context = video.codec_context
        width, height = context.width, context.height
        _check_size(width, height, self.path)
        rate = video.average_rate or video.guessed_rate or video.base_rate
        fps = float(rate) if rate else 0.0
        base = float(video.base_rate) if video.base_rate else fps
        whole = container.duration / av.time_base if container.duration and container.duration > 0 else 0.0
        seconds = float(video.duration * (video.time_base or 0)) if video.duration and video.duration > 0 else whole
        sound = self._sound
        heard = 0.0
        if sound is not None:
            known = sound.duration is not None and sound.duration > 0 and sound.time_base is not None
            heard = float((sound.duration or 0) * (sound.time_base or 0)) if known else whole
        size = self._file.stat().st_size
        return ClipInfo(
            path=self.path,
            seconds=seconds,
            width=width,
            height=height,
            fps=fps if 0 < fps < 10_000 else 0.0,
            rotation=0,
            codec=context.name,
            container=container.format.name,
            bytes=size,
            audio_seconds=heard,
            has_audio=sound is not None,
            sha256_head=head_hash(self._file, size),
            frames=max(0, video.frames),
            variable_frame_rate=bool(fps and abs(base - fps) > 0.01 * fps),
        )

    def frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Decode from where the container stands: seconds from the first frame, and the decoded frame.

        Broken packets are skipped and counted; `close_notes` says how many.
        """
        video, read, tick = self._video, self._clock.read, self._tick
        for packet in self._packets():
            if packet.stream is not video:
                began = time.thread_time()
                self._hear(packet)
                self.cpu_audio += time.thread_time() - began
                continue
            decoded = self._decoded(packet)
            decoded.reverse()
            while decoded:
                frame = decoded.pop()
                self._note_frame(frame)
                stamp = frame.pts
                yield read(None if stamp is None else stamp * tick), frame
                # a frame that is held while the next one is decoded takes another buffer, and the cache's contents with it
                del frame

    def _packets(self) -> Iterator[Packet[Any]]:
        """Read packets; after a read error try again a bounded number of times, then flush the decoder."""
        streams = [self._video] if self._listen is None else [self._video, self._listen]
        for _ in range(_READ_ERRORS_MAX):
            packets = self._container.demux(streams)
            while True:
                try:
                    packet = next(packets, None)
                except FOREIGN:
                    self._broken += 1
                    break
                if packet is None:
                    return
                yield packet

    def _decoded(self, packet: Packet[Any]) -> list[VideoFrame]:
        try:
            frames = self._video.decode(packet)
        except FOREIGN:
            self._broken += 1
            self._row += 1
            if self._row > BROKEN_MAX:
                raise MediaError(
                    f"{BROKEN_MAX:,} broken packets in a row", where=self.path, hint="copy or record it again"
                ) from None
            return []
        if frames:
            self._row = 0
        return frames

    def _hear(self, packet: Packet[Any]) -> None:
        if self._listen is None or self._sound_broken > _READ_ERRORS_MAX:
            return
        try:
            for frame in self._listen.decode(packet):
                if not _sane(frame):
                    self._sound_broken += 1
                    continue
                name = frame.format.name
                planar = name.endswith("p")
                channels = 1 if planar else frame.layout.nb_channels
                # one plane, as it lies in memory: the array that PyAV makes is a copy of all
                values = np.frombuffer(
                    memoryview(frame.planes[0]), _SAMPLES[name.removesuffix("p")], frame.samples * channels
                )
                stamp = frame.pts
                self.loudness.hear(
                    values[None],
                    planar=planar,
                    channels=channels,
                    at=None if stamp is None else stamp * self._beat,
                    rate=frame.sample_rate,
                )
        except FOREIGN:
            self._sound_broken += 1

    def _note_frame(self, frame: VideoFrame) -> None:
        if self._rotation is None:
            self._rotation = _quarter(frame.rotation)
        size = (frame.width, frame.height)
        if size != self._size:
            _check_size(*size, self.path)
            if self._size != (0, 0):
                self.notes.append(f"size changes from {self._size[0]}x{self._size[1]} to {size[0]}x{size[1]}")
                self.notes[:] = self.notes[:8]
            self._size = size

    def grids(self, interval: float = 0.0) -> Iterator[tuple[float, NDArray[np.uint8] | None, int]]:
        """Decode everything; loudness is measured on the way.

        Args:
            interval: seconds between frames of which the grid is taken, at least.

        Yields:
            Seconds, the luma grid as coded (None where the frame before is too near), and the rotation.
        """
        sampler = Sampler()
        due = -math.inf
        for seconds, frame in self.frames():
            if seconds < due:
                del frame
                yield seconds, None, 0
                continue
            due = seconds + interval
            began = time.thread_time()
            try:
                grid = sampler.sample(frame)
            except FOREIGN as error:
                raise _media_error(self.path, error) from None
            del frame
            self.cpu_luma += time.thread_time() - began
            yield seconds, grid, self._rotation or 0

    def settled(self) -> ClipInfo:
        """Return the metadata with what decoding taught: rotation and size."""
        from msgspec.structs import replace

        width, height = self._size if self._size != (0, 0) else (self.info.width, self.info.height)
        rotation = self._rotation or 0
        if rotation in {90, 270}:
            width, height = height, width
        return replace(self.info, width=width, height=height, rotation=rotation)

    def close_notes(self) -> list[str]:
        """Return what was mended, in words, once decoding is over."""
        notes = list(self.notes)
        if self._broken:
            notes.append(f"{self._broken} broken packets skipped")
        if self._sound_broken:
            notes.append(f"{self._sound_broken} broken audio packets skipped")
        if self._clock.repaired:
            notes.append(f"{self._clock.repaired} time stamps repaired")
        return notes

    @property
    def stamps_repaired(self) -> int:
        """Count the time stamps that had to be repaired so far."""
        return self._clock.repaired

    def seek(self, seconds: float) -> bool:
        """Jump to the last key frame at or before a time from the start; say whether the container could."""
        if self._tick <= 0:
            return False
        target = int(seconds / self._tick + 0.5) + (self._video.start_time or 0)
        try:
            self._container.seek(target, stream=self._video, backward=True)
        except FOREIGN:
            return False
        return True

    def raw_frames(self) -> Iterator[tuple[float | None, VideoFrame]]:
        """Decode from where the container stands with stamps as they are, in seconds from the stream's start."""
        zero = (self._video.start_time or 0) * self._tick
        for packet in self._packets():
            for frame in self._decoded(packet):
                self._note_frame(frame)
                stamp = None if frame.pts is None else frame.pts * self._tick - zero
                yield stamp, frame

    def upright(self, frame: VideoFrame) -> tuple[int, int]:
        """Return a frame's width and height as displayed."""
        turned = (self._rotation or 0) in {90, 270}
        return (frame.height, frame.width) if turned else (frame.width, frame.height)

    def rgb(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """Scale a frame and turn it upright: uint8 (height, width, 3), width and height as displayed."""
        turns = (self._rotation or 0) // 90
        coded = (height, width) if turns % 2 else (width, height)
        with mapped(self.path):
            small = frame.reformat(width=coded[0], height=coded[1], format="rgb24", interpolation="AREA")
            return np.ascontiguousarray(np.rot90(small.to_ndarray(), turns))

    def nothing(self) -> MediaError:
        """Make the error for a clip of which no frame decodes."""
        return MediaError(
            "no frame can be decoded",
            where=self.path,
            hint="the file may be cut off or encrypted; try to play it, or copy it again",
        )


def open_container(file: Path, **more: str) -> InputContainer:
    """Open a file for reading, with limits and `more` of libav's options; foreign errors are not mapped here."""
    options = {"max_pixels": str(_PIXELS_MAX), "protocol_whitelist": "file", "threads": "1", **more}
    container = av.open(f"file:{file.resolve()}", metadata_errors="replace", options=options)
    if container.format.name in _TEXT_ART:
        container.close()
        raise MediaError("is text, not a video", where=str(file), hint="name a clip")
    return container


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """Return the first stream of video that is no cover picture, set to one thread."""
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise MediaError("has a video codec that is not supported", where=path, hint="re-encode it as H.264")
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.options = {"max_pixels": str(_PIXELS_MAX)}
        return stream
    what = "has sound but no video" if container.streams.audio else "has no video"
    raise MediaError(what, where=path, hint="name a clip with a picture")


def _check_size(width: int, height: int, path: str) -> None:
    if max(width, height) > SIDE_MAX or width * height > _PIXELS_MAX:
        raise MediaError(
            f"is {width}x{height} pixels; a side may have {SIDE_MAX:,}, a picture {_PIXELS_MAX:,}",
            where=path,
            hint="scale it down first",
        )


def _quarter(degrees: int) -> int:
    return round(degrees / 90) % 4 * 90


def probe(path: str | os.PathLike[str]) -> ClipInfo:
    """Read a clip's metadata; decodes nothing, but for the first frame where the container can carry a rotation.

    Raises:
        MediaError: missing, a folder, empty, not a video, or too large.
    """
    with Reader(path) as reader:
        if any(name in reader.info.container for name in _TURNING):
            with suppress(MediaError):
                for _ in itertools.islice(reader.frames(), 1):
                    return reader.settled()
        return reader.info
