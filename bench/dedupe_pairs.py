"""Questions with known answers for bench/dedupe.py: stretches, their copies, and what each shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dedupe_clips import SECONDS_MAX, TRANSFORMS, transformed
from dedupe_drawn import drawn_activity, drawn_stretch
from reelwise.duplicates.fingerprint import Builder, Fingerprint
from reelwise.video import gate, track
from reelwise.video.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.duplicates.index import Candidate

TUNED_ON = ("intel_car", "intel_asl_", "skv_bikes", "mdn_rabbit", "drawn-0", "drawn-1")
"""Scenes that thresholds and coefficients were set on, besides cameras drawn for that alone; all others are only reported on."""
STRETCH = 6
SAME_FOOTAGE = (("tmk_chair-19-sd-bar", "tmk_chair-orig-22-sd-bar", 3.7),)
"""Clips that show the same footage: the first is the second from that second on (frames differ by 1.5 levels there, by 27 elsewhere)."""
COPIES_OF_OTHERS = ("tmk_chair-22-sd-grey-bar", "tmk_chair-22-with-small-logo-bar")
DRAWN_CAMERAS, DRAWN_TAKES = 6, 12


@dataclass
class Source:
    """One original: a name, its frames, and where something moves in it."""

    name: str
    times: np.ndarray
    grids: np.ndarray
    active: tuple[tuple[float, float], ...]
    path: Path | None = None
    seconds: float = field(default=0.0)

    def is_active(self, start: float, stop: float) -> bool:
        """Say whether something moves for half a second of a span."""
        return sum(max(0.0, min(b, stop) - max(a, start)) for a, b in self.active) >= 0.5

    @property
    def camera(self) -> str:
        """Name the camera."""
        name = self.name
        for start in ("intel_asl_", "tmk_chair-", "drawn-"):
            if name.startswith(start):
                return start
        return name

    @property
    def tuned(self) -> bool:
        """Say whether it was tuned on."""
        return self.name.startswith(TUNED_ON)


def frames_of(path: Path, work: Path) -> tuple[np.ndarray, np.ndarray]:
    """Decode a clip to times and upright luma grids, once; kept in the work folder."""
    kept = work / "grids" / f"{path.name}.npz"
    if kept.is_file():
        found = np.load(kept)
        return found["t"], found["g"]
    times, grids = [], []
    with Reader(path) as reader:
        for seconds, grid, turn in reader.grids():
            if seconds > SECONDS_MAX:
                break
            times.append(seconds)
            grids.append(np.rot90(grid, turn // 90))
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(kept, t=np.array(times), g=np.stack(grids))
    return np.array(times), np.stack(grids)


def activity_of(path: Path, work: Path) -> tuple[tuple[float, float], ...]:
    """Say when something moves, by the gate of `reelwise audit` (other code than the fingerprint's), once."""
    kept = work / "grids" / f"{path.name}.active.json"
    if not kept.is_file():
        kept.write_text(json.dumps([list(span) for span in gate(track(path, audio=False), pad_seconds=0.0)]))
    return tuple((start, stop) for start, stop in json.loads(kept.read_text()))


def sources(clips: Path, work: Path) -> list[Source]:
    """Read every original and draw the cameras."""
    found = []
    for path in sorted(clips.iterdir()):
        if path.suffix.lower() not in {".mp4", ".mkv", ".avi", ".webm"} or path.stem in COPIES_OF_OTHERS:
            continue
        times, grids = frames_of(path, work)
        active = activity_of(path, work)
        found.append(Source(path.stem, times, grids, active, path, float(times[-1])))
    found += [drawn(camera, take, work) for camera in range(DRAWN_CAMERAS) for take in range(DRAWN_TAKES)]
    return found


def drawn(camera: int, take: int, work: Path) -> Source:
    """Draw one take of a camera, once."""
    kept = work / "grids" / f"drawn-toned-{camera}-{take}.npz"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        times, grids = drawn_stretch(camera, take, STRETCH + 2)
        np.savez(kept, t=times, g=grids)
    loaded = np.load(kept)
    span = drawn_activity(camera, take, STRETCH + 2)
    return Source(f"drawn-{camera}-{take}", loaded["t"], loaded["g"], span, None, STRETCH + 2.0)


def fingerprint(times: np.ndarray, grids: np.ndarray, start: float = 0.0, stop: float = 1e9) -> Fingerprint:
    """Fingerprint a part of decoded frames as if it had been cut out."""
    builder = Builder()
    first, last = np.searchsorted(times, (start, stop))
    zero = times[first]
    for time, grid in zip(times[first:last], grids[first:last], strict=True):
        if builder.wants(time - zero):
            builder.add(time - zero, grid)
    return builder.done(float(times[last - 1] - zero))


def copies(source: Source, work: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Decode every transformed copy of an original."""
    if source.path is None:
        return {}
    return {name: frames_of(transformed(source.path, name, work / "copies"), work) for name in TRANSFORMS}


def overlap(a: Source, span_a: tuple[float, float], b: Source, span_b: tuple[float, float]) -> float | None:
    """Return seconds of the same footage in two stretches; None where it is another clip's."""
    shift = None
    if a.name == b.name:
        shift = 0.0
    for late, whole, by in SAME_FOOTAGE:
        if (a.name, b.name) == (late, whole):
            shift = by
        if (b.name, a.name) == (late, whole):
            shift = -by
    if shift is None:
        return None
    return min(span_a[1] + shift, span_b[1]) - max(span_a[0] + shift, span_b[0])


def is_copy(
    source: Source, span: tuple[float, float], other: Source, span_other: tuple[float, float], found: Candidate
) -> bool | None:
    """Say whether a comparison laid the same footage over itself; None where that is a matter of taste.

    Args:
        source: what was asked about.
        span: what part of it, in seconds.
        other: what was stored.
        span_other: what part of it.
        found: the comparison.
    """
    shared = overlap(source, span, other, span_other)
    if shared is None or shared <= -0.5:
        return False
    if shared < 1.2:
        return None
    late = (found.stored[0] + span_other[0]) - (found.asked[0] + span[0])
    for first, second, by in SAME_FOOTAGE:
        late -= by * ((source.name, other.name) == (first, second))
        late += by * ((source.name, other.name) == (second, first))
    return True if abs(late) < 0.4 else None if abs(late) < 1.0 else False
