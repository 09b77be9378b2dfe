"""Where in the picture something happens, as a box in fractions of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from reelwise.errors import InputError
from reelwise.video.snapping import cheapest_sides, placed, reach
from reelwise.video.stretches import Stretches, frames_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reelwise.video.clips import Track

__all__ = ["Box", "Region", "activity_box", "box_pixels", "crop_region", "detector_box", "polygon_box"]

Picture = NDArray[np.uint8]


class Box(Struct, frozen=True):
    """A box in fractions 0..1 of the displayed picture, right and bottom exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    def check(self) -> None:
        """Raise `InputError` unless the box lies in the picture and has an area."""
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise InputError(
                f"not a box within the picture: {self.left}, {self.top}, {self.right}, {self.bottom}",
                hint="give left, top, right, bottom as fractions 0..1",
            )

    @property
    def area(self) -> float:
        """Share of the picture."""
        return (self.right - self.left) * (self.bottom - self.top)


def activity_box(track: Track, stretches: Stretches, *, margin: float = 0.05, coverage: float = 0.98) -> Box | None:
    """Find the box that holds all active cells in at least `coverage` of the active frames.

    Args:
        track: what one decode measured.
        stretches: (start, stop) in seconds to look at.
        margin: added on each side, as a fraction of the picture.
        coverage: share 0..1 of the frames with activity whose cells all lie in the box, before the margin.

    Returns:
        The box, or None where nothing is active.
    """
    if not 0 < coverage <= 1 or margin < 0:
        raise InputError("coverage is a share above 0, margin not negative", hint="see activity_box()")
    spans = frames_in(track, stretches)
    if not spans:
        return None
    boxes = np.concatenate([track.boxes[first:last] for first, last in spans]).astype(np.float64)
    boxes = boxes[boxes[:, 2] > boxes[:, 0]]
    if len(boxes) == 0:
        return None
    # each side may cut a quarter of the frames that need not be covered
    cut = int((1 - coverage) * len(boxes) / 4)
    near = np.sort(boxes[:, :2], axis=0)[cut]
    far = np.sort(boxes[:, 2:], axis=0)[len(boxes) - 1 - cut]
    columns, rows = track.grid
    if far[0] <= near[0] or far[1] <= near[1]:
        return None
    return Box(
        left=max(0.0, float(near[0] / columns) - margin),
        top=max(0.0, float(near[1] / rows) - margin),
        right=min(1.0, float(far[0] / columns) + margin),
        bottom=min(1.0, float(far[1] / rows) + margin),
    )


def polygon_box(points: Iterable[tuple[float, float]], *, where: str = "") -> Box:
    """Return the box around a zone drawn as (x, y) points in fractions; `where` is what an error calls it.

    Raises:
        InputError: fewer than three points, points outside the picture, or no area.
    """
    corners = list(points)
    form = "give three or more corners x,y as fractions 0..1 of width and height: 0.1,0.5 0.9,0.5 0.5,0.9"
    if len(corners) < 3:
        raise InputError("a zone has at least three corners", where=where, hint=form)
    for x, y in corners:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise InputError(f"the corner {x:g},{y:g} lies outside the picture", where=where, hint=form)
    xs, ys = zip(*corners, strict=True)
    if max(xs) == min(xs) or max(ys) == min(ys):
        raise InputError("a zone without an area", where=where, hint=form)
    return Box(min(xs), min(ys), max(xs), max(ys))


def detector_box(
    callback: Callable[[Picture], Iterable[Sequence[float]]],
    pictures: Iterable[Picture | tuple[float, Picture]],
    *,
    margin: float = 0.05,
) -> Box | None:
    """Return the box around everything that a detector of yours finds in some pictures.

    Args:
        callback: gets an RGB uint8 (height, width, 3) array, returns boxes (left, top, right, bottom) in its pixels.
        pictures: such arrays, or (time, array) as `pictures` returns them.
        margin: added on each side, as a fraction of the picture.

    Returns:
        The box, or None where nothing was found.

    Raises:
        InputError: the callback returned something that is not a box.
    """
    left = top = 1.0
    right = bottom = 0.0
    for item in pictures:
        picture = item[1] if isinstance(item, tuple) else item
        height, width = picture.shape[:2]
        for found in callback(picture):
            if len(found) < 4 or not np.isfinite(np.asarray(found[:4], dtype=float)).all():
                raise InputError(f"the detector returned {found!r}", hint="return (left, top, right, bottom) in pixels")
            left, top = min(left, found[0] / width), min(top, found[1] / height)
            right, bottom = max(right, found[2] / width), max(bottom, found[3] / height)
    if right <= left or bottom <= top:
        return None
    return Box(max(0.0, left - margin), max(0.0, top - margin), min(1.0, right + margin), min(1.0, bottom + margin))


