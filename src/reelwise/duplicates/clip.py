"""Read a clip and fingerprint it: one decode, one luma grid each eighth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.duplicates.fingerprint import Builder, Fingerprint
from reelwise.video.planes import Sampler
from reelwise.video.reader import Reader

if TYPE_CHECKING:
    import os

__all__ = ["fingerprint_clip"]


def fingerprint_clip(path: str | os.PathLike[str]) -> Fingerprint:
    """Decode a clip once, on one thread, and return its fingerprint.

    Raises:
        MediaError: the clip cannot be read, or nothing of it decodes.
        InputError: it is longer than a week.
    """
    builder, sampler = Builder(), Sampler()
    last = 0.0
    with Reader(path) as reader:
        for seconds, frame in reader.frames():
            last = seconds
            if builder.wants(seconds):
                turns = (round(frame.rotation / 90) % 4) if frame.rotation else 0
                builder.add(seconds, np.rot90(sampler.sample(frame), turns))
            del frame
        if not builder.taken:
            raise reader.nothing()
        step = 1.0 / reader.info.fps if reader.info.fps > 0 else 0.0
    return builder.done(last + step)
