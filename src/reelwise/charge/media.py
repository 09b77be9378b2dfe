"""What a container says of a clip: length, frames, size, sound. Nothing is decoded.

A length is an upper bound: the longest of what the container, its streams and its frame count say. Where the header has none,
or one that its bytes contradict, the packets' time stamps are read instead.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import InputError, MediaError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

__all__ = ["PACKETS_MAX", "Media", "media_of"]

PACKETS_MAX = 5_000_000
_QUICK = {"probesize": "5000", "analyzeduration": "1", "codec_whitelist": "none", "advanced_editlist": "0"}
"""The header alone: without these libav reads on and decodes a few frames, to fill in what most headers say.

Edit lists are not followed: a trimmed file counts whole, as a vendor that does not follow them would count it.
"""
_TICKS = 1_000_000  # a second, in libav's own clock
_SAID = frozenset(
    {"mov", "mp4", "matroska", "webm", "avi", "flv", "asf", "wav", "flac", "ogg", "mpegts", "mxf", "aiff"}
)
"""Demuxers whose length is written in the file; the others guess it from the bit rate."""
_SLOW = frozenset({"mpegts"})
"""Demuxers that need more than the first bytes to tell the frame rate."""
_LAST_SHORT = frozenset({"flv"})
"""Demuxers whose length ends where the last frame begins."""
_BYTES_A_FRAME = 2
"""No container writes a frame in less: a header that says so was never finished."""
_BYTES_A_PIXEL = 6
"""Uncompressed, 16 bits for each of three colours: more than that means that the length in the header is wrong."""
_BYTES_A_SECOND = 1_000_000
"""Sound, subtitles and the container's own, beside the picture."""
_HINT = "give its length yourself: Media(seconds=..., width=..., height=...)"


