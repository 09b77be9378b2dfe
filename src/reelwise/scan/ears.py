"""Sound as a trigger: louder than the learned noise floor, or speech."""

from __future__ import annotations

import math
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from reelwise.errors import InputError, MissingExtraError
from reelwise.scan.pump import SOUND_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["EARS", "Ear", "Loud", "Speech", "ear", "sound_of"]

EARS: tuple[str, ...] = ("energy", "speech")

Samples = Any

_WINDOW_SECONDS = 0.1
_FLOOR_WINDOWS = 600  # a minute
_FLOOR_MIN = 10
_FLOOR_QUANTILE = 0.1
_ABOVE_FLOOR_DB = 9.0
_QUIET_DB = -60.0
_SILENCE_DB = -100.0
_RENEW_WINDOWS = 10
_MIN_SECONDS = 0.2
_HOLD_SECONDS = 0.6
_APART_SECONDS = 0.5
_SPEECH_FRAME_SECONDS = 0.03
_SPEECH_FRAMES, _SPEECH_NEEDED = 10, 7
_AGGRESSIVENESS = 2


class Ear(Protocol):
    """What listens: `hear` takes sound and returns spans; one that starts as another did replaces it."""

    name: str

    def hear(self, seconds: float | None, samples: NDArray[np.int16]) -> list[tuple[float, float]]:
        """Take int16 samples, `SOUND_RATE` a second, that begin at `seconds`; None: they go on from those before."""


class _Switch:
    """On after a minimum, off after a pause."""

    def __init__(self) -> None:
        self._since = self._last = math.nan
        self._told = False

    def add(self, start: float, stop: float, *, on: bool) -> list[tuple[float, float]]:
        """Take a window; return what there is to tell."""
        told: list[tuple[float, float]] = []
        if not math.isnan(self._since) and start - self._last > _HOLD_SECONDS:
            told += self.end()
        if on:
            if math.isnan(self._since):
                self._since, self._told = start, False
            self._last = stop
            if not self._told and stop - self._since >= _MIN_SECONDS - 1e-6:
                self._told = True
                told.append((self._since, math.inf))
        return told

    def end(self) -> list[tuple[float, float]]:
        """End what is on."""
        since, self._since = self._since, math.nan
        return [(since, self._last)] if self._told and not math.isnan(since) else []


class _Windows:
    """Cuts sound into windows of equal length; a jump in its time begins a new one."""

    def __init__(self, seconds: float) -> None:
        self._count = round(seconds * SOUND_RATE)
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)
        self._at = 0.0  # when the rest begins

    def cut(self, seconds: float | None, samples: NDArray[np.int16]) -> Iterator[tuple[float, NDArray[np.int16]]]:
        expected = self._at + len(self._rest) / SOUND_RATE
        if seconds is not None and abs(seconds - expected) > _APART_SECONDS:
            self._rest, self._at = self._rest[:0], seconds
        data = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        whole = len(data) // self._count
        for index in range(whole):
            yield self._at + index * self._count / SOUND_RATE, data[index * self._count : (index + 1) * self._count]
        self._at += whole * self._count / SOUND_RATE
        self._rest = data[whole * self._count :].copy()


class Loud:
    """Sound that is 9 dB above the noise floor of the last minute, its quietest tenth, and above -60 dBFS."""

    name = "sound"

    def __init__(self) -> None:
        self._windows, self._switch = _Windows(_WINDOW_SECONDS), _Switch()
        self._levels: deque[float] = deque(maxlen=_FLOOR_WINDOWS)
        self._floor, self._due = 0.0, 0

    @property
    def held(self) -> int:
        """Count the levels held."""
        return len(self._levels)

    def hear(self, seconds: float | None, samples: NDArray[np.int16]) -> list[tuple[float, float]]:
        """Take sound; see `Ear`."""
        told: list[tuple[float, float]] = []
        for at, window in self._windows.cut(seconds, samples):
            values = window.astype(np.float32) / 32768.0
            power = float(np.dot(values - values.mean(), values) / len(values))
            level = 10 * math.log10(max(power, 10 ** (_SILENCE_DB / 10)))
            self._levels.append(level)
            self._due -= 1
            if self._due <= 0:
                self._floor = float(np.quantile(np.array(self._levels), _FLOOR_QUANTILE))
                self._due = _RENEW_WINDOWS if len(self._levels) >= _FLOOR_MIN else 1
            known = len(self._levels) >= _FLOOR_MIN
            on = known and level > max(_QUIET_DB, self._floor + _ABOVE_FLOOR_DB)
            told += self._switch.add(at, at + _WINDOW_SECONDS, on=on)
        return told


