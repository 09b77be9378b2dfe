"""The name of what is in a picture or a clip: a hash of its pixels, never of its address or its file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from reelwise.errors import InputError
from reelwise.video.reader import Reader

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["Pixels", "clip_pixels"]


class Pixels:
    """Hashes pictures one after another; memory is constant."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"reelwise pixels 1")
        self.pictures = 0

    def add(self, picture: NDArray[np.uint8], *, seconds: float | None = None) -> None:
        """Add one picture.

        Args:
            picture: uint8 of any shape.
            seconds: its time in the clip, where time is part of what is asked; rounded to a millisecond.

        Raises:
            InputError: it is no array of bytes, or empty.
        """
        if picture.dtype != np.uint8 or not picture.size:
            raise InputError(f"a picture of {picture.dtype} {picture.shape}", where="pixels", hint="give uint8 pixels")
        time = "" if seconds is None else f"@{round(seconds * 1000)}"
        self._hash.update(f"{picture.shape}{time};".encode())
        self._hash.update(np.ascontiguousarray(picture).data)
        self.pictures += 1

    def name(self) -> str:
        """Return the hash of all pictures so far, 64 hex digits.

        Raises:
            InputError: there was none.
        """
        if not self.pictures:
            raise InputError("no picture", where="pixels", hint="add one before its name is asked for")
        return self._hash.copy().hexdigest()


def clip_pixels(path: str | os.PathLike[str]) -> str:
    """Decode a clip and return the name of its pixels and their times: the same for another container, another for one changed pixel.

    Raises:
        MediaError: it cannot be read, or nothing of it decodes.
    """
    pixels = Pixels()
    with Reader(path) as reader:
        for seconds, frame in reader.frames():
            pixels.add(np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8), seconds=seconds)
            del frame
        if not pixels.pictures:
            raise reader.nothing()
    return pixels.name()
