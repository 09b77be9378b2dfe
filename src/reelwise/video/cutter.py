"""Cut a clip to what a model is to see: stretches joined, a region, a size, a rate; written by libx264, a frame at a time."""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np
from msgspec import Struct

from reelwise.errors import MediaError, OutputError
from reelwise.video.files import checked_file
from reelwise.video.reader import FOREIGN, Reader, mapped, open_container
from reelwise.video.stills import pictures

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Cut", "cut_clip", "cut_sound", "framed", "picture_jpeg", "sheet_of", "slides", "stills_at"]

_RATE = 16_000
_FPS_MAX = 10
_TOGETHER = 8
_EPSILON = 1e-6
_QUALITY = {"qmin": "4", "qmax": "4", "strict": "unofficial"}


class Cut(Struct, frozen=True, kw_only=True):
    """How frames are framed.

    Attributes:
        box: region as fractions (left, top, right, bottom).
        width, height: pixels it is scaled to, never up by more than the rounding of sides.
    """

    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    width: int
    height: int


def framed(rgb: NDArray[np.uint8], cut: Cut) -> NDArray[np.uint8]:
    """Crop and scale a picture: uint8 (height, width, 3) in, `cut.height` x `cut.width` out."""
    high, wide = rgb.shape[:2]
    left, top, right, bottom = cut.box
    x0, y0 = min(wide - 1, round(left * wide)), min(high - 1, round(top * high))
    x1, y1 = max(x0 + 1, round(right * wide)), max(y0 + 1, round(bottom * high))
    part = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    if part.shape[:2] == (cut.height, cut.width):
        return part
    frame = av.VideoFrame.from_ndarray(part, format="rgb24")
    small = frame.reformat(width=cut.width, height=cut.height, interpolation="AREA")
    return np.ascontiguousarray(small.to_ndarray(format="rgb24"))


def picture_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """Encode a picture as JPEG with exactly its own size, odd sides included."""
    height, width = rgb.shape[:2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuvj420p")
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base, context.options = Fraction(1, 25), dict(_QUALITY)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def sheet_of(
    frames: Sequence[NDArray[np.uint8]], *, columns: int, rows: int, width: int, height: int
) -> NDArray[np.uint8]:
    """Lay frames out as a contact sheet, row by row, on black: uint8 (height, width, 3)."""
    sheet = np.zeros((height, width, 3), np.uint8)
    for at, rgb in enumerate(frames[: columns * rows]):
        row, column = divmod(at, columns)
        x0, x1 = round(column * width / columns), round((column + 1) * width / columns)
        y0, y1 = round(row * height / rows), round((row + 1) * height / rows)
        if x1 > x0 and y1 > y0:
            sheet[y0:y1, x0:x1] = framed(rgb, Cut(width=x1 - x0, height=y1 - y0))
    return sheet


def stills_at(path: str, times: Sequence[float], long_side: int) -> Iterator[NDArray[np.uint8]]:
    """Decode pictures at ascending times, a few in memory at once."""
    for start in range(0, len(times), _TOGETHER):
        for _, rgb in pictures(path, times[start : start + _TOGETHER], long_side=long_side):
            yield rgb


def cut_clip(
    path: str | os.PathLike[str],
    target: Path,
    *,
    stretches: Sequence[tuple[float, float]],
    cut: Cut,
    sound: bool,
) -> None:
    """Write the stretches of a clip one after another as a clip of its own, at ten frames a second at most.

    Its length is that of the stretches, rounded up to a whole frame: a rate of frames a second finds in it as many as in them.

    Args:
        path: the clip.
        target: the MP4 to write.
        stretches: (start, stop) in seconds from the first frame, ascending.
        cut: region and size; odd sides lose a pixel.
        sound: whether its sound comes along.

    Raises:
        MediaError: the clip cannot be read, or has no picture in these stretches.
        OutputError: the file cannot be written.
    """
    total = sum(stop - start for start, stop in stretches)
    with Reader(path) as reader:
        fps = max(1, min(_FPS_MAX, round(reader.info.fps or _FPS_MAX)))
    count = max(1, math.ceil(total * fps - _EPSILON))

    def frames() -> Iterator[NDArray[np.uint8]]:
        made = 0
        last: NDArray[np.uint8] | None = None
        with Reader(path) as reader:
            for seconds, frame in reader.frames():
                at = _place(seconds, stretches)
                if at is None:
                    continue
                due = min(count, math.floor(at * fps + _EPSILON) + 1)
                if due > made:
                    width, height = reader.upright(frame)
                    last = framed(reader.rgb(frame, width, height), cut)
                    while made < due:
                        yield last
                        made += 1
        if last is None:
            raise MediaError("has no picture in these stretches", where=str(path), hint="the source ended early?")
        for _ in range(count - made):
            yield last

    _write(target, frames(), fps=fps, sound=_sound(path, stretches) if sound else None)


def slides(path: str, target: Path, *, times: Sequence[float], cut: Cut, fps: int = 1) -> None:
    """Write chosen frames as a clip at the rate that a model looks at clips: it sees each of them once.

    Raises:
        MediaError, OutputError: see `cut_clip`.
    """
    long_side = 16_384
    found = (framed(rgb, cut) for rgb in stills_at(path, times, long_side))
    _write(target, found, fps=fps, sound=None)


def cut_sound(path: str | os.PathLike[str], target: Path, stretches: Sequence[tuple[float, float]]) -> float:
    """Write the sound of stretches as WAV, 16 kHz mono; return its seconds.

    Raises:
        MediaError, OutputError: see `cut_clip`.
    """
    import wave

    count = 0
    try:
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            for samples in _sound(path, stretches):
                file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
                count += len(samples)
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror or error}", where=str(target), hint="another --out") from None
    return count / _RATE


