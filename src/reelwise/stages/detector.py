"""A detector, and where it finds something in a clip: the built-in one for people, or the user's own, "module:function".

Naming a function in a plan runs it: it is imported when the plan runs on footage (never when it is priced), from what Python
can import already. The folder one stands in is not added to that, and nothing of the standard library is taken, so that a
plan from elsewhere cannot call what was not written to be a detector.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reelwise.errors import DocumentError, InputError
from reelwise.models.function import FOREIGN, FUNCTION, load_function

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BUILT_IN", "detected", "is_name", "load_detector"]

BUILT_IN = "person"
"""Finds people by the person-segmentation networks (extra `live`, `reelwise models install person-segmentation`)."""
_WHERE = "crop.detector"
_MOMENTS = 32
_TOGETHER = 8
_LONG_SIDE = 640
_HINT = "install the module, or put its folder on PYTHONPATH; `function` takes an RGB array and returns boxes in pixels"


def is_name(name: str) -> bool:
    """Say whether this can be a detector's name; nothing is imported."""
    return name == BUILT_IN or FUNCTION.fullmatch(name) is not None


def load_detector(name: str) -> Callable[[Any], Any]:
    """Import a detector; the built-in one opens its networks.

    Raises:
        MissingExtraError, InputError: the built-in detector's packages or networks are not installed.
        DocumentError: not "module:function", a module that cannot be imported or is Python's own, or no function in it.
    """
    if name == BUILT_IN:
        from reelwise.models.people import People

        return People()
    if not FUNCTION.fullmatch(name):
        raise DocumentError(
            f"not a detector: {name!r:.80}", where=_WHERE, hint=f'write {BUILT_IN}, or "module:function"'
        )
    return load_function(name, where=_WHERE, hint=_HINT)


@lru_cache(maxsize=256)
def detected(name: str, path: str, head: str) -> tuple[float, float, float, float] | None:  # noqa: ARG001 - tells files apart
    """Return the box around all that a detector finds in 32 pictures spread over a clip, in fractions; None for nothing.

    Args:
        name: person, or "module:function".
        path: the clip.
        head: what identifies its content.

    Raises:
        InputError: the detector failed, or returned what is no box.
    """
    from reelwise import video

    detector = load_detector(name)

    def find(picture: Any) -> Any:
        try:
            return list(detector(picture))
        except FOREIGN as error:
            raise InputError(
                f"the detector failed: {type(error).__name__}: {error}", where=name, hint="try it on one picture first"
            ) from error

    # a file that does not say how long it is: its first minute; past its end the last picture comes again
    seconds = video.probe(path).seconds or 60.0
    times = [seconds * (index + 0.5) / _MOMENTS for index in range(_MOMENTS)]
    pictures = (
        one
        for start in range(0, _MOMENTS, _TOGETHER)
        for one in video.pictures(path, times[start : start + _TOGETHER], long_side=_LONG_SIDE)
    )
    box = video.detector_box(find, pictures, margin=0.0)
    return None if box is None else (box.left, box.top, box.right, box.bottom)
