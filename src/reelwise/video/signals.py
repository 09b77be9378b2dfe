"""What measures frames. A signal sees small luma grids in blocks and never the clip."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grids", "Signal", "Times"]

Grids = NDArray[np.uint8]
Times = NDArray[np.float64]


class Signal(Protocol):
    """One way of measuring frames from their luma grids; it sees the frames that a `Track` says are measured.

    Attributes:
        name: prefix of its columns in `Track.extra`.
        columns: what it measures, one number a frame each.
    """

    @property
    def name(self) -> str:
        """Name the signal."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Name what it measures."""
        ...

    def measure(self, grids: Grids, times: Times) -> NDArray[np.float32]:
        """Measure frames in their order.

        Args:
            grids: uint8 (n, rows, columns), as displayed; valid during the call only.
            times: float64 (n,), seconds.

        Returns:
            float32 (n, len(columns)).
        """
        ...
