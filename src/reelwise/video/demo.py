"""Draw the clip that the project shows itself on: a loading bay where, most of the time, nothing happens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.errors import InputError
from reelwise.video.scene import draw_background, draw_car, draw_cat, draw_parcel, draw_person
from reelwise.video.shapes import ACROSS, DOWN, Canvas
from reelwise.video.writer import write_mp4

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

__all__ = ["Demo", "Event", "draw_demo"]

_SAMPLE_RATE = 16_000
_NOISE_FIELDS = 8
_NOISE_LEVELS = 1.5  # standard deviation of the sensor's noise, in luma levels

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


class Event(Struct, frozen=True):
    """Something that happens in the drawn clip, in seconds; `kind` is "sound" for a voice that is only heard."""

    name: str
    start: float
    stop: float
    kind: str = "sight"


class Demo(Struct, frozen=True):
    """A drawn clip and what happens in it.

    Attributes:
        path: the file.
        seconds, width, height, fps: as drawn.
        events: what is to be seen and heard, ascending by start.
    """

    path: str
    seconds: float
    width: int
    height: int
    fps: int
    events: tuple[Event, ...]

    def seen(self) -> tuple[Event, ...]:
        """Return the events to be seen."""
        return tuple(event for event in self.events if event.kind == "sight")

    def active_share(self) -> float:
        """Return the share of the clip in which something moves."""
        return sum(event.stop - event.start for event in self.seen()) / self.seconds


_SCRIPT = (
    ("cat", 0.12, 2.0),
    ("car arrives", 0.29, 2.6),
    ("person leaves a parcel", 0.52, 4.4),
    ("car leaves", 0.80, 2.4),
)
"""What is seen: name, share of the clip at which it starts, seconds it takes in a clip of a minute or more."""

_VOICES = ((0.53, 1.6), (0.64, 1.2))


def draw_demo(
    path: str | os.PathLike[str],
    *,
    seconds: float = 60,
    width: int = 1280,
    height: int = 720,
    fps: int = 25,
    seed: int = 7,
) -> Demo:
    """Draw a fixed-camera clip: a yard at dusk, a cat, a car that parks and leaves, a person who leaves a parcel.

    Over 80 % of it nothing happens; the light fades slowly and a cloud passes; the sensor is noisy; a soft hiss is heard
    with two voice-like bursts. Equal arguments give equal pictures.

    Args:
        path: MP4 to write (H.264, AAC 16 kHz mono).
        seconds: 2 or more; in clips shorter than a minute everything happens proportionally faster.
        width: pixels, even, from 64.
        height: pixels, even, from 36; 16:9 looks right.
        fps: frames a second.
        seed: of textures and noise.

    Raises:
        InputError: an argument out of range.
        OutputError: the file cannot be written.
    """
    if not 2 <= seconds <= 86_400 or not 1 <= fps <= 120:
        raise InputError("a demo lasts 2 seconds to a day at 1 to 120 frames a second", hint="try seconds=60, fps=25")
    if width % 2 or height % 2 or not (64 <= width <= 4096 and 36 <= height <= 4096):
        raise InputError(f"cannot draw {width}x{height}", hint="even sides from 64x36 to 4096x4096")
    rng = np.random.default_rng(seed)
    pace = min(1.0, seconds / 60)
    events = tuple(Event(name, share * seconds, share * seconds + length * pace) for name, share, length in _SCRIPT)
    heard = tuple(
        Event("voice", share * seconds, share * seconds + length * pace, kind="sound") for share, length in _VOICES
    )
    stage = _Stage(width, height, rng, {event.name: event for event in events})
    count = round(seconds * fps)
    write_mp4(
        path,
        (stage.frame(index / fps, seconds) for index in range(count)),
        width=width,
        height=height,
        fps=fps,
        sound=_sound(seconds, heard, rng),
        sample_rate=_SAMPLE_RATE,
    )
    everything = tuple(sorted((*events, *heard), key=lambda event: event.start))
    return Demo(str(path), count / fps, width, height, fps, everything)


class _Stage:
    """The background, its light and noise, and the cast."""

    def __init__(self, width: int, height: int, rng: np.random.Generator, events: dict[str, Event]) -> None:
        self._width, self._height = width, height
        self._events = events
        self._empty = draw_background(width, height, rng)
        self._rng = rng
        self._noise = [
            # within +-6 levels, so that adding it to luma 16..235 cannot wrap
            np.clip(rng.normal(0, _NOISE_LEVELS, (height, width)), -6, 6).round().astype(np.int8).view(np.uint8)
            for _ in range(_NOISE_FIELDS)
        ]
        self._settings: tuple[bool, bool] = (False, False)
        self._set = _planes(self._empty)
        self._base = self._empty
        self._gain = -1
        self._lit = self._set

    def frame(self, time: float, seconds: float) -> Planes:
        """Draw the planes of one moment."""
        parked = self._events["car arrives"].stop <= time < self._events["car leaves"].start
        left = self._progress("person leaves a parcel", time) >= 0.5
        if (parked, left) != self._settings:
            self._settings = (parked, left)
            self._dress(parked, left)
        gain = round(256 * _light(time / seconds))
        if gain != self._gain:
            self._gain = gain
            self._lit = _relit(self._set, gain)
        y, u, v = (plane.copy() for plane in self._lit)
        for window, draw in self._cast(time):
            self._put(y, u, v, window, draw)
        field = self._noise[int(self._rng.integers(_NOISE_FIELDS))]
        shift = int(self._rng.integers(self._height)) * self._width + int(self._rng.integers(self._width))
        y += np.roll(field.reshape(-1), shift).reshape(field.shape)
        return y, u, v

    def _progress(self, name: str, time: float) -> float:
        event = self._events[name]
        return (time - event.start) / (event.stop - event.start)

    def _dress(self, parked: bool, left: bool) -> None:
        """Make what stands still part of the background."""
        self._base = self._empty
        for wanted, (window, draw) in ((parked, self._car(0.0)), (left, self._parcel())):
            if wanted:
                canvas = self._window(window)
                canvas.rgb[:] = self._base[canvas.window[1] : canvas.window[3], canvas.window[0] : canvas.window[2]]
                draw(canvas)
                self._base = self._base.copy()
                self._base[canvas.window[1] : canvas.window[3], canvas.window[0] : canvas.window[2]] = canvas.rgb
        self._set = _planes(self._base)
        self._gain = -1

    def _cast(self, time: float) -> Iterator[tuple[tuple[float, float, float, float], Callable[[Canvas], None]]]:
        """Say who is on the move, and around which part of the picture in units."""
        part = self._progress("cat", time)
        if 0 <= part < 1:
            x = -0.8 + part * 17.6
            yield (x - 0.8, 7.6, x + 0.8, 8.5), lambda canvas: draw_cat(canvas, x, 8.35, part * 9, facing=1)
        part = self._progress("car arrives", time)
        if 0 <= part < 1:
            yield self._car((1 - part) ** 2 * 10.5)
        part = self._progress("car leaves", time)
        if 0 <= part < 1:
            yield self._car(part**2 * 10.5)
        part = self._progress("person leaves a parcel", time)
        if 0 <= part < 1:
            walked = 1 - abs(1 - 2 * part)
            at, feet = 5.6 + 2.3 * walked, 5.62 + 0.75 * min(1.0, walked * 1.6)
            carries, facing = part < 0.5, 1.0 if part < 0.5 else -1.0
            yield (
                (at - 0.8, feet - 1.9, at + 0.8, feet + 0.2),
                lambda canvas: draw_person(canvas, at, feet, walked * 3.2, facing=facing, parcel=carries),
            )

    def _car(self, away: float) -> tuple[tuple[float, float, float, float], Callable[[Canvas], None]]:
        x = 8.3 + away
        return (x - 2.4, 5.9, x + 2.4, 7.8), lambda canvas: draw_car(canvas, x, 7.3)

    def _parcel(self) -> tuple[tuple[float, float, float, float], Callable[[Canvas], None]]:
        return (7.8, 5.7, 8.8, 6.6), lambda canvas: draw_parcel(canvas, 8.26, 6.4)

    def _window(self, units: tuple[float, float, float, float]) -> Canvas:
        """Open a canvas over a part of the picture, on even pixels and within it."""
        left = int(units[0] / ACROSS * self._width) // 2 * 2
        top = int(units[1] / DOWN * self._height) // 2 * 2
        right = math.ceil(units[2] / ACROSS * self._width / 2) * 2
        bottom = math.ceil(units[3] / DOWN * self._height / 2) * 2
        right, bottom = max(0, min(self._width, right)), max(0, min(self._height, bottom))
        clipped = (min(max(0, left), right), min(max(0, top), bottom), right, bottom)
        return Canvas(self._width, self._height, clipped)

    def _put(
        self,
        y: NDArray[np.uint8],
        u: NDArray[np.uint8],
        v: NDArray[np.uint8],
        units: tuple[float, float, float, float],
        draw: Callable[[Canvas], None],
    ) -> None:
        canvas = self._window(units)
        left, top, right, bottom = canvas.window
        if right <= left or bottom <= top:
            return
        canvas.rgb[:] = self._base[top:bottom, left:right]
        draw(canvas)
        luma, blue, red = _relit(_planes(canvas.rgb), self._gain)
        y[top:bottom, left:right] = luma
        u[top // 2 : bottom // 2, left // 2 : right // 2] = blue
        v[top // 2 : bottom // 2, left // 2 : right // 2] = red


def _light(part: float) -> float:
    """Return the light at a share of the clip: it fades by an eighth, and a cloud passes between two events."""
    cloud = math.exp(-(((part - 0.69) / 0.035) ** 2))
    return 1.0 - 0.125 * part - 0.10 * cloud


def _planes(rgb: NDArray[np.float32]) -> Planes:
    """Convert to BT.601 video levels, chroma averaged over 2 x 2."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    rows, columns = r.shape

    def half(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
        small = plane.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
        levels: NDArray[np.uint8] = np.clip(small.round(), 16, 240).astype(np.uint8)
        return levels

    y = np.clip((16 + 0.257 * r + 0.504 * g + 0.098 * b).round(), 16, 235).astype(np.uint8)
    u = half(128 - 0.148 * r - 0.291 * g + 0.439 * b)
    v = half(128 + 0.439 * r - 0.368 * g - 0.071 * b)
    return y, u, v


def _relit(planes: Planes, gain: int) -> Planes:
    """Scale the light by gain/256, through tables."""
    levels = np.arange(256)
    luma = np.clip(16 + ((levels - 16) * gain + 128) // 256, 16, 235).astype(np.uint8)
    chroma = np.clip(128 + ((levels - 128) * gain + 128) // 256, 16, 240).astype(np.uint8)
    return luma[planes[0]], chroma[planes[1]], chroma[planes[2]]


def _sound(seconds: float, voices: tuple[Event, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Make a hiss at about -52 dBFS, with bursts that have the pitch, vowels and syllables of a voice."""
    count = round(seconds * _SAMPLE_RATE)
    sound = rng.normal(0, 0.0025, count).astype(np.float32)
    for index, voice in enumerate(voices):
        start, stop = round(voice.start * _SAMPLE_RATE), min(count, round(voice.stop * _SAMPLE_RATE))
        t = np.arange(stop - start) / _SAMPLE_RATE
        pitch = (118 + 60 * index) * (1 + 0.06 * np.sin(2 * np.pi * 2.3 * t))
        turn = 2 * np.pi * np.cumsum(pitch) / _SAMPLE_RATE
        tone = sum(np.sin(turn * k) * math.exp(-(((k * 125 - 620) / 520) ** 2)) for k in range(1, 18))
        syllables = np.clip(np.sin(2 * np.pi * 3.6 * t), 0.08, 1) * np.minimum(1, np.minimum(t, t[::-1]) * 12)
        sound[start:stop] += (0.055 * tone * syllables).astype(np.float32)
    return sound
