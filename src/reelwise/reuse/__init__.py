"""Answers and artifacts that are paid for once: exact cache, semantic cache, artifact store, near-duplicate frames.

Importing this package loads neither numpy nor sqlite: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.reuse.artifacts import Artifact, Artifacts
    from reelwise.reuse.bound import Counts, Verdict, counted, served
    from reelwise.reuse.exact import ExactCache, request_key
    from reelwise.reuse.likeness import Question, difference
    from reelwise.reuse.pixels import Pixels, clip_pixels
    from reelwise.reuse.semantic import Hit, Miss, SemanticCache
    from reelwise.reuse.uploads import same_upload
    from reelwise.video.alike import FrameReuse

__all__ = [
    "Artifact", "Artifacts", "Counts", "ExactCache", "FrameReuse", "Hit", "Miss", "Pixels", "Question", "SemanticCache", "Verdict",
    "clip_pixels", "counted", "difference", "request_key", "same_upload", "served",
]  # fmt: skip

_HOME = {
    "Artifact": "artifacts",
    "Artifacts": "artifacts",
    "Counts": "bound",
    "ExactCache": "exact",
    "Hit": "semantic",
    "Miss": "semantic",
    "Pixels": "pixels",
    "Question": "likeness",
    "SemanticCache": "semantic",
    "Verdict": "bound",
    "clip_pixels": "pixels",
    "counted": "bound",
    "difference": "likeness",
    "request_key": "exact",
    "same_upload": "uploads",
    "served": "bound",
}


def __getattr__(name: str) -> Any:
    if name == "FrameReuse":  # the pictures' part of it is below this floor
        return attribute("reelwise.video", {name: "alike"}, name)
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
