"""The scan of one file: packets first, then key frames, then luma; the next dearer signal where one cannot be relied on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import numpy as np

from reelwise.errors import InputError, MediaError
from reelwise.scan.exact import verify
from reelwise.scan.heads import blind_seconds, watch_all, watch_heads
from reelwise.scan.keyframes import watch_keys
from reelwise.scan.normal import Unrest
from reelwise.scan.normal import unrest as measure_unrest
from reelwise.scan.receipt import Event, Scan, Spent, Stretch
from reelwise.scan.routes import least_share
from reelwise.scan.separable import Verdict, check, judge, sample_keys
from reelwise.scan.source import Source
from reelwise.scan.watch import join_spans, overlay_mask

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets

__all__ = ["METHODS", "MODES", "Method", "Mode", "scan"]

Mode = Literal["coarse", "exact"]
Method = Literal["auto", "packets", "keyframes", "luma"]
MODES: tuple[str, ...] = ("coarse", "exact")
METHODS: tuple[str, ...] = ("auto", "packets", "keyframes", "luma")

_UNUSUAL = 3.2  # robust deviations; never less
_SURELY = 8.0  # unusual whatever the rest is like: never asked for more
_KEPT = 0.13  # share of the time that is unusual in a stream in which little happens
_PAD_SECONDS = 0.25
_JOIN_SECONDS = 0.5
_MASS_MIN = 0.1  # robust deviations times seconds above the threshold: a lone packet is less
_PAD_EXACT_SECONDS = 0.4
_KEY_GAP_MAX = 2.0  # seconds; events shorter than this pass between key frames unseen
_GOP_MIN = 1.5  # seconds

Spans = list[tuple[float, float]]


def scan(
    path: str | os.PathLike[str], *, mode: Mode = "exact", method: Method = "auto", pad_seconds: float = 0.0
) -> Scan:
    """Find when something happens in a clip.

    Args:
        path: the clip.
        mode: coarse says which stretches to look at; exact decodes and says when each activity starts and stops.
        method: auto takes the cheapest signal that can be relied on; a name takes that one.
        pad_seconds: kept before and after each event.

    Raises:
        MediaError: the clip cannot be read, or nothing of it decodes.
        InputError: a mode, method or padding that does not exist.
    """
    if mode not in MODES or method not in METHODS or not 0 <= pad_seconds <= 3600:
        raise InputError(
            "no such mode, method or padding", hint=f"modes: {', '.join(MODES)}; methods: {', '.join(METHODS)}"
        )
    return _Pass(path, mode, method, pad_seconds).answer()


class _Pass:
    """One scan under way: what is known so far, and what it cost."""

    def __init__(self, path: str | os.PathLike[str], mode: Mode, method: Method, pad: float) -> None:
        self._source = Source(path)
        self._mode, self._method, self._pad = mode, method, pad
        self._spent: list[Spent] = []
        self._began = time.process_time()
        self._mark, self._frames = self._began, 0
        self._blind = 0.0

    def _spend(self, signal: str) -> None:
        now = time.process_time()
        frames = self._source.decoded
        self._spent.append(
            Spent(signal=signal, cpu_seconds=round(now - self._mark, 4), frames_decoded=frames - self._frames)
        )
        self._mark, self._frames = now, frames

    def answer(self) -> Scan:
        """Run the cascade."""
        packets = self._source.packets()
        unrest = Unrest(*measure_unrest(packets))
        candidates, quiet = _by_packets(packets, unrest)
        self._spend("packets")
        verdict, mask = self._verdict(packets, candidates, quiet)
        method, why = self._choose(packets, verdict)
        if method == "packets":
            events = candidates
            if self._mode == "exact":
                wider = [(a - _PAD_EXACT_SECONDS, b + _PAD_EXACT_SECONDS) for a, b in candidates]
                v = verify(self._source, packets, candidates, mask, unrest=unrest)
                events = v.events
                print("   ",v.edges_checked,v.edge_error,len(v.jumped))
                self._spend("luma")
        elif method == "keyframes":
            events = watch_keys(self._source, packets, mask)
            self._spend("keyframes")
            if self._mode == "exact":
                events = verify(self._source, packets, events, mask).events
                self._spend("luma")
        elif self._method == "auto" and _has_tails(packets):
            self._blind = blind_seconds(packets)
            why += f"; the last {self._blind:.1f} s before each key frame are decoded only where it differs"
            events = watch_heads(self._source, packets, mask)
            self._spend("luma")
        else:
            events = watch_all(self._source, packets, mask)
            self._spend("luma")
        if method != "packets" and self._source.decoded == 0:
            raise MediaError(
                "no frame can be decoded",
                where=self._source.path,
                hint="the file may be cut off or encrypted; try to play it, or copy it again",
            )
        return self._receipt(packets, events, method, why, separable=verdict.separable)

    def _verdict(
        self, packets: Packets, candidates: Spans, quiet: NDArray[np.float64]
    ) -> tuple[Verdict, NDArray[np.bool_] | None]:
        kept = _length(candidates) / packets.seconds
        verdict = judge(packets, self._source.size, kept)
        if len(packets.keys) < 2 or self._method == "luma":
            return verdict, None
        pairs = sample_keys(packets, quiet)
        if not pairs:
            return verdict, None
        held, grids = check(self._source, packets, pairs)
        self._spend("sample")
        if verdict.separable:
            why = f"{verdict.why}; {held.why}" if held.separable else held.why
            verdict = Verdict(separable=held.separable, why=why)
        return verdict, overlay_mask(grids)

    def _choose(self, packets: Packets, verdict: Verdict) -> tuple[str, str]:
        if self._method != "auto":
            return self._method, "asked for"
        if verdict.separable:
            return "packets", f"packet sizes tell active from quiet: {verdict.why}"
        gap = packets.longest_gop()
        if len(packets.keys) < 2:
            return "luma", f"{verdict.why}; there is only one key frame"
        if packets.restarts or packets.repaired:
            return "luma", verdict.why
        if gap > _KEY_GAP_MAX:
            return "luma", f"{verdict.why}; key frames are up to {gap:.1f} s apart, so events can pass between them"
        return "keyframes", f"{verdict.why}; key frames are at most {gap:.1f} s apart"

    def _receipt(self, packets: Packets, events: Spans, method: str, why: str, *, separable: bool) -> Scan:
        source, seconds = self._source, packets.seconds
        if source.broken:
            source.notes.append(f"{source.broken} broken packets skipped")
        padded = [(max(0.0, a - self._pad), min(seconds, b + self._pad)) for a, b in events]
        final = tuple(
            Event(start_seconds=round(a, 3), stop_seconds=round(b, 3)) for a, b in join_spans(padded, 0.0) if b > a
        )
        cpu = time.process_time() - self._began
        kept = [(one.start_seconds, one.stop_seconds) for one in final]
        return Scan(
            path=source.path,
            mode=self._mode,
            method=method,
            why=why,
            codec=source.codec,
            seconds=round(seconds, 3),
            frames=packets.count,
            events=final,
            kept_share=round(_length(kept) / seconds, 5),
            frames_decoded_share=round(source.decoded / packets.count, 5),
            realtime_factor=round(seconds / max(cpu, 1e-6), 1),
            cpu_seconds=round(cpu, 4),
            signals=tuple(self._spent),
            stretches=_stretches(seconds, kept, method, self._mode, why),
            separable=separable,
            bound_seconds=round(packets.longest_gop(), 3),
            blind_seconds=round(self._blind, 3),
            bound_share=round(least_share(packets, kept), 5),
            notes=tuple(dict.fromkeys(source.notes)),
        )


def _has_tails(packets: Packets) -> bool:
    """Say whether leaving out the tails of groups of pictures is worth it, and sure."""
    return len(packets.keys) > 4 and packets.longest_gop() >= _GOP_MIN and not (packets.restarts or packets.repaired)


def _stretches(seconds: float, kept: Spans, method: str, mode: str, why: str) -> tuple[Stretch, ...]:
    """Name the signal that judged each part: what is decoded around candidates is judged by luma."""
    if mode == "coarse" or method == "luma":
        return (Stretch(start_seconds=0.0, stop_seconds=round(seconds, 3), method=method, why=why),)
    found: list[Stretch] = []
    at = 0.0
    for start, stop in kept:
        if start > at:
            found.append(Stretch(start_seconds=at, stop_seconds=start, method=method, why="quiet, as this signal says"))
        found.append(
            Stretch(start_seconds=start, stop_seconds=stop, method="luma", why=f"a candidate of {method}, decoded")
        )
        at = stop
    if at < seconds:
        found.append(
            Stretch(start_seconds=at, stop_seconds=round(seconds, 3), method=method, why="quiet, as this signal says")
        )
    return tuple(found)


def _by_packets(packets: Packets, unrest: Unrest) -> tuple[Spans, NDArray[np.float64]]:
    """Return what packets call unusual, and the largest score between each key frame and the next (nan: unusual)."""
    times, score = unrest.times, unrest.score
    keys = np.sort(packets.times[packets.keys])
    if not len(times):
        return [], np.zeros(max(0, len(keys) - 1))
    limit, spans = _threshold(times, score, packets.seconds)
    excess = np.concatenate(([0.0], np.cumsum(np.maximum(0.0, score - limit) * packets.interval)))
    spans = [
        (a, b) for a, b in spans if excess[np.searchsorted(times, b)] - excess[np.searchsorted(times, a)] >= _MASS_MIN
    ]
    # a maximum a GOP; an empty one takes the first of the next, which is harmless
    bounds = np.minimum(np.searchsorted(times, keys), len(score) - 1)
    most = np.maximum.reduceat(score, bounds)[: max(0, len(keys) - 1)] if len(keys) else np.zeros(0)
    return spans, np.where(most <= limit, most, np.nan)


def _threshold(times: NDArray[np.float64], score: NDArray[np.float64], seconds: float) -> tuple[float, Spans]:
    """Take the lowest threshold that leaves most of the time quiet, within bounds, and what lies above it."""
    low, high = _UNUSUAL, _SURELY
    spans = _above(times, score, low, seconds)
    if _length(spans) <= _KEPT * seconds:
        return low, spans
    for _ in range(6):
        middle = (low + high) / 2
        if _length(_above(times, score, middle, seconds)) > _KEPT * seconds:
            low = middle
        else:
            high = middle
    return high, _above(times, score, high, seconds)


def _above(times: NDArray[np.float64], score: NDArray[np.float64], limit: float, seconds: float) -> Spans:
    """Return the padded, joined spans in which the score is above a limit."""
    moments = times[score > limit]
    if not len(moments):
        return []
    cut = np.flatnonzero(np.diff(moments) > 2 * _PAD_SECONDS + _JOIN_SECONDS)
    starts = np.maximum(0.0, moments[np.append(0, cut + 1)] - _PAD_SECONDS)
    stops = np.minimum(seconds, moments[np.append(cut, len(moments) - 1)] + _PAD_SECONDS)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _length(spans: Spans) -> float:
    return sum(stop - start for start, stop in spans)
