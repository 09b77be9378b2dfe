"""OpenCV, where it is installed, on one thread: a loop that spreads over all cores costs more than it saves."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from reelwise.errors import MissingExtraError

__all__ = ["opencv"]


@lru_cache(maxsize=1)
def opencv() -> Any:
    """Import OpenCV.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("this needs OpenCV", where="live", hint="pip install 'reelwise[live]'") from None
    cv2.setNumThreads(1)
    return cv2
