"""Shots: where one picture is followed by another that has nothing to do with it, or where the picture fades out and in.

Each measured frame's luma, freed of its light and its contrast, is correlated with that of the frame before. A cut leaves
nothing in common, whatever moves; a light that is switched changes little. What moves fast has little in common either, but
so do its neighbours, and a cut stands alone. A picture without contrast (black, white, one colour) ends a shot.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.clips import Track
    from reelwise.video.signals import Grids, Times

__all__ = ["Shot", "Shots", "shots"]

_STEP = 3  # every third cell across and down: a cut is seen from afar
_FLAT = 6.0  # luma levels, standard deviation: less is no picture
_CUT = 0.45  # of 1: what a cut at least leaves without correlation
_SURELY_CUT = 0.6
_STANDS_OUT = 1.6  # times the largest of its neighbours
_NEIGHBOURS = 3
_LATER = 0.6  # of the difference must still be there a frame later: a flash is no cut
_FLAT_SECONDS = 1.0  # a flat stretch this long is a shot of its own, a shorter one parts two
_SHORTEST_SECONDS = 0.2


class Shot(Struct, frozen=True):
    """One shot, in seconds; `flat` where it shows one colour all through."""

    start: float
    stop: float
    flat: bool = False


class Shots:
    """The signal behind `shots`: `track` always measures it.

    Columns: how little a frame has in common with the one before (0 the same, 1 nothing), with the one before that, and its
    contrast in luma levels.
    """

    name = "shots"
    columns = ("differs", "differs_from_second", "contrast")

    def __init__(self) -> None:
        self._last: NDArray[np.float32] = np.zeros((0, 0), np.float32)  # the two frames before, brought to one contrast
        self._flat: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def measure(self, grids: Grids, times: Times) -> NDArray[np.float32]:  # noqa: ARG002 - the protocol's
        """Measure consecutive frames.

        Returns:
            float32 (n, 3).
        """
        small = grids[:, _STEP // 2 :: _STEP, _STEP // 2 :: _STEP].reshape(len(grids), -1).astype(np.float32)
        small -= small.mean(axis=1, keepdims=True)
        contrast = np.sqrt(np.einsum("ij,ij->i", small, small) / small.shape[1])
        small /= np.maximum(contrast, 1.0)[:, None] * np.float32(np.sqrt(small.shape[1]))
        if self._last.shape[1:] != small.shape[1:]:
            self._last = np.concatenate((small[:1], small[:1]))
            self._flat = np.repeat(contrast[:1] < _FLAT, 2)
        every = np.concatenate((self._last, small))
        flat = np.concatenate((self._flat, contrast < _FLAT))
        found = np.empty((len(grids), 3), np.float32)
        for column, back in enumerate((1, 2)):
            before = every[2 - back : len(every) - back]
            found[:, column] = 1 - np.einsum("ij,ij->i", small, before)
            # where there is no picture there is nothing to compare: `contrast` tells that shot's end
            found[flat[2:] | flat[2 - back : len(flat) - back], column] = 0
        found[:, 2] = contrast
        self._last, self._flat = every[-2:].copy(), flat[-2:].copy()
        return found


def shots(track: Track) -> tuple[Shot, ...]:
    """Part a clip into shots, at cuts and at fades through one colour.

    Times are good to 0.1 s, the distance of measured frames. Dissolves, in which one picture turns into another, are not
    found, nor are cuts between pictures that look alike.

    Args:
        track: what one decode measured.

    Returns:
        Shots without gaps from 0 to the end of the clip; one where there is no cut.

    Raises:
        InputError: the track was made without this signal.
    """
    columns = [track.extra.get(f"{Shots.name}.{name}") for name in Shots.columns]
    if any(column is None for column in columns):
        raise InputError("shots were not measured in this track", where=track.info.path, hint="make it with track()")
    if not track.frames:
        return ()
    table = np.stack([column for column in columns if column is not None], axis=1)
    # a frame that was not measured repeats the one before it
    own = np.flatnonzero(np.concatenate(([True], np.any(np.diff(table, axis=0) != 0, axis=1))))
    times, (differs, second, contrast) = track.times[own], table[own].T
    bounds = {float(times[at]): False for at in _cuts(differs, second)}
    flats: list[tuple[float, float]] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], contrast < _FLAT, [False])).astype(np.int8)))
    ends = np.append(times, track.seconds)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, stop = float(ends[first]), float(ends[last])
        if stop - start >= _FLAT_SECONDS:
            flats.append((start, stop))
            bounds.update({start: False, stop: False})
        elif start > 0 and stop < track.seconds:
            bounds[(start + stop) / 2] = False
    return _parts(sorted(bounds), flats, track.seconds)


def _cuts(differs: NDArray[np.float32], second: NDArray[np.float32]) -> list[int]:
    """Return where a frame has nothing in common with the one before, more so than its neighbours, and stays that way."""
    found = []
    for at in np.flatnonzero(differs >= _CUT).tolist():
        if at == 0:
            continue  # the first frame of a part of a clip
        around = np.sort(
            np.concatenate((differs[max(1, at - _NEIGHBOURS) : at], differs[at + 1 : at + 1 + _NEIGHBOURS]))
        )
        # what is surely a cut may have another one on either side of it
        rivals = around[:-2] if differs[at] >= _SURELY_CUT else around
        if len(rivals) and differs[at] < _STANDS_OUT * rivals[-1]:
            continue
        # one frame later the frame before the cut must still look foreign: else it was a flash
        if at + 1 < len(second) and second[at + 1] < _LATER * differs[at]:
            continue
        # the way back from a flash
        if at >= 2 and differs[at - 1] >= _CUT and second[at] < _LATER * differs[at]:
            continue
        found.append(at)
    return found


def _parts(bounds: list[float], flats: list[tuple[float, float]], seconds: float) -> tuple[Shot, ...]:
    edges = [0.0]
    for bound in bounds:
        if bound - edges[-1] >= _SHORTEST_SECONDS and seconds - bound >= _SHORTEST_SECONDS:
            edges.append(bound)
    edges.append(seconds)
    found = []
    for start, stop in pairwise(edges):
        covered = sum(max(0.0, min(stop, b) - max(start, a)) for a, b in flats)
        found.append(Shot(start, stop, flat=covered > 0.9 * (stop - start)))
    return tuple(found)
