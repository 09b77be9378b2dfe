"""A clip, or half a minute of one, made ready to be asked about: seen through every window that a copy may have cut."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.duplicates.cuts import PLAIN, Cut, cuts, grids
from reelwise.duplicates.keys import (
    CORE,
    GRID,
    INNER,
    Keys,
    moved,
    moved_keys,
    moving,
    says,
    shifted,
    still_keys,
    tamed,
    unit,
    unrest,
    waves,
)
from reelwise.duplicates.windows import Pictures, resampled

__all__ = ["ASKED_MOST", "LOOK", "LookUp", "Moves", "Question", "View", "ask", "look_at"]

ASKED_MOST = 10
"""Seconds of a stretch that are looked up and compared first: those in which most moves, and some between them."""
LOOK = 12
"""Cells of a side in which places are compared first."""
_PHASES = 4  # of a second; comparing finds the time between two of them
_STILLS = 2  # pictures a second that are looked up by what stands still, which changes little within one


class LookUp(Struct, frozen=True, eq=False):
    """Keys to look up in one table.

    Attributes:
        band: which table.
        keys: uint16 (m,).
        seconds: int64 (m,), which second of the clip each is of.
    """

    band: int
    keys: Keys
    seconds: NDArray[np.int64]


class Question(Struct, frozen=True, eq=False):
    """Up to ten seconds of a stretch, each at every phase.

    Attributes:
        cuts: (c,) the cuts tried.
        seconds: int64 (t,), which seconds of the clip, counted from the phase.
        pictures: float32 (m, 24, 24), all that is needed of them.
        now, before: int64 (t, phases), which picture is each phase of a second, and which is that of the second before.
        seen: bool (t, phases), whether the clip still lasts then.
        changes: bool (t, phases), and had begun a second before.
        active: bool (t, phases), and something moves.
        step: pictures of the clip from one phase to the next.
        stills: float32 (t, 2, c, 32), coefficients of the inner part through every cut, at two phases, of length 1; 0 where flat.
    """

    cuts: tuple[Cut, ...]
    seconds: NDArray[np.int64]
    pictures: Pictures
    now: NDArray[np.int64]
    before: NDArray[np.int64]
    seen: NDArray[np.bool_]
    changes: NDArray[np.bool_]
    active: NDArray[np.bool_]
    step: int
    stills: NDArray[np.float32]

    def still_look_ups(self) -> list[LookUp]:
        """Return keys of what stands still, through every cut; each key of a second once."""
        keys = still_keys(self.stills)
        valid = self.stills.any(axis=-1) & self.seen[:, :: _every(self.seen.shape[1], _STILLS), None]
        second = np.broadcast_to(np.arange(len(self.seconds))[:, None, None], valid.shape)[valid]
        found = []
        for band in range(2):
            once = np.unique(second.astype(np.int64) << 16 | keys[..., band][valid])
            found.append(LookUp(band, (once & 0xFFFF).astype(np.uint16), self.seconds[once >> 16]))
        return found

    def moves(self, chosen: tuple[Cut, ...], *, inner: bool) -> Moves:
        """Return keys of what moves, in the core or the inner part, through the cuts chosen."""
        windows = [cut.window(INNER if inner else CORE) for cut in chosen]
        seen = waves(self.pictures, [(((left, right),), ((top, bottom),)) for left, top, right, bottom in windows])
        keys = moved_keys(shifted(seen[self.now], seen[self.before]))  # (t, phases, cuts, 2)
        return Moves(inner, np.ascontiguousarray(keys).view(np.uint32)[..., 0], self.active, self.seconds)


class Moves(Struct, frozen=True, eq=False):
    """Keys of what moves.

    Attributes:
        inner: in the inner part, not in the core.
        keys: uint32 (t, phases, cuts), two keys of 16 bits each.
        active: bool (t, phases), whether something moves at all.
        seconds: int64 (t,).
    """

    inner: bool
    keys: NDArray[np.uint32]
    active: NDArray[np.bool_]
    seconds: NDArray[np.int64]

    def some(self) -> Moves:
        """Return every second cut: near ones have nearly the same keys."""
        return Moves(self.inner, self.keys[..., ::2], self.active, self.seconds)

    def look_ups(self) -> list[LookUp]:
        """Return the keys to look up, those of phases in which something moves."""
        keys = np.ascontiguousarray(self.keys[self.active])  # (u, cuts)
        both = keys.view(np.uint16).reshape(-1, 2)
        second = np.broadcast_to(self.seconds[:, None], self.active.shape)[self.active]
        second = np.broadcast_to(second[:, None], keys.shape).ravel()
        first = 4 if self.inner else 2
        return [LookUp(first + band, both[:, band], second) for band in range(2)]


class View(Struct, frozen=True, eq=False):
    """What the asked and the stored clip both show, as the asked one shows it.

    Attributes:
        still: float32 (t, phases, 144), pictures of mean 0 and length 1.
        change: float32 (t, phases, 144), what moved since the second before; 0 for a first second.
        power: float32 (t, phases), sum of squares of `change`.
    """

    still: Pictures
    change: Pictures
    power: NDArray[np.float32]


def _every(count: int, wanted: int) -> int:
    return max(1, count // wanted)


def _chosen(pictures: NDArray[np.uint8], rate: int, start: int, stop: int) -> NDArray[np.int64]:
    """Choose seconds of start..stop: three quarters by movement, the rest spread evenly."""
    seconds = np.arange(start, stop)
    if len(seconds) <= ASKED_MOST:
        return seconds
    small = pictures[start * rate : stop * rate : rate].astype(np.float32)
    change = np.zeros(len(seconds), np.float32)
    change[1:] = unrest(moved(small[1:], small[:-1]))
    even = np.linspace(0, len(seconds) - 1, ASKED_MOST // 4).astype(int)
    change[even] = np.inf
    return np.sort(seconds[np.argsort(-change, kind="stable")[:ASKED_MOST]])


def ask(pictures: NDArray[np.uint8], rate: int, start: int, stop: int, *, barred: bool) -> Question:
    """Make a stretch ready to be asked about.

    Args:
        pictures: uint8 (n, 24, 24), `rate` of them a second.
        rate: pictures a second.
        start: first whole second of the stretch.
        stop: the second after its last.
        barred: whether bars were cut off.
    """
    seconds = _chosen(pictures, rate, start, stop)
    last = len(pictures) - 1
    step = _every(rate, _PHASES)
    now = seconds[:, None] * rate + np.arange(0, rate, step)  # (t, phases)
    seen = now <= last
    now = np.minimum(now, last)
    before = now - rate
    changes = seen & (before >= 0)
    index = np.unique(np.concatenate((now.ravel(), np.maximum(before, 0).ravel())))
    now, before = np.searchsorted(index, now), np.searchsorted(index, np.maximum(before, 0))
    needed = pictures[index].astype(np.float32)
    some = now[:, :: _every(now.shape[1], _STILLS)]
    flat = needed[some.ravel()].reshape(some.size, -1)
    held = tamed(flat).reshape(-1, *needed.shape[1:])
    stills = waves(held, grids(barred=barred))
    power = np.einsum("ncx,ncx->nc", stills, stills)
    stills *= (says(stills) / np.sqrt(power + 1e-3))[..., None]
    active = np.zeros(now.shape, np.bool_)
    core = resampled(needed, GRID, PLAIN[0].window(CORE))
    active[changes] = moving(moved(core[now[changes]], core[before[changes]]))
    return Question(
        cuts=cuts(barred=barred),
        seconds=seconds,
        pictures=needed,
        now=now,
        before=before,
        seen=seen,
        changes=changes,
        active=active,
        step=step,
        stills=stills.reshape(*some.shape, *stills.shape[1:]),
    )


def look_at(question: Question, cut: Cut) -> View:
    """Show a question as far as the stored clip shows it, too, if it is cut so."""
    seen = resampled(question.pictures, LOOK, cut.asked())
    flat = tamed(seen.reshape(len(seen), -1))
    change = moved(seen[question.now.ravel()], seen[question.before.ravel()]).reshape(*question.now.shape, -1)
    change *= question.changes[..., None]
    return View(unit(flat)[question.now], change, np.einsum("tpx,tpx->tp", change, change))
