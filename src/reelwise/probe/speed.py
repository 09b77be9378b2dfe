"""How much faster one model is than another: both in turn, in one run, so that whatever else the machine does hits both."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from reelwise.models.segment import SegmentModel

__all__ = ["Speed", "side_by_side"]

_WARM_CALLS = 3
_BLOCK_SECONDS = 0.02
_CALLS_MAX = 200
_ROUNDS_MIN, _ROUNDS_MAX = 12, 400


class Speed(Struct, frozen=True, kw_only=True):
    """What a smaller model costs beside its teacher.

    Attributes:
        ratio: the teacher's time over the smaller one's, the median over rounds: 2 is twice as fast, below 1 is slower.
        low, high: 5th and 95th percentile over rounds.
        teacher_ms, student_ms: medians of one frame.
        rounds: how often both were timed in turn.
        clock: cpu (seconds of the processor, this thread) or wall (for models that run elsewhere).
    """

    ratio: float
    low: float
    high: float
    teacher_ms: float
    student_ms: float
    rounds: int
    clock: Literal["cpu", "wall"]


def side_by_side(
    teacher: SegmentModel,
    student: SegmentModel,
    frames: Sequence[NDArray[np.uint8]],
    *,
    seconds: float = 4.0,
    clock: Literal["cpu", "wall"] = "cpu",
) -> Speed:
    """Time two models in turn on the same frames, from frame to mask.

    Args:
        teacher: the model that is there; on one thread, where the clock is cpu.
        student: the smaller one, likewise.
        frames: given to both, in turn.
        seconds: for how long, about.
        clock: what is measured.

    Raises:
        InputError: there is no frame, or a model failed.
    """
    if not frames or not 0 < seconds <= 600:
        raise InputError("nothing to time", where="probe", hint="give a longer clip, and up to 600 seconds")
    now = time.thread_time if clock == "cpu" else time.perf_counter
    given = itertools.cycle(frames)
    blocks = tuple(_block(model, frames[0]) for model in (teacher, student))
    took: tuple[list[float], list[float]] = ([], [])
    until = time.perf_counter() + seconds
    for count in range(_ROUNDS_MAX):
        if count >= _ROUNDS_MIN and time.perf_counter() >= until:
            break
        some = [next(given) for _ in range(max(blocks))]
        # who goes first changes, so that a warm cache helps both
        for which in (0, 1) if count % 2 else (1, 0):
            took[which].append(_timed((teacher, student)[which], some[: blocks[which]], now))
    first, second = np.array(took[0]), np.maximum(np.array(took[1]), 1e-9)
    ratio = float(np.median(first / second))
    low, high = (float(one) for one in np.quantile(first / second, (0.05, 0.95)))
    return Speed(
        ratio=round(ratio, 3),
        low=round(low, 3),
        high=round(high, 3),
        teacher_ms=round(float(np.median(first)) * 1e3, 3),
        student_ms=round(float(np.median(second)) * 1e3, 3),
        rounds=len(took[0]),
        clock=clock,
    )


def _block(model: SegmentModel, frame: NDArray[np.uint8]) -> int:
    """Warm a model up, and return how many calls make a block that a clock can time."""
    for _ in range(_WARM_CALLS):
        model(frame)
    began = time.perf_counter()
    model(frame)
    return int(np.clip(_BLOCK_SECONDS / max(1e-6, time.perf_counter() - began), 1, _CALLS_MAX))


def _timed(model: SegmentModel, frames: Sequence[NDArray[np.uint8]], now: Callable[[], float]) -> float:
    began = now()
    for frame in frames:
        model(frame)
    return (now() - began) / len(frames)
