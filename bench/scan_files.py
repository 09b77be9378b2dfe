"""Long files with known events for `bench/scan.py`, stretched out of short real clips.

The static parts of a clip are played forwards and backwards for some time, its events stay as they are. Truth is the change in
the pictures of the original clip: runs of frames in which over 0.2 % of a 160x90 grey picture change by over 12 levels.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SCENES", "VARIANTS", "Built", "build", "build_static"]

_SCALE = "scale=1280:720:flags=bicubic"
_NOISE = "noise=alls=4:allf=t"
_LIGHT = "eq=brightness='0.05*sin(2*PI*t/37)+0.06*gt(mod(t,53),26)':eval=frame"
_CLEAN = "-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p"
_CAMERA = "-c:v libx264 -preset superfast -sc_threshold 0 -bf 0 -pix_fmt yuv420p"

SCENES = {
    "car": ("intel_car-detection.mp4", 1),
    "person": ("intel_one-by-one_first60s.mp4", 1),
    "bottle": ("intel_bottle-detection.mp4", 2),  # every second frame: 15 a second
}

VARIANTS = {
    "g250": (_SCALE, f"{_CLEAN} -g 250"),
    "g50": (_SCALE, f"{_CLEAN} -g 50"),
    "g30n": (f"{_SCALE},{_NOISE}", f"{_CAMERA} -crf 25 -g 30 -keyint_min 30"),
    "cbr": (
        f"{_SCALE},{_NOISE}",
        f"{_CAMERA} -b:v 2M -minrate 2M -maxrate 2M -bufsize 1M -nal-hrd cbr -g 60 -keyint_min 60",
    ),
    "hevc": (
        _SCALE,
        "-c:v libx265 -preset ultrafast -crf 25 -g 250 -pix_fmt yuv420p -x265-params log-level=none -tag:v hvc1",
    ),
    "light": (f"{_SCALE},{_LIGHT}", f"{_CLEAN} -g 50"),
    "p1080": (f"scale=1920:1080:flags=bicubic,{_NOISE}", f"{_CAMERA} -crf 25 -g 50 -keyint_min 50"),
}


@dataclass(frozen=True)
class Built:
    """One long file and what happens in it.

    Attributes:
        name: scene and variant.
        path: the file.
        seconds: its length.
        events: start and stop of each event, in seconds.
        fps: frames a second.
    """

    name: str
    path: Path
    seconds: float
    events: list[tuple[float, float]]
    fps: float

    @property
    def active_share(self) -> float:
        """Share of the time in which something happens."""
        return sum(b - a for a, b in self.events) / self.seconds


def _runs(mask: Any) -> list[tuple[bool, int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(mask.astype(np.int8))) + 1).tolist(), len(mask)]
    return [(bool(mask[a]), a, b) for a, b in pairwise(edges)]


def _decode(clip: Path, step: int) -> tuple[list[Any], list[Any], float, int, int]:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        fps = float(stream.average_rate or 25) / step
        full, small = [], []
        width = height = 0
        for index, frame in enumerate(container.decode(stream)):
            if index % step:
                continue
            width, height = frame.width, frame.height
            full.append(frame.reformat(format="yuv420p").to_ndarray())
            grey = frame.reformat(width=160, height=90, format="gray", interpolation="AREA").to_ndarray()
            small.append(grey.astype(np.int16))
    return full, small, fps, width, height


def _timeline(small: list[Any], fps: float, seconds: float) -> tuple[list[int], list[tuple[int, int]]]:
    """Say which frame of the clip comes when, and which of them are events."""
    moved = [0.0] + [float((np.abs(b - a) > 12).mean()) for a, b in pairwise(small)]
    active = np.array(moved) > 0.002
    gap = int(0.6 * fps) + 1
    for on, a, b in _runs(active):
        if on and b - a < 2:
            active[a:b] = False
    for on, a, b in _runs(active):
        if not on and b - a < gap and a > 0 and b < len(active):
            active[a:b] = True
    margin = int(0.5 * fps)
    dice = random.Random(7)  # noqa: S311 - lengths, not secrets
    order: list[int] = []
    events: list[tuple[int, int]] = []
    wanted = int(seconds * fps)
    while len(order) < wanted:
        for on, a, b in _runs(active):
            if not on and b - a > 2 * margin + 6:
                inner = list(range(a + margin, b - margin))
                there = inner + inner[-2:0:-1]
                times = -(-int(dice.uniform(15, 70) * fps) // len(there))
                order += [*range(a, a + margin), *(there * times), *range(a + margin, b)]
                continue
            start = len(order)
            order += range(a, b)
            if on and events and start - events[-1][1] < gap:
                events[-1] = (events[-1][0], len(order))
            elif on:
                events.append((start, len(order)))
    order = order[:wanted]
    return order, [(a, min(b, wanted)) for a, b in events if a < wanted - 3]


def _pipe(command: list[str], pictures: Any) -> None:
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - asked for
        for picture in pictures:
            process.stdin.write(picture.tobytes())
        process.stdin.close()
        if process.wait():
            sys.exit("ffmpeg could not encode a file of this bench")


def _command(size: tuple[int, int], fps: float, filters: str, encoder: str, out: Path) -> list[str]:
    program = shutil.which("ffmpeg") or sys.exit("ffmpeg is not installed: this bench encodes and compares with it")
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", f"{fps:.6f}", "-i", "-"]
    return [program, "-v", "error", "-y", *source, "-vf", filters, *encoder.split(), str(out)]


def build(clips: Path, folder: Path, scene: str, variants: list[str], seconds: float) -> list[Built]:
    """Build the files of one scene that are not there yet; nothing where the clip is missing."""
    name, step = SCENES[scene]
    if not (clips / name).is_file():
        print(f"skipped {scene}: no {name} in {clips}", file=sys.stderr)
        return []
    folder.mkdir(parents=True, exist_ok=True)
    truth = folder / f"{scene}-{seconds:.0f}.json"
    missing = [v for v in variants if not (folder / f"{scene}-{v}-{seconds:.0f}.mp4").exists()]
    if missing or not truth.exists():
        full, small, fps, width, height = _decode(clips / name, step)
        order, events = _timeline(small, fps, seconds)
        truth.write_text(
            json.dumps({"fps": fps, "frames": len(order), "events": [(a / fps, b / fps) for a, b in events]})
        )
        for variant in missing:
            whole = folder / f"{scene}-{variant}-{seconds:.0f}.mp4"
            part = whole.with_suffix(".part.mp4")
            filters, encoder = VARIANTS[variant]
            _pipe(_command((width, height), fps, filters, encoder, part), (full[i] for i in order))
            part.rename(whole)
            print(f"built {whole.name}", file=sys.stderr)
    known = json.loads(truth.read_text())
    length = known["frames"] / known["fps"]
    events = [(a, b) for a, b in known["events"]]
    return [
        Built(f"{scene}-{v}", folder / f"{scene}-{v}-{seconds:.0f}.mp4", length, events, known["fps"]) for v in variants
    ]


def build_static(clips: Path, folder: Path, seconds: float) -> Built | None:
    """Build a long, noisy, static file out of the quiet start of a clip; None where the clip is missing."""
    name, _ = SCENES["person"]
    if not (clips / name).is_file():
        print(f"skipped static: no {name} in {clips}", file=sys.stderr)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"static-{seconds:.0f}.mp4"
    fps = 10.0
    if not whole.exists():
        full, _, fps, width, height = _decode(clips / name, 1)
        quiet = full[: int(3 * fps)]
        there = quiet + quiet[-2:0:-1]
        part = whole.with_suffix(".part.mp4")
        command = _command(
            (width, height), fps, f"scale=640:360,{_NOISE}", f"{_CAMERA} -crf 27 -g 30 -keyint_min 30", part
        )
        _pipe(command, (there[i % len(there)] for i in range(int(seconds * fps))))
        part.rename(whole)
    return Built("static-noise", whole, seconds, [], fps)
