"""The scan of one file: signals of rising cost, each asked whether this stream lets it be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from reelwise.errors import InputError, MediaError
from reelwise.scan.by_keyframes import ByKeyFrames
from reelwise.scan.by_luma import ByLuma
from reelwise.scan.by_packets import ByPackets
from reelwise.scan.by_person import ByPerson
from reelwise.scan.by_slices import BySlices
from reelwise.scan.receipt import Event, Scan, Stretch
from reelwise.scan.routes import least_share
from reelwise.scan.stream import Stream, length_of
from reelwise.scan.watch import join_spans

if TYPE_CHECKING:
    import os

    from reelwise.scan.signals import Signal
    from reelwise.scan.watch import Spans

__all__ = ["ASKED", "METHODS", "MODES", "SIGNALS", "Method", "Mode", "scan"]

Mode = Literal["coarse", "exact"]
Method = Literal["auto", "packets", "slices", "keyframes", "luma", "person"]
SIGNALS: tuple[Signal, ...] = (ByPackets(), BySlices(), ByKeyFrames(), ByLuma())
"""From the cheapest to the dearest; the last one is always believed."""
ASKED: tuple[Signal, ...] = (ByPerson(),)
"""Those that find something else than activity: taken only where they are asked for."""

MODES: tuple[str, ...] = ("coarse", "exact")
METHODS: tuple[str, ...] = ("auto", *(one.name for one in (*SIGNALS, *ASKED)))


def scan(
    path: str | os.PathLike[str], *, mode: Mode = "exact", method: Method = "auto", pad_seconds: float = 0.0
) -> Scan:
    """Find when something happens in a clip.

    Args:
        path: the clip.
        mode: coarse says which stretches to look at; exact decodes and says when each activity starts and stops.
        method: auto takes the cheapest signal that can be relied on; a name takes that one. person finds people, moving or not.
        pad_seconds: kept before and after each event.

    Raises:
        MediaError: the clip cannot be read, or nothing of it decodes.
        MissingExtraError: method person, without the extra `live`.
        InputError: a mode, method or padding that does not exist; method person, and its networks are not installed.
    """
    if mode not in MODES or method not in METHODS or not 0 <= pad_seconds <= 3600:
        raise InputError(
            "no such mode, method or padding", hint=f"modes: {', '.join(MODES)}; methods: {', '.join(METHODS)}"
        )
    stream = Stream(path, asked=method)
    signal, why = _chosen(stream)
    stream.why = why
    events = signal.exact(stream) if mode == "exact" else signal.coarse(stream)
    if signal.decodes and stream.source.decoded == 0:
        raise MediaError(
            "no frame can be decoded",
            where=stream.source.path,
            hint="the file may be cut off or encrypted; try to play it, or copy it again",
        )
    return _receipt(stream, signal.name, events, mode, pad_seconds)


def _chosen(stream: Stream) -> tuple[Signal, str]:
    """Take the signal asked for, or the cheapest that is believed; say why, and why none that is cheaper."""
    for signal in ASKED:
        if stream.asked == signal.name:
            return signal, "asked for"
    reasons: list[str] = []
    for signal in SIGNALS:
        if stream.asked == signal.name:
            believed, doubt = signal.believed(stream)
            return signal, "asked for" if believed else f"asked for, though {doubt}"
        if stream.asked != "auto":
            continue
        believed, why = signal.believed(stream)
        if why:
            reasons.append(why)
        if believed:
            return signal, "; ".join(reasons)
    return SIGNALS[-1], "; ".join(reasons)


def _receipt(stream: Stream, method: str, events: Spans, mode: str, pad: float) -> Scan:
    source, packets, seconds, why = stream.source, stream.packets, stream.packets.seconds, stream.why
    if source.broken:
        source.notes.append(f"{source.broken} broken packets skipped")
    padded = [(max(0.0, a - pad), min(seconds, b + pad)) for a, b in events]
    final = tuple(
        Event(start_seconds=round(a, 3), stop_seconds=round(b, 3), found_by=stream.found_by(a, b, method, mode))
        for a, b in join_spans(padded, 0.0)
        if b > a
    )
    cpu = stream.cpu_seconds()
    kept = [(one.start_seconds, one.stop_seconds) for one in final]
    return Scan(
        path=source.path,
        mode=mode,
        method=method,
        why=why,
        codec=source.codec,
        seconds=round(seconds, 3),
        frames=packets.count,
        events=final,
        kept_share=round(length_of(kept) / seconds, 5),
        frames_decoded_share=round(source.decoded / packets.count, 5),
        realtime_factor=round(seconds / max(cpu, 1e-6), 1),
        cpu_seconds=round(cpu, 4),
        signals=tuple(stream.spent),
        stretches=_stretches(seconds, kept, method, mode, why),
        separable=stream.verdict.separable,
        bound_seconds=round(packets.longest_gop(), 3),
        blind_seconds=round(stream.blind, 3),
        bound_share=round(least_share(packets, kept), 5),
        notes=tuple(dict.fromkeys(source.notes)),
        jumps=len(stream.jumped),
        edges_checked=stream.edges_checked,
        edge_error_seconds=None if stream.edge_error == float("inf") else round(stream.edge_error, 3),
    )


def _stretches(seconds: float, kept: Spans, method: str, mode: str, why: str) -> tuple[Stretch, ...]:
    """Name the signal that judged each part: what is decoded around candidates is judged by luma."""
    if mode == "coarse" or method in {"luma", "person"}:
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
