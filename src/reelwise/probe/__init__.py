"""Make a smaller model, measure it beside its teacher on the user's own footage, and accept or refuse it with the numbers.

What quantizing or distilling saves depends on the network, the processor and the footage: it is found out, never assumed.
Importing this package loads nothing heavy: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.probe.distil import probe_distil
    from reelwise.probe.footage import Footage, footage_of
    from reelwise.probe.likeness import Likeness, iou, likeness_of
    from reelwise.probe.quantize import probe_quantize
    from reelwise.probe.speed import Speed, side_by_side
    from reelwise.probe.verdict import Floors, Verdict, judge

__all__ = [
    "Floors",
    "Footage",
    "Likeness",
    "Speed",
    "Verdict",
    "footage_of",
    "iou",
    "judge",
    "likeness_of",
    "probe_distil",
    "probe_quantize",
    "side_by_side",
]

_HOME = {
    "Floors": "verdict",
    "Footage": "footage",
    "Likeness": "likeness",
    "Speed": "speed",
    "Verdict": "verdict",
    "footage_of": "footage",
    "iou": "likeness",
    "judge": "verdict",
    "likeness_of": "likeness",
    "probe_distil": "distil",
    "probe_quantize": "quantize",
    "side_by_side": "speed",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
