"""Open, decode, gate, sample, crop and scale video. Pure functions; only `reader`, `writer` and `cutter` import av.

Importing this package loads neither numpy nor av: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.video.alike import FrameReuse, leave_out_alike
    from reelwise.video.budgets import (
        sample_adaptive_budget,
        sample_question,
        sample_shots,
        sample_uniform_budget,
        shot_frames,
    )
    from reelwise.video.clips import ClipInfo, Track
    from reelwise.video.cuts import Shot, shots
    from reelwise.video.demo import Demo, Event, draw_demo
    from reelwise.video.motion import Motion
    from reelwise.video.pipeline import track
    from reelwise.video.reader import probe
    from reelwise.video.regions import Box, Region, activity_box, box_pixels, crop_region, detector_box, polygon_box
    from reelwise.video.sampling import sample_adaptive, sample_uniform
    from reelwise.video.scores import (
        Scores,
        read_scores,
        score_pictures,
        scores_of,
        scores_outside,
        track_scores,
        with_scores,
    )
    from reelwise.video.seen import Choice, Seen, choose, hold_against, judge
    from reelwise.video.signals import Signal
    from reelwise.video.sizes import fit
    from reelwise.video.skipped import Skipped, coverage, largest_skipped
    from reelwise.video.snapping import cheapest_sides
    from reelwise.video.sound import sound_stretches, speech_seconds
    from reelwise.video.stills import pictures
    from reelwise.video.stretches import active_seconds, frames_in, gate
    from reelwise.video.writer import jpeg

__all__ = [
    "Box",
    "Choice",
    "ClipInfo",
    "Demo",
    "Event",
    "FrameReuse",
    "Motion",
    "Region",
    "Scores",
    "Seen",
    "Shot",
    "Signal",
    "Skipped",
    "Track",
    "active_seconds",
    "activity_box",
    "box_pixels",
    "cheapest_sides",
    "choose",
    "coverage",
    "crop_region",
    "detector_box",
    "draw_demo",
    "fit",
    "frames_in",
    "gate",
    "hold_against",
    "jpeg",
    "judge",
    "largest_skipped",
    "leave_out_alike",
    "pictures",
    "polygon_box",
    "probe",
    "read_scores",
    "sample_adaptive",
    "sample_adaptive_budget",
    "sample_question",
    "sample_shots",
    "sample_uniform",
    "sample_uniform_budget",
    "score_pictures",
    "scores_of",
    "scores_outside",
    "shot_frames",
    "shots",
    "sound_stretches",
    "speech_seconds",
    "track",
    "track_scores",
    "with_scores",
]

_HOME = {
    "FrameReuse": "alike",
    "leave_out_alike": "alike",
    "cheapest_sides": "snapping",
    "crop_region": "regions",
    "Region": "regions",
    "Box": "regions",
    "Choice": "seen",
    "ClipInfo": "clips",
    "Demo": "demo",
    "Event": "demo",
    "Motion": "motion",
    "Scores": "scores",
    "Seen": "seen",
    "Shot": "cuts",
    "Signal": "signals",
    "Skipped": "skipped",
    "Track": "clips",
    "active_seconds": "stretches",
    "activity_box": "regions",
    "box_pixels": "regions",
    "choose": "seen",
    "coverage": "skipped",
    "detector_box": "regions",
    "draw_demo": "demo",
    "fit": "sizes",
    "frames_in": "stretches",
    "gate": "stretches",
    "hold_against": "seen",
    "jpeg": "writer",
    "judge": "seen",
    "largest_skipped": "skipped",
    "pictures": "stills",
    "polygon_box": "regions",
    "probe": "reader",
    "read_scores": "scores",
    "sample_adaptive": "sampling",
    "sample_adaptive_budget": "budgets",
    "sample_question": "budgets",
    "sample_shots": "budgets",
    "sample_uniform": "sampling",
    "sample_uniform_budget": "budgets",
    "score_pictures": "scores",
    "scores_of": "scores",
    "scores_outside": "scores",
    "shot_frames": "budgets",
    "shots": "cuts",
    "sound_stretches": "sound",
    "speech_seconds": "sound",
    "track": "pipeline",
    "track_scores": "scores",
    "with_scores": "scores",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
