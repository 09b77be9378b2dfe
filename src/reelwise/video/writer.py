"""Write media through PyAV: JPEG pictures, and H.264 clips with sound that the project draws itself."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from reelwise.errors import InputError, OutputError
from reelwise.video.files import checked_file
from reelwise.video.reader import mapped, open_container, video_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["copy_head", "jpeg", "write_mp4"]


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
