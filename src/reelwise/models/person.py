"""The embedded model: which pixels are a person, by MediaPipe's selfie segmentation, on one core in a few milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.models.masks import MaskNetwork
from reelwise.models.shelf import MODEL, check_variant, model_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PersonSegmentation"]


class PersonSegmentation(MaskNetwork):
    """The installed network that says of each place of a picture how likely it is a person; see `MaskNetwork`.

    Args:
        variant: general (256x256) or landscape (144x256, half the work, for wide pictures).
        threads: cores that one picture may use.
        folder: where models are installed; None for $REELWISE_CACHE or the user's cache.

    Raises:
        MissingExtraError: onnxruntime or OpenCV is not installed.
        InputError: the model is not installed, or is damaged; the hint is the command that installs it.

    Attributes:
        name: `person-segmentation:VARIANT`.
        size: (height, width) of the masks, in places.
    """

    def __init__(self, variant: str = "general", threads: int = 1, folder: Path | None = None) -> None:
        name = f"{MODEL}:{check_variant(variant)}"
        super().__init__(model_path(variant, folder), name=name, threads=threads)
