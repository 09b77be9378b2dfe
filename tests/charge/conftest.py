"""The prices of one day, and a maker of small clips in any container."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from reelwise.rates import Book

DAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="session")
def book():
    return Book.load(DAY)


@pytest.fixture
def clip(tmp_path):
    """A maker of small clips: `clip("a.mp4", seconds=4)`; `forward` writes as a pipe does, without going back."""

    def make(name, *, forward=False, **settings):
        path = tmp_path / name
        if forward:
            file = _Forward(path)
            _write(file, **settings)
            file.close()
        else:
            _write(str(path), **settings)
        return path

    return make


def _write(target, *, container="mp4", seconds=4, fps=10, size=(64, 48), codec="mpeg4", options=None):
    import av
    import numpy as np

    with av.open(target, "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        for index in range(round(seconds * fps)):
            gray = np.full((size[1], size[0], 3), (index * 5) % 250, np.uint8)
            frame = av.VideoFrame.from_ndarray(gray, format="rgb24")
            frame.pts = index
            frame.time_base = Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


class _Forward:
    """A file that cannot go back: the header keeps no length."""

    def __init__(self, path):
        self._file = path.open("wb")

    def write(self, data):
        return self._file.write(data)

    def close(self):
        self._file.close()
