"""A network on this machine as a model: it costs machine time, and no call."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError
from reelwise.models.answer import Answer
from reelwise.models.used import Used
from reelwise.models.work import Picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.models.segment import SegmentModel
    from reelwise.models.work import Source, Work

__all__ = ["PICTURES_MAX", "LocalSegment"]

PICTURES_MAX = 256
"""Masks that are kept in memory at once: of 256x256 places, 67 MB."""


class LocalSegment:
    """Separates foreground from background with a network on this machine, such as `reelwise.models.PersonSegmentation`.

    Args:
        network: from a picture to a mask.
        decode: from a picture's bytes to RGB uint8 (h, w, 3); None uses OpenCV (extra `live`).
    """

    can = frozenset({"segment"})

    def __init__(self, network: SegmentModel, decode: Callable[[bytes], NDArray[np.uint8]] | None = None) -> None:
        self._network = network
        self._decode = decode or _decoded
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What receipts call it."""
        return self._network.name

    def segment(self, work: Work) -> Answer:
        """Separate each picture of a work; fills `mask` and `masks`. `used` has no tokens and no price: its seconds are of this machine.

        Raises:
            InputError: anything else than pictures, more than are kept in memory at once, or one that cannot be decoded.
        """
        pictures = [part.source for part in work.parts if isinstance(part, Picture) and not part.source.uri]
        if not pictures or len(pictures) != len(work.parts):
            raise InputError("wants pictures, as bytes or files", where=self.name, hint="a Work with Pictures")
        if len(pictures) > PICTURES_MAX:
            raise InputError(
                f"{len(pictures):,} pictures at once",
                where=self.name,
                hint=f"pictures_a_call: {PICTURES_MAX}, or fewer frames",
            )
        began = time.perf_counter()
        with self._lock:  # a network is used by one thread at a time
            masks = tuple(self._network(self._decode(_bytes(one))) for one in pictures)
        passed = (time.perf_counter() - began) * 1000
        used = Used(provider="local", model=self.name, images=float(len(pictures)))
        return Answer(used=used, mask=masks[0], masks=masks, latency_ms=passed, latency_first_ms=passed)

    def close(self) -> None:
        """Nothing is open."""

    def __getattr__(self, task: str) -> Any:
        from reelwise.models.protocol import TASKS

        if task not in TASKS:
            raise AttributeError(task)

        def refuse(work: Work) -> NoReturn:
            raise InputError(f"{self.name} cannot {task}", where=work.model, hint="it can segment")

        return refuse


def _bytes(given: Source) -> bytes:
    return Path(given.path).read_bytes() if given.path else given.data


def _decoded(data: bytes) -> Any:
    from reelwise.errors import MissingExtraError

    try:
        import cv2
        import numpy as np
    except ImportError:
        raise MissingExtraError("decoding pictures needs OpenCV", hint="pip install 'reelwise[live]'") from None
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise InputError("is no picture that can be decoded", where="picture", hint="JPEG or PNG")
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
