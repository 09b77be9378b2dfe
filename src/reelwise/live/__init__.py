"""Run a segmentation model on a live stream with a fraction of its inferences, at a quality or a price that is held.

`Adaptive` wraps any function from a frame to a mask; `reelwise live` runs it on a file, a webcam or a camera's stream.
Importing this package loads neither numpy nor av: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.live.adaptive import Adaptive
    from reelwise.live.answer import Answer
    from reelwise.live.cues import Heard
    from reelwise.live.modes import ModeChange, Profile
    from reelwise.live.receipt import LiveReceipt
    from reelwise.live.target import Limits, Target

__all__ = ["Adaptive", "Answer", "Heard", "Limits", "LiveReceipt", "ModeChange", "Profile", "Target"]

_HOME = {
    "Adaptive": "adaptive",
    "Answer": "answer",
    "Heard": "cues",
    "Limits": "target",
    "LiveReceipt": "receipt",
    "ModeChange": "modes",
    "Profile": "modes",
    "Target": "target",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
