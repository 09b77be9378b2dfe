"""Networks that run on your own machine: fetch them, run them, measure them, make them smaller.

Importing this package loads neither numpy nor onnxruntime: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.models.install import install_person_segmentation
    from reelwise.models.masks import MaskNetwork
    from reelwise.models.people import People
    from reelwise.models.person import PersonSegmentation
    from reelwise.models.segment import SegmentModel
    from reelwise.models.shelf import model_path

__all__ = ["MaskNetwork", "People", "PersonSegmentation", "SegmentModel", "install_person_segmentation", "model_path"]

_HOME = {
    "MaskNetwork": "masks",
    "People": "people",
    "PersonSegmentation": "person",
    "SegmentModel": "segment",
    "install_person_segmentation": "install",
    "model_path": "shelf",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
