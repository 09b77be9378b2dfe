"""The scan of a live stream: events as they start and stop, with triggers joined to what pictures say, and a receipt."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec.structs import replace

from reelwise.errors import InputError
from reelwise.scan.eye import Eye
from reelwise.scan.live_receipt import LiveReceipt
from reelwise.scan.pump import Coded, Ended, Heard, Lost, Opened, Pump
from reelwise.scan.receipt import Event, Spent, Stretch
from reelwise.scan.timeline import Timeline
from reelwise.scan.triggers import Change, Joiner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.errors import ReelwiseError
    from reelwise.scan.pump import Feed, Item
    from reelwise.scan.sources import Listening

__all__ = ["LiveScan", "Notice"]

_PICTURES = "pictures"  # what they say; events name the signal that looked at them
_EVENTS_KEPT = 1_000
_STRETCHES_KEPT = 100
_NOTES_KEPT = 20


class Notice(NamedTuple):
    """Something to know that is no event: the signal changed, the stream went away."""

    seconds: float
    text: str


class LiveScan:
    """One live scan; iterate over `run`, then ask for `receipt`.

    Args:
        feed: what to read, a `Camera` or a `GrowingFile`.
        method: auto, or the signal to take whatever is learned.
        listening: triggers joined to what pictures say; None for none.
        require_trigger: whether only what a trigger agrees with is an event.
        for_seconds: when to stop, in seconds of the wall clock; None for never.
        warm_up_seconds: how long everything is decoded to learn what is normal.

    Raises:
        InputError: settings out of range.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        method: Literal["auto", "packets", "keyframes", "luma"] = "auto",
        listening: Listening | None = None,
        require_trigger: bool = False,
        for_seconds: float | None = None,
        warm_up_seconds: float = 30.0,
    ) -> None:
        if method not in {"auto", "packets", "keyframes", "luma"}:
            raise InputError("no such method", where=str(method), hint="auto, packets, keyframes or luma")
        if not 0 <= warm_up_seconds <= 3600 or (for_seconds is not None and not for_seconds > 0):
            raise InputError("the warm-up is 0 to 3,600 s, and the time to run is above 0", where="live scan")
        if require_trigger and listening is None:
            raise InputError(
                "requires a trigger, and there is none", where="live scan", hint="add --sound or --webhook"
            )
        self.error: ReelwiseError | None = None
        self._feed, self._listening, self._for = feed, listening, for_seconds
        self._pump = Pump(feed, sound=listening is not None and listening.wants_sound)
        self._warm_up = warm_up_seconds
        self._time = Timeline()
        forced = None if method == "auto" else method
        self._eye = Eye(self._time, self._see, warm_up_seconds=warm_up_seconds, forced=forced)
        settle = listening.settle_seconds if listening is not None else 0.7
        self._joiner = Joiner(seen=_PICTURES, require=require_trigger, settle_seconds=settle)
        self._reconnects = 0
        self._codec = ""
        self._started, self._ended = 0.0, "stopped"
        self._events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self._kept, self._told_until = 0.0, 0.0
        self._stretches: deque[Stretch] = deque(maxlen=_STRETCHES_KEPT)
        self._notes: deque[str] = deque(maxlen=_NOTES_KEPT)
        self._cpu: dict[str, list[float]] = {}
        self._stopping = False

    def _see(self, start: float, stop: float) -> None:
        self._joiner.tell(_PICTURES, start, stop, self._time.last)

    def stop(self) -> None:
        """End the scan soon, from another thread; not from a signal handler, which may interrupt whoever holds a lock."""
        self._stopping = True
        self._pump.close()

    def run(self) -> Iterator[Change | Notice]:
        """Read until the stream ends, is given up, the time is up, or `stop` is called.

        `error` is set afterwards where a stream ended as it should not; `receipt` is there in any case.
        """
        began = time.monotonic()
        self._pump.start()
        try:
            for item in self._pump.items():
                if self._stopping:
                    break
                if self._for is not None and time.monotonic() - began >= self._for:
                    self._ended = f"{self._for:g} s are over"
                    break
                mark, frames, signal = time.thread_time(), self._eye.decoded, self._signal_of(item)
                found = list(self._take(item))
                self._spend(signal, time.thread_time() - mark, self._eye.decoded - frames)
                yield from found
            yield from self._finish()
        finally:
            self._pump.close()
            if self._listening is not None:
                self._listening.close()

    def _signal_of(self, item: Item | None) -> str:
        if isinstance(item, Heard):
            return "sound"
        return self._eye.signal_of(key=isinstance(item, Coded) and item.key)

    def _spend(self, signal: str, seconds: float, frames: int) -> None:
        if frames > 0 and signal == "packets":  # it began to decode here, or looked at a key frame for its own sake
            signal = "sample" if self._eye.signal_of(key=False) == "packets" else "luma"
        spent = self._cpu.setdefault(signal, [0.0, 0])
        spent[0] += seconds
        spent[1] += max(0, frames)

    def _take(self, item: Item | None) -> Iterator[Change | Notice]:
        if isinstance(item, Opened):
            yield from self._open(item)
        elif isinstance(item, Lost):
            self._reconnects += 1
            self._eye.interrupted()
            yield self._note(f"the stream went away ({item.why}): opening it again")
        elif isinstance(item, Ended):
            self.error, self._ended = item.error, item.why
        elif isinstance(item, Heard) and self._listening is not None:
            at = None if item.stamp is None else self._time.seconds_of(item.stamp)
            self._listening.hear(at, item.samples, self._joiner, self._time.last)
        elif isinstance(item, Coded):
            yield from self._coded(item)
        if self._listening is not None:
            self._listening.poll(self._time, self._joiner)
        yield from self._told(self._joiner.update(self._time.last))

    def _open(self, opened: Opened) -> Iterator[Notice]:
        self._codec = opened.codec
        self._eye.open(opened)
        if self._listening is not None and self._listening.wants_sound and not opened.sound:
            yield self._note("there is no sound in the stream: the sound trigger stays off")

    def _coded(self, item: Coded) -> Iterator[Notice]:
        sight = self._eye.sight
        if not self._started:
            self._started = item.arrived
            self._stretch(0.0)
            yield Notice(0.0, f"reading {self._feed.shown}; method: {sight.signal}, {sight.why}")
        if self._eye.take(item):
            self._stretch(self._time.last)
            yield Notice(self._time.last, f"method: {sight.signal}, because {sight.why}")

    def _note(self, text: str) -> Notice:
        if text not in self._notes:
            self._notes.append(text)
        return Notice(self._time.last, text)

    def _stretch(self, seconds: float) -> None:
        sight = self._eye.sight
        if self._stretches:
            self._stretches[-1] = replace(self._stretches[-1], stop_seconds=round(seconds, 3))
        self._stretches.append(
            Stretch(start_seconds=round(seconds, 3), stop_seconds=round(seconds, 3), method=sight.signal, why=sight.why)
        )

    def _told(self, changes: Sequence[Change]) -> Iterator[Change]:
        for one in changes:
            by = tuple(dict.fromkeys(self._eye.by if name == _PICTURES else name for name in one.by))
            start, stop = round(one.start_seconds, 3), round(one.stop_seconds, 3)
            if one.what == "stop":
                self._events.append(Event(start_seconds=start, stop_seconds=stop, by=by))
                self._kept += max(0.0, stop - max(start, self._told_until))
                self._told_until = max(self._told_until, stop)
            yield one._replace(start_seconds=start, stop_seconds=stop, by=by)

    def _finish(self) -> Iterator[Change | Notice]:
        self._eye.interrupted()
        if self._listening is not None:
            self._listening.poll(self._time, self._joiner)
        yield from self._told(self._joiner.finish(self._time.last + self._time.interval))
        if self._stretches:
            self._stretches[-1] = replace(self._stretches[-1], stop_seconds=round(self._time.last, 3))

    def receipt(self) -> LiveReceipt:
        """Say what was found, how, and what it cost; any time after the first item of `run`."""
        eye, pump, clock = self._eye, self._pump, self._time
        seconds = clock.last + (clock.interval if eye.frames else 0.0)
        signals = [Spent(signal="read", cpu_seconds=round(pump.cpu_seconds, 4), frames_decoded=0)] + [
            Spent(signal=name, cpu_seconds=round(cpu, 4), frames_decoded=int(frames))
            for name, (cpu, frames) in self._cpu.items()
        ]
        cpu = sum(one.cpu_seconds for one in signals)
        notes = [*self._notes]
        if eye.sizes:
            notes.append(f"the size of the picture changed {eye.sizes} times")
        late = self._joiner.late + (self._listening.refused if self._listening is not None else 0)
        if late:
            notes.append(f"{late} triggers came too late, or too many at a time, to be joined")
        started = datetime.fromtimestamp(self._started, UTC).isoformat(timespec="milliseconds") if self._started else ""
        return LiveReceipt(
            source=self._feed.shown,
            ended=self._ended,
            method=eye.sight.signal,
            why=eye.sight.why,
            codec=self._codec,
            started=started,
            seconds=round(seconds, 3),
            frames=eye.frames,
            events_count=self._joiner.number,
            events=tuple(self._events),
            kept_share=round(min(1.0, self._kept / seconds), 5) if seconds else 0.0,
            frames_decoded_share=round(eye.decoded / eye.frames, 5) if eye.frames else 0.0,
            realtime_factor=round(seconds / max(cpu, 1e-6), 1),
            cpu_seconds=round(cpu, 4),
            signals=tuple(signals),
            stretches=tuple(self._stretches),
            warm_up_seconds=self._warm_up,
            bound_seconds=round(eye.sight.longest_gap, 3),
            gaps=clock.gaps,
            gap_seconds=round(clock.gap_seconds, 3),
            frames_lost=clock.lost,
            frames_dropped=pump.dropped,
            frames_broken=eye.broken + eye.damaged,
            reconnects=self._reconnects,
            clock_restarts=clock.restarts,
            buffer_packets=eye.groups.packets_most,
            buffer_bytes=eye.groups.bytes_most + pump.bytes_held_most,
            notes=tuple(notes),
        )
