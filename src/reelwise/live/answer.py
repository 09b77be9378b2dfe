"""What one frame gets from the adaptive loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Answer", "Kind"]

Kind = Literal["inferred", "carried", "blank"]


class Answer(NamedTuple):
    """The mask of one frame, and where it comes from.

    Attributes:
        mask: foreground 0..1, float32 (h, w) of the loop's mask size; an array of its own.
        kind: inferred (the model saw this very frame), carried (from an earlier one), or blank: there is no mask that may be
            shown, and all of the picture counts as background.
        mode: max, full, saver, basic or off.
        model: whose mask it is: main, device, or empty where blank.
        seconds: the frame's time in the stream.
        age_seconds: how long before that the frame was taken that the model saw; 0 where blank.
        need: how much the frame asked for an inference; 1 is the threshold of the default quality.
        reason: why an inference was begun on this frame; empty where none was.
        black: whether the frame is black: no model is asked about it.
    """

    mask: NDArray[np.float32]
    kind: Kind
    mode: str
    model: str
    seconds: float
    age_seconds: float
    need: float
    reason: str
    black: bool