class Media(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clip or sound, as far as its price depends on it.

    Attributes:
        seconds: length of the whole file at most.
        width, height: of a frame in pixels; 0 where there is no picture.
        fps: frames a second on average; 0 is unknown.
        frames: frames in it at most; 0 is taken from length and rate.
        has_audio: whether there is sound.
        seconds_picture, seconds_sound: length of the picture and of the sound at most; 0 is that of the whole.
        bytes: size of the file; 0 is unknown.
        notes: what a reader must know.
    """

    seconds: float
    width: int = 0
    height: int = 0
    fps: float = 0.0
    frames: int = 0
    has_audio: bool = False
    seconds_picture: float = 0.0
    seconds_sound: float = 0.0
    bytes: int = 0
    notes: tuple[str, ...] = ()

    @property
    def picture_seconds(self) -> float:
        """Length of the picture, at most."""
        return (self.seconds_picture or self.seconds) if self.width else 0.0

    @property
    def sound_seconds(self) -> float:
        """Length of the sound, at most; 0 without sound."""
        return (self.seconds_sound or self.seconds) if self.has_audio else 0.0

    @property
    def frames_most(self) -> int:
        """Frames, at most; 0 where neither their number nor their rate is known."""
        return self.frames or (math.floor(self.picture_seconds * self.fps * (1 + 1e-9)) + 1 if self.fps else 0)

    def check(self) -> None:
        """Refuse a length that cannot be held for.

        Raises:
            InputError: none, negative or infinite.
        """
        for name in ("seconds", "seconds_picture", "seconds_sound", "fps"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InputError(f"{value} {name}", where=f"media.{name}", hint="give a finite number")
        if self.seconds <= 0:
            raise InputError("its length is not known", where="media.seconds", hint=_HINT)
        if min(self.width, self.height, self.frames) < 0 or bool(self.width) != bool(self.height):
            raise InputError(
                f"{self.width}x{self.height} px and {self.frames} frames", where="media", hint="give width and height"
            )


def media_of(path: str | os.PathLike[str]) -> Media:
    """Read what a file's container says, in a few milliseconds.

    Raises:
        MediaError: missing, empty, no clip or sound, or of a length that neither header nor packets say.
    """
    from reelwise.video.files import checked_file
    from reelwise.video.reader import mapped, open_container

    file = checked_file(path)
    where = str(path)
    size = file.stat().st_size
    with mapped(where):
        with open_container(file, **_QUICK) as container:
            found = _read(container, size, quick=True)
        if found is None:
            with open_container(file) as container:
                found = _read(container, size, quick=False) or _walk(container, where, size, file)
    return found


def _streams(container: InputContainer) -> tuple[Any, Any]:
    """Pick the first picture that is no cover, and the longest sound."""
    from av.stream import Disposition

    pictures = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    sounds = [s for s in container.streams.audio if s.codec_context is not None]
    return next(pictures, None), max(sounds, key=_length, default=None)


def _length(stream: Stream) -> float:
    """Length of a stream in seconds as its header says, or 0."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    text = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = text.split(":")
        return float(hours) * 3600 + float(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0


def _rate(video: Any) -> float:
    rate = video.average_rate or video.guessed_rate or video.base_rate
    fps = float(rate) if rate else 0.0
    return fps if 0 < fps < 1000 else 0.0


def _read(container: InputContainer, size: int, *, quick: bool) -> Media | None:
    """Read the header; None where it does not say enough, or something that the bytes contradict."""
    video, sound = _streams(container)
    names = frozenset(container.format.name.split(","))
    if not _SAID & names or (quick and names & _SLOW) or (video is None and sound is None):
        return None
    whole = container.duration / _TICKS if container.duration and container.duration > 0 else 0.0
    heard = (_length(sound) or whole) if sound is not None else 0.0
    if video is None:
        return Media(seconds=max(whole, heard), has_audio=True, seconds_sound=heard, bytes=size) if heard else None
    context, fps = video.codec_context, _rate(video)
    if context is None or not context.width or not context.height or not fps:
        return None
    frames = max(0, video.frames)
    picture = max(_length(video) or whole, frames / fps)
    if names & _LAST_SHORT:
        picture += 1 / fps
    most = _BYTES_A_PIXEL * context.width * context.height * (picture * fps + 1) + _BYTES_A_SECOND * (whole + 1)
    least = _BYTES_A_FRAME * picture * fps
    if picture <= 0 or not least <= size <= most:
        return None
    if frames < 0.99 * picture * fps:  # the first fragment's alone
        frames = 0
    return Media(
        seconds=max(whole, picture, heard), width=context.width, height=context.height, fps=fps, frames=frames,
        has_audio=sound is not None, seconds_picture=picture, seconds_sound=heard, bytes=size,
    )  # fmt: skip


def _walk(container: InputContainer, where: str, size: int, file: Path) -> Media:
    """Take the length from the packets' time stamps: reads the file, decodes nothing."""
    video, sound = _streams(container)
    if video is None and sound is None:
        raise MediaError("has neither picture nor sound", where=where, hint="name a clip or a sound file")
    spans: dict[int, _Span] = {s.index: _Span() for s in (video, sound) if s is not None}
    for packet in itertools.islice(_packets(container), PACKETS_MAX + 1):
        span = spans.get(packet.stream_index)
        if span is not None and packet.size:
            span.add(packet)
    if sum(span.count for span in spans.values()) > PACKETS_MAX:
        raise MediaError("its header gives no length, and it has too many packets to count", where=where, hint=_HINT)
    fps = _rate(video) if video is not None else 0.0
    picture, frames = 0.0, 0
    if video is not None:
        frames = spans[video.index].count
        picture = max(spans[video.index].seconds, frames / fps if fps else 0.0)
        fps = fps or (frames / picture if picture else 0.0)
    heard = spans[sound.index].seconds if sound is not None else 0.0
    seconds = max(picture, heard)
    context = video.codec_context if video is not None else None
    if seconds <= 0 or (video is not None and (context is None or not context.width or picture <= 0)):
        raise MediaError("neither its header nor its packets give a length", where=where, hint=_HINT)
    return Media(
        seconds=seconds, width=context.width if context else 0, height=context.height if context else 0, fps=fps,
        frames=frames, has_audio=sound is not None, seconds_picture=picture, seconds_sound=heard, bytes=size,
        notes=(f"{file.name}: the header's length is missing or cannot be right; counted {frames or 'its'} packets",),
    )  # fmt: skip


def _packets(container: InputContainer) -> Iterator[Packet[Any]]:
    """Read packets up to the end, or to the first that cannot be read."""
    from reelwise.video.reader import FOREIGN

    try:
        yield from container.demux()
    except FOREIGN:
        return


class _Span:
    """From the first to the end of the last packet of a stream."""

    def __init__(self) -> None:
        self.count = 0
        self._first = math.inf
        self._last = -math.inf
        self._lasting = 0.0

    def add(self, packet: Packet[Any]) -> None:
        self.count += 1
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.time_base is None:
            if packet.duration and packet.time_base is not None:
                self._lasting += float(packet.duration * packet.time_base)
            return
        at = float(stamp * packet.time_base)
        self._first = min(self._first, at)
        self._last = max(self._last, at + float((packet.duration or 0) * packet.time_base))

    @property
    def seconds(self) -> float:
        return max(self._last - self._first if self._last > self._first else 0.0, self._lasting)
