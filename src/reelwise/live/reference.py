"""The model once more, off the books: asked about every frame, to say how good the masks are. It may fail as any model may."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from reelwise.live.caught import Caught
from reelwise.live.masks import checked_mask
from reelwise.live.worker import ThreadWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Reference"]

_FAILURES_MAX = 3
_JOIN_SECONDS = 0.5


class Reference:
    """Asks a model about frames, each call bounded; after three failures in a row it is asked no more.

    Args:
        model: from a frame to a mask; sync or async.
        timeout_seconds: how long an answer is waited for.

    Attributes:
        asked: how often it was called.
        failed: how often that brought no mask.
        said: what went wrong last, in words.
    """

    def __init__(self, model: Callable[[NDArray[np.uint8]], Any], *, timeout_seconds: float) -> None:
        self._model, self._timeout = model, timeout_seconds
        self._worker = ThreadWorker("reelwise-live-verify")
        self._row = 0
        self.asked = self.failed = 0
        self.said = ""

    def is_over(self) -> bool:
        """Say whether it is asked no more."""
        return self._row >= _FAILURES_MAX

    def mask(self, frame: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return its mask of a frame; None where there is none."""
        if self.is_over():
            return None
        self.asked += 1
        future = self._worker.submit(lambda finish: self._ask(frame, finish))
        self._worker.wait(future, self._timeout)
        if not future.done():
            self._worker.give_up()
            self._fail(f"no answer in {self._timeout:g} s", row=_FAILURES_MAX)  # its thread stays: no second one
            return None
        mask: NDArray[np.float32] | None = None
        with Caught(all_=True) as caught:
            mask, _, said = checked_mask(future.result())
        if mask is None:
            self._fail(caught.said if caught.error is not None else said)
        else:
            self._row = 0
        return mask

    def _ask(self, frame: NDArray[np.uint8], finish: Callable[[Coroutine[Any, Any, Any]], Any]) -> Any:
        answer = self._model(frame)
        return finish(_awaited(answer)) if inspect.isawaitable(answer) else answer

    def _fail(self, said: str, *, row: int = 1) -> None:
        self._row += row
        self.failed += 1
        self.said = said

    def close(self) -> None:
        """End its thread."""
        self._worker.close(_JOIN_SECONDS)


async def _awaited(answer: Any) -> Any:
    return await answer
