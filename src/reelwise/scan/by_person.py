"""Signal: people, found by the person-segmentation networks in pictures a second apart; only where it is asked for.

The other signals find what changes. This one finds who is there, moving or not, and passes over what moves without being a
person. So `auto` never takes it for one of them.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.keyframes import spaced_keys
from reelwise.scan.source import FULL, REFERENCES
from reelwise.video.sizes import fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from reelwise.models.people import People
    from reelwise.scan.packets import Packets
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["ByPerson"]

_APART_SECONDS = 1.0  # between looks
_KEY_GAP_MAX = 2.0  # seconds; where key frames are further apart, the pictures between them are decoded, too
_EDGE_LOOKS = 8  # between the last look without and the first with a person, in exact mode
_LONG_SIDE = 320  # both networks look at 256 pixels

Look = tuple[float, bool]


class ByPerson:
    """Who is there, looked at once a second."""

    name = "person"
    cost = 0.3
    decodes = True

    def believed(self, stream: Stream) -> tuple[bool, str]:  # noqa: ARG002 - one signature for all
        """Believe it where it is asked for."""
        return True, ""

    def coarse(self, stream: Stream) -> Spans:
        """Return the stretches in which somebody is seen, out to the looks at which nobody was."""
        looks = self._looks(stream, _people())
        stream.spend(self.name)
        return _spans(looks, stream.packets.seconds, edge=0.0)

    def exact(self, stream: Stream) -> Spans:
        """Look again, closer, where somebody came or went."""
        people = _people()
        looks = self._looks(stream, people)
        edges = [(a, b) for (a, was), (b, is_) in itertools.pairwise(looks) if was != is_]
        looks += _seen(stream, _until(stream.packets, edges), _Due(edges), people)
        stream.spend(self.name)
        return _spans(sorted(set(looks)), stream.packets.seconds, edge=0.5)

    @staticmethod
    def _looks(stream: Stream, people: People) -> list[Look]:
        packets = stream.packets
        plan = np.zeros(packets.count, np.uint8)
        whole = not (packets.restarts or packets.repaired)
        plan[spaced_keys(packets, _APART_SECONDS)] = FULL
        between = packets.longest_gop() > _KEY_GAP_MAX
        if between and whole and stream.verdict.separable:
            # who is there stays so while nothing moves: between key frames it is enough to look where packets say that it does
            plan = np.maximum(plan, _until(packets, stream.candidates))
        elif between or not whole:
            plan[packets.keys[0] if len(packets.keys) else 0 :] = REFERENCES
        looks = _seen(stream, plan, _Due([(-math.inf, math.inf)]), people)
        moments = [0.0, *(seconds for seconds, _ in looks), packets.seconds]
        farthest = max(b - a for a, b in itertools.pairwise(moments))
        stream.blind = min(farthest, _KEY_GAP_MAX) if between and whole else farthest
        return looks


def _people() -> People:
    from reelwise.models.people import People

    return People()


class _Due:
    """Says of a moment whether a picture is to be looked at: within spans, each at its own pace, in the order of time."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._at = 0
        self._next = -math.inf

    def __call__(self, seconds: float) -> bool:
        while self._at < len(self._spans) and seconds >= self._spans[self._at][1]:
            self._at += 1
            self._next = -math.inf
        if self._at == len(self._spans) or seconds <= self._spans[self._at][0] or seconds < self._next - 1e-6:
            return False
        start, stop = self._spans[self._at]
        self._next = seconds + min(_APART_SECONDS, (stop - start) / _EDGE_LOOKS)
        return True


def _until(packets: Packets, spans: Spans) -> NDArray[np.uint8]:
    """Plan to decode spans, each from the key frame before it."""
    plan = np.zeros(packets.count, np.uint8)
    keys = packets.keys
    for start, stop in spans:
        before = keys[packets.times[keys] <= start + 1e-6]
        first = int(before[-1]) if len(before) else 0
        last = int(np.searchsorted(packets.times[first:], stop)) + first
        plan[first : last + 1] = FULL
    return plan


def _seen(stream: Stream, plan: NDArray[np.uint8], due: Callable[[float], bool], people: People) -> list[Look]:
    """Decode what a plan asks for, look at what is due, and say when somebody was there."""
    interval, count = stream.packets.interval, 0

    def take(seconds: float, frame: VideoFrame) -> bool | None:
        nonlocal count
        count += 1
        at = seconds if math.isfinite(seconds) else count * interval  # a raw stream has no clock
        if not due(at):
            return None
        width, height = fit(frame.width, frame.height, _LONG_SIDE)
        small = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()
        return bool(people(np.ascontiguousarray(np.rot90(small, round(frame.rotation / 90) % 4))))

    # without the loop filter pictures are coarser, which the networks do not mind
    seen = stream.source.pictures(stream.packets, plan, take, deblock=False)
    return [(seconds, one) for seconds, one in seen if one is not None]


def _spans(looks: list[Look], seconds: float, *, edge: float) -> Spans:
    """Turn looks into stretches; an edge lies at this share of the way from the look without to the one with a person."""
    spans: Spans = []
    start: float | None = None
    before: Look | None = None
    for at, seen in looks:
        if seen and start is None:
            start = 0.0 if before is None else before[0] + (at - before[0]) * edge
        elif not seen and start is not None and before is not None:
            spans.append((start, at - (at - before[0]) * edge))
            start = None
        before = at, seen
    if start is not None:
        spans.append((start, seconds))
    return spans
