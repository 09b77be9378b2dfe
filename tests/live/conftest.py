"""Frames that the tests draw, models that count their calls, and time that is moved by hand."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from reelwise.live.simulated import SimulatedTime

HEIGHT, WIDTH = 72, 128


def blob(index: int, *, speed: float = 3.0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray[Any, Any]:
    """Draw a bright box that moves over a grey ground: RGB (height, width, 3)."""
    frame = np.full((height, width, 3), 60, np.uint8)
    side = height // 2
    span = width - side
    at = int(index * speed) % (2 * span)
    at = at if at < span else 2 * span - at
    frame[height // 4 : height // 4 + side, at : at + side] = (220, 180, 160)
    return frame


def mask_of(frame: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The mask that a perfect model gives."""
    return (frame[::2, ::2, 0] > 128).astype(np.float32)


class Counting:
    """A model that counts its calls; `answers` is what it gives, or raises, in place of masks, one after the other."""

    name = "counting"

    def __init__(self, *answers: Any, time: SimulatedTime | None = None, seconds: float = 0.0) -> None:
        self.calls = 0
        self.answers = list(answers)
        self.time, self.seconds = time, seconds
        self.threads: set[str] = set()

    def __call__(self, frame: np.ndarray[Any, Any]) -> Any:
        self.calls += 1
        self.threads.add(threading.current_thread().name)
        if self.time is not None:
            self.time.spend(self.seconds)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer(frame) if callable(answer) else answer
        return mask_of(frame)


class Held:
    """A model that answers when it is let."""

    name = "held"

    def __init__(self) -> None:
        self.calls = 0
        self.begun = threading.Event()
        self.let = threading.Event()

    def __call__(self, frame: np.ndarray[Any, Any]) -> Any:
        self.calls += 1
        self.begun.set()
        assert self.let.wait(20), "nobody let the model go on"
        return mask_of(frame)


class Scripted:
    """A carrier whose need is a script: of how many frames were seen since the last one that was asked about, and in all."""

    def __init__(self, need: Any = lambda _since, _seen: 0.0) -> None:
        self.size = (64, 64)
        self.mask: Any = None
        self.need = 0.0
        self.behind: list[int] = []
        self._script, self._since, self._seen, self._masked = need, 0, 0, 0

    @property
    def age(self) -> int:
        return self._seen - self._masked

    def see(self, _frame: Any) -> None:
        self._seen += 1
        self._since += 1
        self.need = self._script(self._since, self._seen)

    def ask(self) -> int:
        self._since = 0
        return self._seen

    def answer(self, ticket: int, mask: Any) -> None:
        self.behind.append(self._seen - ticket)
        self.mask, self._masked = mask, ticket


def rising(step: float) -> Any:
    """Make carriers whose need grows by a step with each frame that was not asked about."""
    return lambda: Scripted(lambda since, _seen: since * step)


def still() -> Scripted:
    """Make a carrier that needs nothing."""
    return Scripted()


@pytest.fixture
def time() -> SimulatedTime:
    return SimulatedTime()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Every test ends all threads that it began."""
    before = set(threading.enumerate())
    yield
    for one in set(threading.enumerate()) - before:
        if one.name.startswith("reelwise-"):
            one.join(30)
            assert not one.is_alive(), f"{one.name} is left"
