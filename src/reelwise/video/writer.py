"""Write media through PyAV: JPEG pictures, H.264 clips with sound that the project draws itself, and recordings frame by frame."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter

from reelwise.errors import InputError, OutputError
from reelwise.video.files import checked_file
from reelwise.video.reader import mapped, open_container, video_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

__all__ = ["RECORDINGS", "Recording", "copy_head", "jpeg", "write_mp4"]

RECORDINGS: dict[str, str] = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Containers of recordings, by the ending of the file."""
_TICKS = 90_000
_LEAST = 90  # a millisecond: containers keep no less


def jpeg(rgb: NDArray[np.uint8], *, quality: int = 4) -> bytes:
    """Encode a picture as JPEG.

    Args:
        rgb: uint8 (height, width, 3).
        quality: the encoder's quantiser, 2 (best) to 31.

    Raises:
        InputError: not such an array, or a quality out of range.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 2:
        raise InputError(f"not an RGB picture: {rgb.dtype} {rgb.shape}", hint="give uint8 (height, width, 3)")
    if not 2 <= quality <= 31:
        raise InputError("a JPEG quality is 2 (best) to 31", hint="4 is good")
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), format="rgb24")
    frame = frame.reformat(format="yuvj420p")
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height = width, height
    context.pix_fmt = "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.options = {"qmin": str(quality), "qmax": str(quality), "strict": "unofficial"}
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def write_mp4(
    path: str | os.PathLike[str],
    frames: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]],
    *,
    width: int,
    height: int,
    fps: int,
    sound: NDArray[np.float32] | None = None,
    sample_rate: int = 16_000,
    crf: int = 27,
    gop_seconds: float = 4.0,
) -> None:
    """Encode planar 4:2:0 frames as H.264 in MP4, on one thread so that equal input gives equal bytes.

    Args:
        path: where to write; the file appears whole or not at all.
        frames: luma (height, width) and two chroma planes (height/2, width/2), uint8.
        width: even pixels.
        height: even pixels.
        fps: frames a second.
        sound: mono samples -1..1, or None for a silent clip without audio stream.
        sample_rate: samples a second.
        crf: x264's constant rate factor.
        gop_seconds: distance of key frames.

    Raises:
        OutputError: the file cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part.mp4")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as out:
            video = out.add_stream("libx264", rate=fps)
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.codec_context.thread_count = 1
            video.codec_context.gop_size = max(1, round(fps * gop_seconds))
            video.options = {"preset": "superfast", "crf": str(crf), "tune": "zerolatency"}
            voice = out.add_stream("aac", rate=sample_rate, layout="mono") if sound is not None else None
            if voice is not None:
                voice.bit_rate = 32_000
            for index, planes in enumerate(frames):
                packed = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
                frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
                frame.pts = index
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
            if voice is not None and sound is not None:
                for start in range(0, len(sound), 1024):
                    chunk = np.ascontiguousarray(sound[None, start : start + 1024], np.float32)
                    heard = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
                    heard.sample_rate = sample_rate
                    heard.pts = start
                    out.mux(voice.encode(heard))
                out.mux(voice.encode(None))
        part.replace(target)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot write: {reason}", where=str(path), hint="name another place") from None
    finally:
        with suppress(OSError):
            part.unlink()


class Recording:
    """A video that is written frame by frame, each at its own time; the file appears when it is closed, whole, or not at all.

    Frames of another size than the first are scaled into it. Sides are made even.

    Args:
        path: .mp4, .mov or .mkv.
        fps: the usual rate; what times say holds.
        grey: lossless shades of grey (FFV1) in .mkv; in .mp4 and .mov H.264 as well.

    Raises:
        InputError: another ending.
    """

    def __init__(self, path: Path, *, fps: float, grey: bool = False) -> None:
        if path.suffix.lower() not in RECORDINGS:
            raise InputError(
                f"no video is written as {path.suffix[:20] or 'a file without ending'}",
                where=str(path),
                hint=", ".join(RECORDINGS),
            )
        self.frames = 0
        self._path, self._fps, self._grey = path, fps if 0.1 <= fps <= 1000 else 25.0, grey
        self._part = path.with_name(f".{path.name}.part{path.suffix}")
        self._lossless = grey and path.suffix.lower() == ".mkv"
        self._out: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._reformatter = VideoReformatter()
        self._last = -_LEAST

    def write(self, picture: NDArray[np.uint8], seconds: float) -> None:
        """Write a frame.

        Args:
            picture: RGB uint8 (height, width, 3), or (height, width) where it is grey.
            seconds: when it is shown.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            if self._stream is None or self._out is None:
                self._open(picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2)
            stream, out = self._stream, self._out
            if stream is None or out is None:  # opened above
                return
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray" if self._grey else "rgb24")
            frame = self._reformatter.reformat(
                frame, width=stream.width, height=stream.height, format=stream.pix_fmt, threads=1
            )
            ticks = max(self._last + _LEAST, round(seconds * _TICKS))
            frame.pts, frame.time_base, self._last = ticks, Fraction(1, _TICKS), ticks
            out.mux(stream.encode(frame))
            self.frames += 1
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abandon()
            raise self._failed(error) from None

    def _open(self, width: int, height: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kind = RECORDINGS[self._path.suffix.lower()]
        self._out = av.open(str(self._part), "w", format=kind)
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = self._out.add_stream("ffv1" if self._lossless else "libx264", rate=rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = "gray" if self._lossless else "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = 1
        if not self._lossless:
            stream.options = {"preset": "veryfast", "crf": "20", "tune": "zerolatency"}
        self._stream = stream

    def close(self) -> None:
        """Finish the file; without a single frame there is none.

        Raises:
            OutputError: it cannot be written.
        """
        out, self._out = self._out, None
        if out is None or self._stream is None:
            return
        try:
            out.mux(self._stream.encode(None))
            out.close()
            self._part.replace(self._path)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abandon()
            raise self._failed(error) from None

    def abandon(self) -> None:
        """Leave nothing behind."""
        out, self._out = self._out, None
        with suppress(av.error.FFmpegError, OSError, ValueError):
            if out is not None:
                out.close()
        with suppress(OSError):
            self._part.unlink()

    def _failed(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(f"cannot write: {reason}", where=str(self._path), hint="name another place")


def copy_head(path: str, seconds: float, target: Path) -> None:
    """Copy the first seconds of a clip's pictures into a Matroska file as they are coded, without decoding.

    Args:
        path: the clip.
        seconds: how much of it.
        target: where to write.

    Raises:
        MediaError: it cannot be read, or its pictures cannot be put into another container.
    """
    with (
        mapped(path),
        open_container(checked_file(path)) as source,
        av.open(str(target), "w", format="matroska") as out,
    ):
        stream = video_stream(source, path)
        copy = out.add_stream_from_template(stream)
        first: float | None = None
        for packet in source.demux(stream):
            if packet.dts is None or not packet.size:
                continue
            at = float(packet.dts * packet.time_base)
            first = at if first is None else first
            if at - first >= seconds:
                break
            packet.stream = copy
            out.mux(packet)
