"""What every output of a live run has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reelwise.errors import OutputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelwise.live.answer import Answer

__all__ = ["NobodyReadsError", "Output"]


class NobodyReadsError(OutputError):
    """Whoever read the output has gone: no error, but the end of the work."""


class Output(Protocol):
    """Takes frame after frame.

    Attributes:
        shown: what it is called.
        wants_frames: whether it takes composed frames; else masks.
    """

    shown: str
    wants_frames: bool

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:
        """Take a frame, composed where it `wants_frames`, and what it got.

        Raises:
            OutputError: it cannot be written.
            NobodyReadsError: nobody reads it any more.
        """

    def close(self) -> None:
        """Finish it: what was written so far is whole.

        Raises:
            OutputError: it cannot be written.
        """

    def abandon(self) -> None:
        """Leave nothing half behind, after an error."""
