"""What a stream tells without being decoded: when each packet is shown, how large it is, and whether it is a key frame."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

__all__ = ["BETWEEN", "KEY", "PREDICTED", "Packets", "arrange"]

KEY, PREDICTED, BETWEEN = 0, 1, 2
"""Classes of packets: key frames, frames shown in the order they are coded, frames shown before one coded earlier."""

_JUMP_BACK_SECONDS = 1.0
_JUMP_AHEAD_SECONDS = 3600.0


class Packets(Struct, kw_only=True, eq=False):
    """All packets of a stream, in the order they are coded.

    Attributes:
        times: float64 (n,), seconds from the first picture at which each is shown.
        offset: float64 (n,), what was added to the stamps' seconds to get `times`: changes where a clock restarts.
        size: int64 (n,), bytes.
        kind: uint8 (n,), KEY, PREDICTED or BETWEEN.
        qp: float32 (n,), mean quantiser of the first slice; nan where unknown.
        interval: usual seconds between pictures.
        seconds: length, the last picture's own time included.
        repaired: how many stamps were missing or moved.
        restarts: how many times the clock jumped.
    """

    times: NDArray[np.float64]
    offset: NDArray[np.float64]
    size: NDArray[np.int64]
    kind: NDArray[np.uint8]
    qp: NDArray[np.float32]
    interval: float
    seconds: float
    repaired: int = 0
    restarts: int = 0

    @property
    def count(self) -> int:
        """Number of packets."""
        return len(self.times)

    @property
    def keys(self) -> NDArray[np.intp]:
        """Positions of the key frames."""
        return np.flatnonzero(self.kind == KEY)

    @property
    def order(self) -> NDArray[np.intp]:
        """Positions in the order they are shown."""
        return np.argsort(self.times, kind="stable")

    def longest_gop(self) -> float:
        """Return the longest time from a key frame to the next, or to the end, in seconds."""
        starts = np.sort(self.times[self.keys])
        if not len(starts):
            return self.seconds
        return float(np.diff(np.append(starts, self.seconds)).max())


def arrange(
    stamps: NDArray[np.float64],
    coded: NDArray[np.float64],
    size: NDArray[np.int64],
    key: NDArray[np.bool_],
    qp: NDArray[np.float32],
    *,
    nominal: float,
) -> Packets:
    """Repair the clock and sort packets into classes.

    Args:
        stamps: seconds at which each packet is shown, nan where unknown, in the order they are coded.
        coded: seconds at which each is decoded, nan where unknown.
        size: bytes.
        key: whether each is a key frame.
        qp: quantiser, nan where unknown.
        nominal: seconds between pictures as the container says.
    """
    missing = np.isnan(stamps)
    repaired = int(missing.sum())
    times: NDArray[np.float64] = np.array(stamps, dtype=np.float64)
    if repaired:
        times[missing] = coded[missing]
        times[missing] = coded[missing]
        still = np.isnan(times)
        if still.any():  # no clock at all: count
            times = np.arange(len(times), dtype=np.float64) * nominal
    step = np.diff(times, prepend=times[:1])
    clock = np.where(np.isnan(coded), times, coded)
    jump = np.diff(clock, prepend=clock[:1])
    broken = (jump < -_JUMP_BACK_SECONDS) | (jump > _JUMP_AHEAD_SECONDS)
    usual = float(np.median(np.abs(step[1:]))) if len(step) > 1 else nominal
    interval = nominal if nominal > 0 else (usual or 0.04)
    shift = np.cumsum(np.where(broken, interval - jump, 0.0))
    times = times + shift
    first = float(times.min())
    times = times - first
    ahead = np.maximum.accumulate(times)
    before = np.concatenate(([-1.0], ahead[:-1]))
    kind = np.where(key, KEY, np.where(times > before, PREDICTED, BETWEEN)).astype(np.uint8)
    shown = np.sort(times)
    if len(shown) > 2:
        interval = float(np.median(np.diff(shown))) or interval
    return Packets(
        times=times,
        offset=shift - first,
        size=size,
        kind=kind,
        qp=qp,
        interval=interval,
        seconds=float(shown[-1]) + interval,
        repaired=repaired + int(broken.sum()),
        restarts=int(broken.sum()),
    )
