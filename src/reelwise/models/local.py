"""A network on this machine as a model: it costs machine time, and no call."""

from __future__ import annotations

import time
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
    from reelwise.models.work import Work

__all__ = ["LocalSegment"]


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

    @property
    def name(self) -> str:
        """What receipts call it."""
        return self._network.name

    def segment(self, work: Work) -> Answer:
        """Separate the one picture of a work; fills `mask`. `used` has no tokens and no price: its seconds are of this machine.

        Raises:
            InputError: not one picture, or none that can be decoded.
        """
        if len(work.parts) != 1 or not isinstance(work.parts[0], Picture) or work.parts[0].source.uri:
            raise InputError("wants one picture, as bytes or a file", where=self.name, hint="a Work with one Picture")
        given = work.parts[0].source
        began = time.perf_counter()
        if given.path:
            from pathlib import Path

            data = Path(given.path).read_bytes()
        else:
            data = given.data
        mask = self._network(self._decode(data))
        passed = time.perf_counter() - began
        used = Used(provider="local", model=self.name, images=1.0)
        return Answer(used=used, mask=mask, latency_ms=passed * 1000, latency_first_ms=passed * 1000)

    def __getattr__(self, task: str) -> Any:
        from reelwise.models.protocol import TASKS

        if task not in TASKS:
            raise AttributeError(task)

        def refuse(work: Work) -> NoReturn:
            raise InputError(f"{self.name} cannot {task}", where=work.model, hint="it can segment")

        return refuse


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
