"""What must be decoded to see a stretch of time: from the key frame before it, or after a jump from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.packets import PREDICTED
from reelwise.scan.source import FULL, PASS, REFERENCES, SKIP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets

__all__ = ["Task", "landing", "least_share", "route"]

_JUMP_MIN_SECONDS = 0.8  # shorter ways are decoded
_EDGE_SECONDS = 0.6  # after a jump, every picture is decoded until so long after an event is due


@dataclass(frozen=True)
class Task:
    """A stretch of time to look at.

    Attributes:
        start, stop: seconds.
        due: when something is expected to begin; stillness counts from then on.
        jump: leave out what lies between the key frame before it and its start.
        whole: leave nothing out inside.
        closed: what follows is known; it is not drawn out.
    """

    start: float
    stop: float
    due: float = 0.0
    jump: bool = False
    whole: bool = False
    closed: bool = False


def _bounds(packets: Packets, start: float, stop: float) -> tuple[int, int]:
    """Return the position of the key frame before a stretch, and of the last packet shown in it."""
    keys = packets.keys
    before = np.flatnonzero(packets.times[keys] <= start + 1e-6)
    first = int(keys[before[-1]]) if len(before) else 0
    inside = np.flatnonzero(packets.times[first:] <= stop + 1e-6)
    return first, first + int(inside[-1]) if len(inside) else first


def landing(packets: Packets, task: Task) -> tuple[int, int]:
    """Return the packet at which decoding goes on after a jump, and how many are left out; 0 where that is not worth it."""
    first, last = _bounds(packets, task.start, task.stop)
    part = slice(first + 1, last + 1)
    there = np.flatnonzero((packets.kind[part] == PREDICTED) & (packets.times[part] >= task.start))
    if not len(there) or task.start - float(packets.times[first]) < _JUMP_MIN_SECONDS:
        return first, 0
    return first + 1 + int(there[0]), int(there[0])


def route(packets: Packets, tasks: list[Task]) -> NDArray[np.uint8]:
    """Say what to do with each packet: uint8 (packets,)."""
    plan = np.zeros(packets.count, np.uint8)
    if not len(packets.keys):
        plan[:] = FULL
        return plan
    for task in sorted(tasks, key=lambda one: one.start):
        first, last = _bounds(packets, task.start, task.stop)
        at, left_out = landing(packets, task)
        wanted = np.full(packets.count, SKIP, np.uint8)
        wanted[first : last + 1] = REFERENCES
        if task.jump and left_out:
            wanted[at : last + 1][np.abs(packets.times[at : last + 1] - task.due) < _EDGE_SECONDS] = FULL
            wanted[first + 1 : at] = PASS
            early = np.flatnonzero(packets.times[at : last + 1] < packets.times[at]) + at
            wanted[early] = PASS
        plan = np.where((plan == SKIP) | ((plan == PASS) & (wanted != SKIP)), wanted, plan)
    return plan


def least_share(packets: Packets, spans: list[tuple[float, float]]) -> float:
    """Return the share of pictures from the key frame before each span to its end: what exact decoding needs."""
    return float((route(packets, [Task(a, b) for a, b in spans]) > 0).mean()) if spans else 0.0