class Speech:
    """Speech, as WebRTC's voice activity detector hears it in seven of ten frames of 30 ms.

    Raises:
        MissingExtraError: webrtcvad is not installed.
    """

    name = "speech"

    def __init__(self) -> None:
        try:
            import webrtcvad
        except ImportError:
            raise MissingExtraError(
                "speech needs webrtcvad, which is not installed", hint="pip install 'reelwise[sound]'"
            ) from None
        self._vad = webrtcvad.Vad(_AGGRESSIVENESS)
        self._windows, self._switch = _Windows(_SPEECH_FRAME_SECONDS), _Switch()
        self._recent: deque[bool] = deque(maxlen=_SPEECH_FRAMES)

    def hear(self, seconds: float | None, samples: NDArray[np.int16]) -> list[tuple[float, float]]:
        """Take sound; see `Ear`."""
        told: list[tuple[float, float]] = []
        for at, window in self._windows.cut(seconds, samples):
            self._recent.append(self._vad.is_speech(window.tobytes(), SOUND_RATE))
            on = sum(self._recent) >= _SPEECH_NEEDED
            back = len(self._recent) * _SPEECH_FRAME_SECONDS if on else 0.0
            stop = at + _SPEECH_FRAME_SECONDS
            told += self._switch.add(stop - max(back, _SPEECH_FRAME_SECONDS), stop, on=on)
        return told


def ear(name: str) -> Ear:
    """Make what listens for energy or speech.

    Raises:
        InputError: there is no such ear.
        MissingExtraError: what it needs is not installed.
    """
    if name == "energy":
        return Loud()
    if name == "speech":
        return Speech()
    raise InputError("no such way of listening", where=name, hint=f"one of {', '.join(EARS)}")


def sound_of(path: str, ears: list[Ear]) -> tuple[dict[str, list[tuple[float, float]]] | None, float]:
    """Listen to all of a file.

    Args:
        path: the clip.
        ears: what listens.

    Returns:
        Spans by the ear's name in seconds from the first picture, and the CPU seconds it took; None where there is no sound.

    Raises:
        MediaError: the clip cannot be read.
    """
    import time

    from reelwise.scan.pump import Listener
    from reelwise.video.files import checked_file
    from reelwise.video.reader import mapped, open_container, video_stream

    began = time.process_time()
    found: dict[str, dict[float, float]] = {one.name: {} for one in ears}
    end = 0.0
    with mapped(path), closing(open_container(checked_file(path))) as container:
        video = video_stream(container, path)
        origin = float((video.start_time or 0) * (video.time_base or 0))
        listener = Listener()
        sounds = [one for one in container.streams.audio if one.codec_context is not None][:1]
        for packet in container.demux(sounds) if sounds else ():
            for heard in listener.hear(packet):
                at = None if heard.stamp is None else heard.stamp - origin
                end = (end if at is None else at) + len(heard.samples) / SOUND_RATE
                for one in ears:
                    found[one.name].update(one.hear(at, heard.samples))
    if not sounds:
        return None, time.process_time() - began
    spans = {
        name: [(max(0.0, a), min(b, end)) for a, b in sorted(pairs.items()) if min(b, end) > max(0.0, a)]
        for name, pairs in found.items()
    }
    return spans, time.process_time() - began
