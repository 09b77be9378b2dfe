"""What a live scan answers when it is over: what happened, which signal said so and why, what each cost, what was lost."""

from __future__ import annotations

from msgspec import Struct

from reelwise.scan.receipt import Event, Spent, Stretch

__all__ = ["LiveReceipt"]


class LiveReceipt(Struct, frozen=True, kw_only=True):
    """The receipt of one live scan.

    Attributes:
        source: address without a password, or path.
        ended: why it ended, in words.
        method: the signal relied on at the end: packets, keyframes or luma.
        why: why that one, in words.
        codec: as libav names it.
        started: when the first picture came, ISO 8601 in UTC.
        seconds: length of what was read.
        frames: pictures that arrived.
        events_count: events in all.
        events: the last 1,000 of them.
        kept_share: share of the time in events.
        frames_decoded_share: pictures decoded over pictures that arrived.
        realtime_factor: seconds of footage for each CPU second.
        cpu_seconds: of all threads of the scan.
        signals: what each signal cost; `read` is receiving, and decoding sound.
        stretches: which signal judged which part; the last 100.
        warm_up_seconds: how long everything was decoded to learn what is normal.
        bound_seconds: longest time between key frames.
        gaps: how often pictures failed to come for over a second.
        gap_seconds: how long, in all.
        frames_lost: pictures that are missing in the stream, where its rate is even.
        frames_dropped: pictures that came faster than they could be looked at.
        frames_broken: packets that could not be decoded or were marked as damaged.
        reconnects: how often the stream was opened again.
        clock_restarts: how often its clock jumped.
        buffer_packets, buffer_bytes: the most packets and bytes held at a time.
        notes: what else was wrong, in words.
    """

    source: str
    ended: str
    method: str
    why: str
    codec: str
    started: str
    seconds: float
    frames: int
    events_count: int
    events: tuple[Event, ...]
    kept_share: float
    frames_decoded_share: float
    realtime_factor: float
    cpu_seconds: float
    signals: tuple[Spent, ...]
    stretches: tuple[Stretch, ...]
    warm_up_seconds: float
    bound_seconds: float
    gaps: int
    gap_seconds: float
    frames_lost: int
    frames_dropped: int
    frames_broken: int
    reconnects: int
    clock_restarts: int
    buffer_packets: int
    buffer_bytes: int
    notes: tuple[str, ...]