def _place(seconds: float, stretches: Sequence[tuple[float, float]]) -> float | None:
    """Say when, in the joined clip, a moment of the clip comes; None where it lies in no stretch."""
    before = 0.0
    for start, stop in stretches:
        if start - _EPSILON <= seconds < stop - _EPSILON:
            return before + max(0.0, seconds - start)
        before += stop - start
    return None


def _sound(path: str | os.PathLike[str], stretches: Sequence[tuple[float, float]]) -> Iterator[NDArray[np.float32]]:
    """Decode the sound of stretches: mono, 16 kHz, in pieces."""
    with mapped(str(path)), open_container(checked_file(path)) as container:
        stream = next((s for s in container.streams.audio if s.codec_context is not None), None)
        if stream is None:
            return
        video = container.streams.video[0] if container.streams.video else None
        zero = float(video.start_time * (video.time_base or 0)) if video is not None and video.start_time else 0.0
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=_RATE)
        done = 0
        for packet in container.demux(stream):
            try:
                decoded: list[Any] = list(packet.decode())
            except FOREIGN:
                continue  # a broken packet: as in a player, its sound is missing
            for frame in decoded:
                for out in resampler.resample(frame):
                    samples = out.to_ndarray()[0]
                    at = (float(out.time) if out.time is not None else done / _RATE) - zero
                    done = round((at + zero) * _RATE) + len(samples)
                    yield from _within(samples, at, stretches)


def _within(
    samples: NDArray[np.float32], at: float, stretches: Sequence[tuple[float, float]]
) -> Iterator[NDArray[np.float32]]:
    for start, stop in stretches:
        first = max(0, round((start - at) * _RATE))
        last = min(len(samples), round((stop - at) * _RATE))
        if last > first:
            yield samples[first:last]


def _write(
    target: Path, frames: Iterable[NDArray[np.uint8]], *, fps: int, sound: Iterable[NDArray[np.float32]] | None
) -> None:
    part = target.with_name(f".{target.name}.part.mp4")
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as out:
            voice: Any = out.add_stream("aac", rate=_RATE, layout="mono") if sound is not None else None
            _pictures(out, frames, fps)
            if voice is not None:
                _voice(out, voice, sound or ())
        part.replace(target)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot write: {reason}", where=str(target), hint="name another place") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _pictures(out: Any, frames: Iterable[NDArray[np.uint8]], fps: int) -> None:
    stream: Any = None
    for index, rgb in enumerate(frames):
        height, width = (max(2, side // 2 * 2) for side in rgb.shape[:2])
        if stream is None:
            stream = out.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.thread_count = 1
            stream.codec_context.gop_size = max(1, fps * 4)
            stream.options = {"preset": "superfast", "crf": "27", "tune": "zerolatency"}
        even = np.ascontiguousarray(rgb[:height, :width]) if min(rgb.shape[:2]) >= 2 else np.zeros((2, 2, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        frame.time_base = Fraction(1, fps)
        out.mux(stream.encode(frame))
    if stream is not None:
        out.mux(stream.encode(None))


def _voice(out: Any, stream: Any, sound: Iterable[NDArray[np.float32]]) -> None:
    stream.bit_rate = 32_000
    at = 0
    for samples in sound:
        for start in range(0, len(samples), 1024):
            chunk = np.ascontiguousarray(samples[None, start : start + 1024], np.float32)
            heard = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
            heard.sample_rate = _RATE
            heard.pts = at
            at += chunk.shape[1]
            out.mux(stream.encode(heard))
    out.mux(stream.encode(None))
