"""Open, decode, gate, sample, crop and scale video. Pure functions; only `reader` and `writer` import av.

Importing this package loads neither numpy nor av: each name is loaded from its file on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelwise.video.clips import ClipInfo, Track
    from reelwise.video.demo import Demo, Event, draw_demo
    from reelwise.video.motion import Motion
    from reelwise.video.pipeline import track
    from reelwise.video.reader import probe
    from reelwise.video.regions import Box, activity_box, box_pixels, detector_box, polygon_box
    from reelwise.video.sampling import sample_adaptive, sample_adaptive_budget, sample_uniform
    from reelwise.video.signals import Signal
    from reelwise.video.sizes import fit
    from reelwise.video.skipped import Skipped, coverage, largest_skipped
    from reelwise.video.sound import sound_stretches, speech_seconds
    from reelwise.video.stills import pictures
    from reelwise.video.stretches import active_seconds, frames_in, gate
    from reelwise.video.writer import jpeg

__all__ = [
    "Box",
    "ClipInfo",
    "Demo",
    "Event",
    "Motion",
    "Signal",
    "Skipped",
    "Track",
    "active_seconds",
    "activity_box",
    "box_pixels",
    "coverage",
    "detector_box",
    "draw_demo",
    "fit",
    "frames_in",
    "gate",
    "jpeg",
    "largest_skipped",
    "pictures",
    "polygon_box",
    "probe",
    "sample_adaptive",
    "sample_adaptive_budget",
    "sample_uniform",
    "sound_stretches",
    "speech_seconds",
    "track",
]

_HOME = {
    "Box": "regions",
    "ClipInfo": "clips",
    "Demo": "demo",
    "Event": "demo",
    "Motion": "motion",
    "Signal": "signals",
    "Skipped": "skipped",
    "Track": "clips",
    "active_seconds": "stretches",
    "activity_box": "regions",
    "box_pixels": "regions",
    "coverage": "skipped",
    "detector_box": "regions",
    "draw_demo": "demo",
    "fit": "sizes",
    "frames_in": "stretches",
    "gate": "stretches",
    "jpeg": "writer",
    "largest_skipped": "skipped",
    "pictures": "stills",
    "polygon_box": "regions",
    "probe": "reader",
    "sample_adaptive": "sampling",
    "sample_adaptive_budget": "sampling",
    "sample_uniform": "sampling",
    "sound_stretches": "sound",
    "speech_seconds": "sound",
    "track": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
