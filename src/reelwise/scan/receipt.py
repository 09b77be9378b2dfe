"""What a scan answers: when something happens, which signal said so and why, and what each signal cost."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Event", "Scan", "Spent", "Stretch"]


class Event(Struct, frozen=True, kw_only=True):
    """One stretch of time in which something happens.

    Attributes:
        start_seconds, stop_seconds: from the first picture.
        by: the signals that gave it: packets, keyframes, luma, sound, speech, webhook, a callback's name; empty where
            only one signal was asked.
        found_by: what its start and stop were taken from: packets, slices or keyframes in coarse mode; person where people were looked for; luma where it was decoded
            from a key frame on; jump where quiet pictures between the key frame and it were left out.
    """

    start_seconds: float
    stop_seconds: float
    by: tuple[str, ...] = ()
    found_by: str = ""


class Stretch(Struct, frozen=True, kw_only=True):
    """A stretch of the file and the signal that judged it.

    Attributes:
        start_seconds, stop_seconds: from the first picture.
        method: packets, keyframes, luma or person.
        why: in words.
    """

    start_seconds: float
    stop_seconds: float
    method: str
    why: str


class Spent(Struct, frozen=True, kw_only=True):
    """What one signal cost.

    Attributes:
        signal: packets, sample, slices, keyframes, luma or person.
        cpu_seconds: CPU seconds of this process.
        frames_decoded: pictures that came out of the decoder.
    """

    signal: str
    cpu_seconds: float
    frames_decoded: int


class Scan(Struct, frozen=True, kw_only=True):
    """The answer for one file.

    Attributes:
        path: as given.
        mode: coarse or exact.
        method: the cheapest signal that could be relied on: packets, keyframes or luma; person where it was asked for.
        why: why that one, in words.
        codec: as libav names it.
        seconds: length of the file.
        frames: pictures in it.
        events: when something happens, ascending, not overlapping.
        kept_share: share of the time in events.
        frames_decoded_share: pictures decoded over pictures in the file.
        realtime_factor: seconds of footage for each CPU second.
        cpu_seconds: of the whole scan.
        signals: what each signal cost.
        stretches: which signal judged which part.
        separable: whether packet sizes tell active from quiet in this file.
        bound_seconds: longest time between key frames: nothing shorter can be decoded without what comes before it.
        blind_seconds: an activity shorter than this that leaves nothing behind may have passed unseen; 0 where every
            picture was judged by packets or decoded.
        bound_share: least share of pictures that had to be decoded to see these events, from the key frame before each.
        notes: what is wrong with the file, in words.
        jumps: how many stretches were decoded after a jump over quiet pictures.
        edges_checked: starts and stops that were decoded both ways, with and without that jump, before it was taken; 0 where
            it was not worth trying.
        edge_error_seconds: largest difference between the two; None where an event was seen only one way. Jumps are taken up
            to 0.3.
    """

    path: str
    mode: str
    method: str
    why: str
    codec: str
    seconds: float
    frames: int
    events: tuple[Event, ...]
    kept_share: float
    frames_decoded_share: float
    realtime_factor: float
    cpu_seconds: float
    signals: tuple[Spent, ...]
    stretches: tuple[Stretch, ...]
    separable: bool
    bound_seconds: float
    blind_seconds: float
    bound_share: float
    notes: tuple[str, ...]
    jumps: int = 0
    edges_checked: int = 0
    edge_error_seconds: float | None = 0.0
