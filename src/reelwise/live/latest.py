"""A live source read by a thread of its own, of which only the newest frame is kept: a slow consumer is never behind."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from reelwise.live.caught import Caught
from reelwise.live.source import Picture, Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.live.source import Item, Source

__all__ = ["Latest"]

_WAIT_SECONDS = 0.2
_SAID_KEPT = 100
_JOIN_SECONDS = 3.0


class Latest:
    """Reads a live source; a frame that nobody took when the next one comes is dropped, and counted.

    Args:
        source: what gives the frames.
    """

    live = True

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shown, self.length_seconds = source.shown, source.length_seconds
        self._changed = threading.Condition()
        self._newest: Picture | None = None
        self._said: deque[Said] = deque(maxlen=_SAID_KEPT)
        self._over = self._stopped = False
        self._error: BaseException | None = None
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="reelwise-live-source", daemon=True)

    @property
    def fps(self) -> float:
        """See `Source`."""
        return self._source.fps

    @property
    def dropped(self) -> int:
        """See `Source`."""
        return self._dropped + self._source.dropped

    def _run(self) -> None:
        with Caught(all_=True) as caught:
            for item in self._source.items():
                with self._changed:
                    if self._stopped:
                        break
                    if isinstance(item, Picture):
                        self._dropped += self._newest is not None
                        self._newest = item
                    elif isinstance(item, Said):
                        self._said.append(item)
                    self._changed.notify()
        with self._changed:
            self._over, self._error = True, caught.error
            self._changed.notify()

    def items(self) -> Iterator[Item]:
        """See `Source`."""
        self._thread.start()
        while True:
            with self._changed:
                until = time.monotonic() + _WAIT_SECONDS
                while not (self._newest or self._said or self._over or self._stopped):
                    left = until - time.monotonic()
                    if left <= 0:
                        break
                    self._changed.wait(left)
                said = self._said.popleft() if self._said else None
                picture = None
                if said is None:
                    picture, self._newest = self._newest, None
                over = self._over and not self._said
            if self._stopped:
                return
            if said is not None or picture is not None or not over:
                yield said or picture
            elif self._error is not None:
                raise self._error
            else:
                return

    def stop(self) -> None:
        """See `Source`."""
        self._stopped = True
        self._source.stop()

    def close(self) -> None:
        """See `Source`."""
        self.stop()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)
        self._source.close()
