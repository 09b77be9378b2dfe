"""A clip, or half a minute of one, made ready to be asked about: seen through every window that a copy may have cut."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.duplicates.keys import CORE, FLAT, GRID, Keys, keys_of, middle, moved, moving, tamed, unit, unrest, waves
from reelwise.duplicates.windows import Pictures, resampled

__all__ = ["ASKED_MOST", "CUTS", "CUTS_BARRED", "Cut", "Question", "ask"]

ASKED_MOST = 10
"""Seconds of a stretch that are looked up and compared first: those in which most moves, and some between them."""
_KEYED = 8  # pictures a second that are looked up


class Cut(Struct, frozen=True):
    """What part of one picture the other shows, in the middle: width and height as fractions.

    Attributes:
        wide, tall: the share of the stored picture that the asked one shows; above 1 where the stored one is the crop.
    """

    wide: float = 1.0
    tall: float = 1.0

    def keyed(self) -> tuple[float, float, float, float]:
        """Return the window of the asked picture that shows what stored seconds are keyed by."""
        return middle(min(1.0, CORE / self.wide), min(1.0, CORE / self.tall))

    def asked(self) -> tuple[float, float, float, float]:
        """Return the window of the asked picture that the stored one shows too."""
        return middle(min(1.0, 1 / self.wide), min(1.0, 1 / self.tall))

    def stored(self) -> tuple[float, float, float, float]:
        """Return the window of the stored picture that the asked one shows too."""
        return middle(min(1.0, self.wide), min(1.0, self.tall))


CUTS = tuple(Cut(side, side) for side in (1.0, 0.95, 0.9, 0.85, 0.8, 1 / 0.9, 1 / 0.8))
CUTS_BARRED = tuple(Cut(*sides) for sides in ((1.0, 0.9), (1.0, 0.8), (0.9, 1.0), (0.8, 1.0)))
"""Tried besides where the asked clip has bars: they may cover the picture."""


class Question(Struct, frozen=True, eq=False):
    """Keys and pictures of up to ten seconds of a stretch.

    Attributes:
        cuts: (c,) the cuts tried.
        seconds: int64 (t,), which seconds of the clip, counted from the phase.
        keys: uint16 (c, p, t, 4) for the p phases that are looked up.
        valid: bool (c, p, t, 4).
        still: float32 (t, c * phases, 256), pictures of mean 0 and length 1.
        change: float32 (t, c * phases, 256), what moved since the second before; 0 for a first second.
        power: float32 (t, c * phases), sum of squares of `change`.
        seen: bool (t, c * phases), whether the clip still lasts then.
        changes: bool (t, c * phases), and had begun a second before.
        phases: phases compared: pictures a second of the clip.
    """

    cuts: tuple[Cut, ...]
    seconds: NDArray[np.int64]
    keys: Keys
    valid: NDArray[np.bool_]
    still: Pictures
    change: Pictures
    power: NDArray[np.float32]
    seen: NDArray[np.bool_]
    changes: NDArray[np.bool_]
    phases: int


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
    cuts = CUTS + CUTS_BARRED if barred else CUTS
    seconds = _chosen(pictures, rate, start, stop)
    last = len(pictures) - 1
    now = seconds[:, None] * rate + np.arange(rate)  # (t, phases)
    seen = now <= last
    now = np.minimum(now, last)
    before = now - rate
    has_before = before >= 0
    index = np.unique(np.concatenate((now.ravel(), np.maximum(before, 0).ravel())))
    now_at, before_at = np.searchsorted(index, now), np.searchsorted(index, np.maximum(before, 0))
    needed = pictures[index]
    count, wide = len(seconds), GRID * GRID
    still = np.empty((count, len(cuts), rate, wide), np.float32)
    change = np.empty_like(still)
    step = max(1, rate // _KEYED)
    phases = len(range(0, rate, step))
    keys = np.empty((len(cuts), phases, count, 4), np.uint16)
    valid = np.empty(keys.shape, np.bool_)
    size = needed.shape[1]
    held = tamed(needed.reshape(len(needed), -1).astype(np.float32)).reshape(len(needed), size, size)
    raw = needed.astype(np.float32)
    for number, cut in enumerate(cuts):
        window = cut.keyed()
        small = resampled(held, GRID, window)
        flat = small.reshape(len(small), wide)
        still[:, number] = unit(flat)[now_at]
        plain = resampled(raw, GRID, window)
        shift = moved(plain[now_at.ravel()], plain[before_at.ravel()]).reshape(count, rate, GRID, GRID)
        shift[~has_before | ~seen] = 0
        change[:, number] = shift.reshape(count, rate, wide)
        keys[number, :, :, :2] = keys_of(waves(small))[now_at[:, ::step]].transpose(1, 0, 2)
        keyed = np.ascontiguousarray(shift[:, ::step].transpose(1, 0, 2, 3)).reshape(-1, GRID, GRID)
        keys[number, :, :, 2:] = keys_of(waves(keyed)).reshape(phases, count, 2)
        if not number:  # what says anything is the same in every window, near enough
            valid[..., :2] = (flat.std(axis=1) >= FLAT)[now_at[:, ::step]].T[..., None]
            valid[..., 2:] = moving(keyed).reshape(phases, count)[..., None]
    shape = (count, len(cuts) * rate, wide)
    changed = change.reshape(shape)
    return Question(
        cuts=cuts,
        seconds=seconds,
        keys=keys,
        valid=valid,
        still=still.reshape(shape),
        change=changed,
        power=np.einsum("tkx,tkx->tk", changed, changed),
        seen=np.tile(seen, (1, len(cuts))),
        changes=np.tile(seen & has_before, (1, len(cuts))),
        phases=rate,
    )
