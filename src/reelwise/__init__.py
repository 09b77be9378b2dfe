"""Reelwise: what a video-AI feature costs, and what each way of cutting that bill is worth on your own footage.

`meter`, `current_call` and `Ledger` put budgets around your own calls, `Adaptive` calls a model for the frames that need it; they are loaded
on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.frame_meter import Frames
    from reelwise.ledger.ledger import Ledger
    from reelwise.live.adaptive import Adaptive
    from reelwise.metering import current_call, meter

__version__ = "0.1.0"

__all__ = ["Adaptive", "Frames", "Ledger", "__version__", "current_call", "meter"]


_HOMES = {
    "Adaptive": "live.adaptive",
    "Frames": "frame_meter",
    "Ledger": "ledger.ledger",
    "current_call": "metering",
    "meter": "metering",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