def box_pixels(box: Box, width: int, height: int, multiple: int = 2) -> tuple[int, int, int, int]:
    """Turn a box into pixels: left, top, right, bottom, grown outwards to a multiple, within the picture.

    Raises:
        InputError: the box lies outside the picture, or the picture is smaller than the multiple.
    """
    box.check()
    if multiple < 1 or min(width, height) < multiple:
        raise InputError(
            f"a picture of {width}x{height} has no multiple of {multiple}", hint="choose a smaller multiple"
        )
    left, right = _side(box.left, box.right, width, multiple)
    top, bottom = _side(box.top, box.bottom, height, multiple)
    return left, top, right, bottom


class Region(Struct, frozen=True, kw_only=True):
    """A cut-out in whole pixels, and what it costs.

    Attributes:
        left, top, right, bottom: pixels of the picture, right and bottom exclusive.
        width, height: of the picture it is cut from.
        tokens: of the cut-out.
        tokens_unsnapped: of the region with its margin, before its size was fitted to the rule.
        tokens_whole: of the whole picture.
        found: False where there was nothing to cut to: it is the whole picture then.
    """

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int
    tokens: int
    tokens_unsnapped: int
    tokens_whole: int
    found: bool = True

    @property
    def saves(self) -> bool:
        """Whether the cut-out costs less than the whole picture."""
        return self.tokens < self.tokens_whole

    @property
    def box(self) -> Box:
        """The cut-out in fractions of the picture."""
        return Box(self.left / self.width, self.top / self.height, self.right / self.width, self.bottom / self.height)


def crop_region(
    box: Box | None,
    width: int,
    height: int,
    tokens: Callable[[int, int], int],
    *,
    margin: float = 0.0,
    multiple: int = 2,
) -> Region:
    """Fit a cut-out around a box to a model's token rule: the size that holds it and costs the fewest tokens.

    It never costs more than the whole picture, nor than the box cut out as it is. On a tie the smallest is taken, so that a
    cut-out that saves no token still has fewer pixels; `Region.saves` says whether tokens are saved.

    Args:
        box: what must be in it, in fractions; None (nothing was found) gives the whole picture.
        width: of the picture in pixels.
        height: of the picture in pixels.
        tokens: what a picture of some width and height costs: `rule_for("gpt-4o").image`.
        margin: added on each side first, as a fraction of the picture, 0..0.5.
        multiple: sides are rounded up to a multiple of this many pixels, where the picture has them.

    Raises:
        InputError: a box or margin out of range, or a size that the rule refuses.
    """
    if not 0 <= margin <= 0.5:
        raise InputError(f"a margin of {margin:g}", hint="give a fraction of the picture from 0 to 0.5")
    whole = tokens(width, height)
    everything = Region(
        left=0, top=0, right=width, bottom=height, width=width, height=height,
        tokens=whole, tokens_unsnapped=whole, tokens_whole=whole,
    )  # fmt: skip
    if box is None:
        return replace(everything, found=False)
    box.check()
    left, right = reach(box.left - margin, box.right + margin, width)
    top, bottom = reach(box.top - margin, box.bottom + margin, height)
    least = (
        min(width, -(-(right - left) // multiple) * multiple),
        min(height, -(-(bottom - top) // multiple) * multiple),
    )
    unsnapped = tokens(*least)
    size = cheapest_sides(least, (width, height), tokens, multiple)
    cost = tokens(*size)
    x, y = placed(left, right, size[0], width), placed(top, bottom, size[1], height)
    return replace(
        everything, left=x, top=y, right=x + size[0], bottom=y + size[1], tokens=cost, tokens_unsnapped=unsnapped
    )


def _side(near: float, far: float, length: int, multiple: int) -> tuple[int, int]:
    usable = length // multiple * multiple
    start = min(int(near * length + 1e-9) // multiple * multiple, usable - multiple)
    stop = min(-(-int(np.ceil(far * length - 1e-9)) // multiple) * multiple, usable)
    return start, max(stop, start + multiple)
