"""Clips that the tests draw themselves: a textured ground over which a bright box passes at known times."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDTH, HEIGHT, FPS = 320, 192, 10


def draw(
    index: int, *, events: tuple[tuple[float, float], ...] = (), noise: float = 0.0, light: Any = None,
    shake: int = 0, clock: bool = False, width: int = WIDTH, height: int = HEIGHT, fps: int = FPS,
) -> np.ndarray[Any, Any]:  # fmt: skip
    """Draw one picture, grey: (height, width)."""
    rng = np.random.default_rng(3)
    ground = np.kron(rng.integers(70, 130, (height // 8, width // 8)), np.ones((8, 8)))
    moment = index / fps
    for start, stop in events:
        if start <= moment < stop:
            at = int((moment - start) / (stop - start) * (width - 48))
            ground[height // 3 : height // 3 + 48, at : at + 48] = 215
    if shake:
        ground = np.roll(ground, (shake * (index % 3 - 1), shake * ((index // 2) % 3 - 1)), axis=(0, 1))
    if light is not None:
        ground = ground * light(moment)
    if noise:
        ground = ground + np.random.default_rng(index).normal(0, noise, ground.shape)
    if clock:
        digits = np.random.default_rng(int(moment)).integers(0, 2, (3, 2)) * 235
        ground[8:32, 280:296] = np.kron(digits, np.ones((8, 8)))
        ground[8:32, 280:288] = 235 * (int(moment) % 2)
    return np.clip(ground, 0, 255).astype(np.uint8)


def _encode(
    path: Path, seconds: float, *, codec: str = "libx264", gop: int = 50, options: dict[str, str] | None = None,
    container: str | None = None, stamps: Callable[[int], int] | None = None, fps: int = FPS, **scene: Any,
) -> Path:  # fmt: skip
    try:
        av.codec.Codec(codec, "w")
    except ValueError:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    first = draw(0, fps=fps, **scene)
    pix_fmt = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}.get(codec, "yuv420p")
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=fps)
        stream.height, stream.width = first.shape
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = gop
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "23", **(options or {})}
        elif codec == "libx265":
            stream.options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1", **(options or {})}
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(int(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(draw(index, fps=fps, **scene), format="gray").reformat(format=pix_fmt)
            frame.pts = index if stamps is None else stamps(index)
            frame.time_base = Fraction(1, fps) if stamps is None else Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def encode() -> Callable[..., Path]:
    return _encode


EVENTS = ((20.0, 23.0), (41.0, 45.0), (70.0, 73.0))


@pytest.fixture(scope="session")
def long_clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Clips of 90 s with three events, encoded once a worker and kind."""
    folder = tmp_path_factory.mktemp("long")

    def make(name: str, **settings: Any) -> Path:
        path = folder / name
        return path if path.exists() else _encode(path, 105, events=EVENTS, **settings)

    return make
