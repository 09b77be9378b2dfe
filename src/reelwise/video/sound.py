"""Loudness of a clip's sound in short windows, and where it is not silent."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.video.clips import AUDIO_WINDOW_SECONDS, SILENCE_DB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.video.clips import Track

__all__ = ["Loudness", "sound_stretches", "speech_seconds"]

_ABOVE_FLOOR_DB = 9.0
_FLOOR_DB_MAX = -44.0  # a clip that never falls silent: what is above -35 dBFS counts all the same
_QUIET_DB = -60.0
_JUMP_WINDOWS_MAX = 36_000


class Loudness:
    """Adds up the energy of audio frames, window by window.

    Args:
        start: the video's first time stamp in seconds; sound before it is left out.
        window: seconds a window.
    """

    def __init__(self, start: float, window: float = AUDIO_WINDOW_SECONDS) -> None:
        self._start = start
        self._window = window
        self._energy = array("d")
        self._samples = array("d")
        self._next = start

    def hear(self, samples: NDArray[Any], *, planar: bool, channels: int, at: float | None, rate: int) -> None:
        """Take one decoded audio frame.

        Args:
            samples: (channels, n), or (1, n * channels) where packed; integers of any width, or floats.
            planar: whether the channels are rows; of several rows the first is measured.
            channels: how many are packed in a row that is not planar.
            at: seconds, in the clip's own time; None continues the frame before.
            rate: samples a second a channel.
        """
        values = samples[0]
        count = len(values)
        per_second = rate * (1 if planar else max(1, channels))
        if per_second <= 0 or count == 0:
            return
        begin = self._next if at is None else at
        self._next = begin + count / per_second
        per_window = per_second * self._window
        position = (begin - self._start) / self._window
        first = math.floor(position + 1e-9)
        taken = max(1, math.ceil((first + 1 - position) * per_window))
        if taken >= count:  # most frames lie within one window
            self._add(first, values)
            return
        self._add(first, values[:taken])
        while taken < count:  # one turn a window
            position = (begin - self._start) / self._window + taken / per_window
            index = math.floor(position + 1e-9)
            room = max(1, math.ceil((index + 1 - position) * per_window))
            self._add(index, values[taken : taken + room])
            taken += room

    def _add(self, index: int, values: NDArray[Any]) -> None:
        if index < 0 or index > len(self._energy) + _JUMP_WINDOWS_MAX:
            return
        missing = index + 1 - len(self._energy)
        if missing > 0:
            self._energy.extend([0.0] * missing)
            self._samples.extend([0.0] * missing)
        self._energy[index] += _energy(values)
        self._samples[index] += len(values)

    def windows(self) -> NDArray[np.float32]:
        """Return each window's loudness in dBFS."""
        energy, samples = np.array(self._energy), np.array(self._samples)
        power = np.divide(energy, samples, out=np.zeros_like(energy), where=samples > 0)
        return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10))), np.float32)


def _energy(values: NDArray[Any]) -> float:
    """Add up squares, full scale being 1.0; what is no number counts as silence."""
    kind = values.dtype.kind
    if kind == "f":
        found = float(np.dot(values, values))
        return found if math.isfinite(found) else _energy(np.nan_to_num(values, posinf=1.0, neginf=-1.0))
    full = 2.0 ** (8 * values.dtype.itemsize - 1)
    level = values.astype(np.float32)
    if kind == "u":
        level -= np.float32(full)
    return float(np.dot(level, level)) / (full * full)


def _sounding(track: Track) -> NDArray[np.bool_]:
    loud = track.audio
    floor = float(np.quantile(loud, 0.1))
    threshold = max(_QUIET_DB, min(floor, _FLOOR_DB_MAX) + _ABOVE_FLOOR_DB)
    found: NDArray[np.bool_] = loud > threshold
    return found


def speech_seconds(track: Track) -> float:
    """Add up the seconds of sound above the clip's own floor; 0.0 without audio."""
    return float(sum(stop - start for start, stop in sound_stretches(track)))


def sound_stretches(
    track: Track, *, pad_seconds: float = 0.2, join_seconds: float = 0.6, minimum_seconds: float = 0.2
) -> tuple[tuple[float, float], ...]:
    """Find stretches of sound by energy above a learned floor (the quietest tenth of the clip, plus 9 dB).

    Args:
        track: a track with audio; without, there are none.
        pad_seconds: kept before and after.
        join_seconds: gaps up to this length are kept.
        minimum_seconds: shorter sounds are dropped, before padding.
    """
    from reelwise.video.stretches import runs

    if len(track.audio) == 0:
        return ()
    window = track.audio_window_seconds
    end = min(len(track.audio) * window, max(track.seconds, window))
    starts = np.arange(len(track.audio), dtype=np.float64) * window
    return runs(_sounding(track), starts, end, pad=pad_seconds, join=join_seconds, minimum=minimum_seconds)
