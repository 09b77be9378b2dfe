"""Draw a clip of a person where there is no camera: a portrait, cut out, moved in front of a drawn room.

The portrait is the public-domain photograph of the astronaut Eileen Collins (NASA) that scikit-image carries in its wheel. It
is taken out of that wheel by its checksum; scikit-image is not installed. It is cut out along a hand-drawn outline, so that what
is foreground is known beside what a network says.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct

from reelwise.documents import write_whole
from reelwise.errors import InputError
from reelwise.models.masks import opencv
from reelwise.models.shelf import cache_folder
from reelwise.models.wheel import Wheel, fetch_wheel, member, read_bytes, sha256

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["SCIKIT_IMAGE", "Cut", "cut_portrait", "portrait_clip", "portrait_file", "portrait_frames"]

SCIKIT_IMAGE: Final = Wheel(
    requirement="scikit-image==0.26.0",
    python="3.12",
    platform="manylinux_2_28_x86_64",
    sha256="7df650e79031634ac90b11e64a9eedaf5a5e06fcd09bcd03a34be01745744466",
    megabytes=14,
    install="make demo-live",
)
_MEMBER = "skimage/data/astronaut.png"
_PICTURE = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
_LARGEST = 2_000_000

# outlines of the person in the picture, 512x512: everything outside the first is background, inside the second foreground
_OUTER = (
    (150, 90), (150, 55), (185, 22), (240, 8), (290, 25), (306, 75), (303, 125), (285, 140), (276, 165), (310, 235), (345, 258),
    (368, 300), (372, 345), (420, 338), (470, 352), (503, 410), (508, 470), (512, 490), (512, 511), (10, 511), (15, 440),
    (14, 400), (30, 300), (48, 255), (105, 205), (112, 180), (150, 145), (178, 142),
)  # fmt: skip
_INNER = (
    (165, 85), (185, 45), (235, 25), (280, 50), (290, 100), (265, 140), (258, 180), (290, 235), (330, 270), (345, 330), (350, 365),
    (400, 358), (455, 375), (485, 440), (485, 505), (120, 508), (40, 470), (45, 400), (60, 290), (120, 225), (130, 185),
    (190, 165), (180, 120),
)  # fmt: skip
_ROUNDS = 4

_PERIOD = 20.0
# seconds, across (shares of the width from its middle), size (of the frame's height), tilt (degrees)
_SCRIPT = (
    (0.0, -0.05, 0.86, 0.0), (4.0, -0.05, 0.86, 0.0), (5.0, -0.18, 0.86, -2.0), (6.2, 0.14, 0.88, 2.0), (7.0, 0.02, 0.88, 0.0),
    (8.2, 0.02, 1.15, 0.0), (9.0, 0.02, 1.15, 1.5), (10.0, 0.05, 0.88, 0.0), (11.6, 0.85, 0.88, 3.0), (13.6, 0.85, 0.88, 3.0),
    (15.2, -0.05, 0.86, -1.0), (16.0, -0.05, 0.86, 0.0), (20.0, -0.05, 0.86, 0.0),
)  # fmt: skip
_NOISE_LEVELS = 1.5
_NOISE_FIELDS = 6


class Cut(Struct, frozen=True):
    """A person cut out of a picture: `picture` RGB uint8 (h, w, 3), `alpha` float32 (h, w), 1 where the person is."""

    picture: Any
    alpha: Any


def portrait_file(
    source: Path | None = None, *, folder: Path | None = None, say: Callable[[str], None] | None = None
) -> Path:
    """Return the portrait's file in the cache; the first time it is taken out of the wheel that pip fetches.

    Args:
        source: the wheel, or the picture, where it is here already.
        folder: in place of $REELWISE_CACHE or the user's cache.
        say: is told what takes time.

    Raises:
        InputError: no network and no file, or another checksum; the hint says what to do.
        OutputError: the cache cannot be written to.
    """
    path = cache_folder(folder) / "pictures" / f"astronaut-{_PICTURE[:16]}.png"
    if source is None:
        try:
            if sha256(path.read_bytes()) == _PICTURE:
                return path
        except OSError:
            pass  # not there yet
        if say is not None:
            say(f"fetching {SCIKIT_IMAGE.requirement} with pip: {SCIKIT_IMAGE.megabytes} MB, once; it is not installed")
        raw, name = fetch_wheel(SCIKIT_IMAGE), f"the wheel {SCIKIT_IMAGE.requirement}"
    else:
        raw, name = read_bytes(source, SCIKIT_IMAGE), source.name
    if raw.startswith(b"PK"):
        raw = member(raw, _MEMBER, SCIKIT_IMAGE, name=name, largest=_LARGEST)
    if sha256(raw) != _PICTURE:
        raise InputError(
            "is not the portrait that is expected", where=name, hint=f"give the wheel: {SCIKIT_IMAGE.by_hand}"
        )
    write_whole(path, raw)
    return path


def cut_portrait(path: Path) -> Cut:
    """Cut the person out of the portrait.

    Raises:
        MissingExtraError: OpenCV is not installed.
        InputError: the file is not the portrait.
    """
    cv2 = opencv()
    coded = np.frombuffer(read_bytes(path, SCIKIT_IMAGE), np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if picture is None or picture.shape != (512, 512, 3):
        raise InputError("is not the portrait that is expected", where=str(path), hint=SCIKIT_IMAGE.by_hand)
    marks = np.full(picture.shape[:2], cv2.GC_BGD, np.uint8)
    cv2.fillPoly(marks, [np.array(_OUTER)], cv2.GC_PR_FGD)
    cv2.fillPoly(marks, [np.array(_INNER)], cv2.GC_FGD)
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    # a soft edge, a little inside: at the very edge the picture's own background shines through
    alpha = np.clip(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.2) * 2 - 0.95, 0, 1)
    return Cut(np.ascontiguousarray(picture[..., ::-1]), alpha)


def portrait_frames(
    cut: Cut, seconds: float, *, width: int = 1280, height: int = 720, fps: int = 30, seed: int = 7
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Draw the frames: she sits, looks around, leans in, leaves, and comes back, every 20 seconds anew.

    Args:
        cut: the person.
        seconds: how long.
        width: pixels.
        height: pixels.
        fps: frames a second.
        seed: of the room and the noise; equal arguments give equal frames.

    Yields:
        The frame, RGB uint8 (height, width, 3), and how much of each pixel is the person, float32 (height, width).
    """
    cv2 = opencv()
    draw = np.random.default_rng(seed)
    room = _room(cv2, width, height, draw)
    # grain is made once and laid over in turns, brighter and darker apart: uint8 adds without wrapping
    grains = [draw.normal(0, _NOISE_LEVELS, (height, width)).round().clip(-6, 6) for _ in range(_NOISE_FIELDS)]
    fields = [
        tuple(np.repeat(np.maximum(sign * one, 0).astype(np.uint8)[..., None], 3, axis=2) for sign in (1, -1))
        for one in grains
    ]
    for index in range(round(seconds * fps)):
        place = _place(index / fps, width, height, cut.alpha.shape)
        alpha = cv2.warpAffine(cut.alpha, place, (width, height), flags=cv2.INTER_LINEAR)
        person = cv2.warpAffine(
            cut.picture, place, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        brighter, darker = fields[index % _NOISE_FIELDS]
        frame = cv2.blendLinear(person, room, alpha, 1 - alpha)
        yield cv2.subtract(cv2.add(frame, brighter), darker), alpha


def portrait_clip(
    path: str | os.PathLike[str],
    seconds: float = 20,
    *,
    width: int = 1280,
    height: int = 720,
    fps: int = 30,
    seed: int = 7,
    source: Path | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write a clip of a person in front of a room, for where there is neither a camera nor a file.

    Args:
        path: MP4 to write (H.264), whole or not at all.
        seconds: how long, up to an hour.
        width: pixels, even, from 64.
        height: pixels, even, from 64.
        fps: frames a second.
        seed: of the room and the noise.
        source: the wheel of scikit-image, or the portrait, where it is here already.
        folder: in place of $REELWISE_CACHE or the user's cache.
        say: is told what takes time.

    Raises:
        MissingExtraError: OpenCV is not installed.
        InputError: an argument out of range; the portrait cannot be had.
        OutputError: the clip, or the cache, cannot be written.
    """
    if not 0 < seconds <= 3600 or not 1 <= fps <= 120:
        raise InputError("a clip lasts up to an hour at 1 to 120 frames a second", hint="try seconds=20, fps=30")
    if width % 2 or height % 2 or not (64 <= width <= 4096 and 64 <= height <= 4096):
        raise InputError(f"cannot draw {width}x{height}", hint="even sides from 64 to 4096")
    cv2 = opencv()
    from reelwise.video.writer import write_mp4

    cut = cut_portrait(portrait_file(source, folder=folder, say=say))

    def planes() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]]:
        for frame, _ in portrait_frames(cut, seconds, width=width, height=height, fps=fps, seed=seed):
            packed = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).reshape(-1)
            luma, first, second = np.split(packed, (width * height, width * height * 5 // 4))
            yield luma, first, second

    write_mp4(path, planes(), width=width, height=height, fps=fps)
    return Path(path)


def _place(at: float, width: int, height: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the affine map from the portrait to the frame at a moment."""
    now = at % _PERIOD
    first, second = next(pair for pair in itertools.pairwise(_SCRIPT) if pair[0][0] <= now < pair[1][0])
    part = (now - first[0]) / (second[0] - first[0])
    part = (1 - math.cos(math.pi * part)) / 2  # starts and stops softly
    across, size, tilt = (a + (b - a) * part for a, b in zip(first[1:], second[1:], strict=True))
    # nobody sits quite still: a breath every four seconds, a slow sway
    size *= 1 + 0.006 * math.sin(math.tau * at / 4)
    across += 0.004 * math.sin(math.tau * at / 7)
    tilt += 0.5 * math.sin(math.tau * at / 5)
    scale = size * height / shape[0]
    turn = math.radians(tilt)
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    # the middle of the picture's lower edge is put a little below the frame's, so that no tilt lifts it into view
    foot_x, foot_y = shape[1] / 2, float(shape[0])
    to_x, to_y = (0.5 + across) * width, height * 1.03
    return np.array(
        [
            [cosine, -sine, to_x - cosine * foot_x + sine * foot_y],
            [sine, cosine, to_y - sine * foot_x - cosine * foot_y],
        ]
    )


def _room(cv2: Any, width: int, height: int, draw: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a room: a wall, a window, a shelf of books."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    down, across = down / height, across / width
    light = 1 - 0.35 * np.hypot(across - 0.2, down - 0.3)
    wall = np.array([206, 196, 178], np.float32) * light[..., None]
    room: NDArray[np.uint8] = np.clip(wall, 0, 255).astype(np.uint8)

    def box(left: float, top: float, right: float, bottom: float, colour: tuple[int, ...]) -> None:
        corners = (round(left * width), round(top * height)), (round(right * width), round(bottom * height))
        cv2.rectangle(room, *corners, colour, -1)

    box(0.05, 0.08, 0.29, 0.6, (250, 250, 246))  # the window: frame, panes, sill
    for left in (0.06, 0.175):
        for top in (0.1, 0.35):
            box(left, top, left + 0.105, top + 0.235, (168, 204, 232))
    box(0.04, 0.6, 0.3, 0.63, (236, 232, 224))
    box(0.62, 0.05, 0.97, 0.86, (92, 64, 44))  # the shelf, three boards of books
    for top in (0.08, 0.34, 0.6):
        box(0.635, top, 0.955, top + 0.23, (58, 40, 30))
        left = 0.64
        while left < 0.935:
            wide, high = draw.uniform(0.008, 0.022), draw.uniform(0.13, 0.21)
            colour = tuple(int(one) for one in draw.integers(50, 215, 3))
            box(left, top + 0.23 - high, min(left + wide, 0.95), top + 0.23, colour)
            left += wide + 0.002
    return room
