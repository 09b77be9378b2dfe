"""Clips that the tests draw themselves, small, once a worker."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from reelwise.video import Demo, Track, draw_demo, track

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def moving_box(index: int, width: int, height: int) -> np.ndarray[Any, Any]:
    """Grey textured ground with a bright box that moves right from frame 10 on."""
    rng = np.random.default_rng(3)
    picture = rng.integers(90, 110, (height, width, 3)).astype(np.uint8)
    if index >= 10:
        x = (index - 10) * 2 % (width - width // 5)
        picture[height // 3 : height // 3 + height // 4, x : x + width // 5] = 220
    return picture


def _write_clip(
    path: Path,
    *,
    frames: int = 40,
    width: int = 96,
    height: int = 64,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    fps: int = 10,
    stamps: Callable[[int], int] | None = None,
    rotation: int = 0,
    container: str | None = None,
    picture: Callable[[int, int, int], np.ndarray[Any, Any]] = moving_box,
    gop: int = 10,
    audio: bool = False,
) -> Path:
    """Encode a clip; `stamps` gives each frame's time in milliseconds where it is not index / fps."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if codec == "libx264":
            stream.codec_context.gop_size = gop
            stream.options = {"preset": "ultrafast", "threads": "1"}
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        voice = out.add_stream("aac", rate=16000, layout="mono") if audio else None
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height), format="rgb24").reformat(format=pix_fmt)
            if stamps is not None:
                frame.pts, frame.time_base = stamps(index), Fraction(1, 1000)
            else:
                frame.pts, frame.time_base = index, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if voice is not None:
            tone = (0.3 * np.sin(np.arange(16000 * frames // fps) * 0.2)).astype(np.float32)
            tone[: len(tone) // 2] = 0
            for start in range(0, len(tone), 1024):
                heard = av.AudioFrame.from_ndarray(
                    tone[None, start : start + 1024].copy(), format="fltp", layout="mono"
                )
                heard.sample_rate, heard.pts = 16000, start
                out.mux(voice.encode(heard))
            out.mux(voice.encode(None))
    return path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return draw_demo(tmp_path_factory.mktemp("demo") / "demo.mp4", seconds=30, width=320, height=180, fps=10)


@pytest.fixture(scope="session")
def demo_track(demo: Demo) -> Track:
    return track(demo.path)


@pytest.fixture(scope="session")
def box_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_clip(tmp_path_factory.mktemp("box") / "box.mp4", audio=True)


def _synthetic(change: list[float], *, fps: float = 10.0, activity: list[float] | None = None) -> Track:
    """Make a track from numbers alone."""
    from reelwise.video import ClipInfo

    count = len(change)
    info = ClipInfo(
        path="x", seconds=count / fps, width=160, height=90, fps=fps, rotation=0, codec="h264", container="mp4", bytes=1,
        audio_seconds=0.0, has_audio=False, sha256_head="", frames=count, variable_frame_rate=False,
    )  # fmt: skip
    active = np.array(change if activity is None else activity, np.float32)
    boxes = np.zeros((count, 4), np.uint8)
    boxes[active > 0] = (40, 30, 80, 60)
    return Track(
        info=info, seconds=count / fps, frames=count, times=np.arange(count) / fps, change=np.array(change, np.float32),
        activity=active, boxes=boxes, grid=(160, 90), audio=np.zeros(0, np.float32),
    )  # fmt: skip


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    return _write_clip


@pytest.fixture(scope="session")
def synthetic() -> Callable[..., Track]:
    return _synthetic
