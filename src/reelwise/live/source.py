"""What every source of a live run has: frames with their time, as they come."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Item", "Paced", "Picture", "Said", "Source"]


class Picture(NamedTuple):
    """One frame: its time in seconds from the first one, and a function that gives it as RGB uint8 (height, width, 3)."""

    seconds: float
    rgb: Callable[[], NDArray[np.uint8]]


class Said(NamedTuple):
    """Something to tell the user that is no frame; `lost` where the source went away and is opened again."""

    text: str
    lost: bool = False


Item = Picture | Said | None
"""None: nothing came for a fifth of a second."""


class Source(Protocol):
    """What gives frames.

    Attributes:
        shown: its name to show, without a password.
        live: whether frames that are not taken are gone.
        fps: frames a second, 0 where unknown.
        length_seconds: 0 where unknown.
        dropped: frames that came while another one was being worked on.
    """

    shown: str
    live: bool
    length_seconds: float

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def dropped(self) -> int:
        """Frames left out."""

    def items(self) -> Iterator[Item]:
        """Yield what comes, until it ends.

        Raises:
            ReelwiseError: it cannot be opened or read, or went away for good.
        """

    def stop(self) -> None:
        """End soon, from any thread; not from a signal handler, which may interrupt whoever holds a lock."""

    def close(self) -> None:
        """Let go of everything, within bounded time."""


class Paced:
    """A file at the pace it plays: frames that come too late are left out, as a camera's would be.

    Args:
        source: what gives the frames.
    """

    live = True

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shown, self.fps, self.length_seconds = source.shown, source.fps, source.length_seconds
        self.dropped = 0
        self._stopping = threading.Event()

    def items(self) -> Iterator[Item]:
        """See `Source`."""
        began: float | None = None
        interval = 1.0 / self.fps if self.fps > 0 else 0.04
        for item in self._source.items():
            if isinstance(item, Picture):
                now = time.monotonic()
                began = now - item.seconds if began is None else began
                early = began + item.seconds - now
                if early > 0:
                    self._stopping.wait(early)
                elif -early > interval:
                    self.dropped += 1
                    continue
            if self._stopping.is_set():
                return
            yield item

    def stop(self) -> None:
        """See `Source`."""
        self._stopping.set()
        self._source.stop()

    def close(self) -> None:
        """See `Source`."""
        self.stop()
        self._source.close()
