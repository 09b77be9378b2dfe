"""Measure a model on this machine: one stream after another, alone and side by side, single and batched, warm and cold.

Each stream is a thread that calls again as soon as it has its answer (closed loop): that is how fast the machine goes, not how it
feels under a given load; for that see `load`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.latencies import Latencies, Rate, latencies, rate_of
from reelwise.models.memory import memory_megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.models.targets import Target

__all__ = ["Cold", "Run", "best_of", "cold_start", "measure"]

_WARM_CALLS, _WARM_SECONDS, _WARM_CALLS_MAX = 3, 0.3, 200
_CALLS_MAX = 200_000  # of one stream in one run
_STREAMS_MAX = 256
_COLD_SECONDS = 120.0
_JOIN_SECONDS = 5.0  # a call that is under way comes to its end


class Run(Struct, frozen=True, kw_only=True):
    """One way of calling, measured.

    Attributes:
        batch: pictures of one call.
        streams: threads that call at once, each with a model of its own.
        threads: cores that one call may use.
        seconds: as long as it ran.
        calls: answered in that time.
        frames_per_second: of all streams together.
        latency: of one call, from when it was made.
        cpu_seconds_per_frame: of this process, all threads.
        rss_megabytes: of this process at the end.
    """

    batch: int
    streams: int
    threads: int
    seconds: float
    calls: int
    frames_per_second: Rate
    latency: Latencies
    cpu_seconds_per_frame: float
    rss_megabytes: float


class Cold(Struct, frozen=True, kw_only=True):
    """A start in a process of its own.

    Attributes:
        first_answer_seconds: from the start of the process to the first answer.
        load_seconds: of that, opening the model.
        first_call_seconds: of that, the first call.
        rss_megabytes: of that process after the first answer.
    """

    first_answer_seconds: float
    load_seconds: float
    first_call_seconds: float
    rss_megabytes: float


def measure(target: Target, *, batch: int, streams: int, threads: int = 1, seconds: float = 3.0) -> Run:
    """Run a model for some seconds.

    Args:
        target: what is called.
        batch: pictures of one call.
        streams: threads that call at once.
        threads: cores that one call may use.
        seconds: how long; a call that is under way at the end is waited for and not counted.

    Raises:
        InputError: it cannot take such a batch, it failed, or a number is out of range.
    """
    if not 0 < seconds <= 3600 or batch < 1 or not 1 <= streams <= _STREAMS_MAX:
        raise InputError(
            "seconds, batch or streams out of range", where=target.name, hint=f"up to {_STREAMS_MAX} streams"
        )
    calls = [target.opened(batch, threads) for _ in range(streams)]
    for call in calls:
        _warm(call)
    start = threading.Barrier(streams + 1)
    over = threading.Event()
    workers = [_Stream(call, start, seconds, over) for call in calls]
    try:
        for one in workers:
            one.start()
        start.wait()
        began, cpu = time.perf_counter(), time.process_time()
        for one in workers:
            one.ended.wait()
        spent, stopped = time.process_time() - cpu, time.perf_counter()
    finally:  # after Ctrl-C, too: a process must not end while a network runs in it
        over.set()
        start.abort()
        _join(workers)
    for one in workers:
        if one.failure is not None:
            raise one.failure
        if not one.is_done:
            raise InputError(
                "a stream failed, see above", where=target.name, hint="does it allow several threads? --streams 1"
            )
    stop = min(stopped, began + seconds)
    ends = [end for one in workers for end in one.ends if end <= stop]
    every = sum(len(one.ends) for one in workers)
    if not ends:  # not one call fits into the time: take the first of each stream, however long it took
        ends, stop = [end for one in workers for end in one.ends], stopped
    return Run(
        batch=batch,
        streams=streams,
        threads=threads,
        seconds=round(stop - began, 3),
        calls=len(ends),
        frames_per_second=rate_of(ends, batch, began, stop),
        latency=latencies([took for one in workers for took in one.took]),
        cpu_seconds_per_frame=round(spent / max(1, every * batch), 6),
        rss_megabytes=memory_megabytes(),
    )


def _join(workers: Sequence[_Stream]) -> None:
    until = time.perf_counter() + _JOIN_SECONDS
    for (
        one
    ) in workers:  # by an event: a `join` that Ctrl-C has cut short takes a running thread for ended (Python 3.11)
        if one.ident is not None:
            one.ended.wait(max(0.0, until - time.perf_counter()))
            one.join(max(0.0, until - time.perf_counter()))


def _warm(call: Callable[[], Any]) -> None:
    """Call until a few answers came and some time went by: caches fill, clocks rise, memory is laid out."""
    began = time.perf_counter()
    for count in range(_WARM_CALLS_MAX):
        if count >= _WARM_CALLS and time.perf_counter() - began >= _WARM_SECONDS:
            return
        call()


class _Stream(threading.Thread):
    """Calls until its time is over."""

    def __init__(
        self, call: Callable[[], Any], start: threading.Barrier, seconds: float, over: threading.Event
    ) -> None:
        super().__init__(daemon=True, name="bench-stream")
        self._call, self._begin, self._seconds, self._over = call, start, seconds, over
        self.ends: list[float] = []
        self.took: list[float] = []
        self.failure: InputError | None = None
        self.is_done = False
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.ended.set()

    def _work(self) -> None:
        try:
            self._begin.wait()
        except threading.BrokenBarrierError:
            return  # it was called off
        now = time.perf_counter()
        until = now + self._seconds
        try:
            while now < until and len(self.ends) < _CALLS_MAX and not self._over.is_set():
                self._call()
                end = time.perf_counter()
                self.ends.append(end)
                self.took.append(end - now)
                now = end
        except InputError as error:
            self.failure = error
        self.is_done = True


def best_of(runs: Sequence[Run], latency_ms_p95_max: float | None = None) -> Run | None:
    """Return the run with the most frames a second among those that answer soon enough; None where none does."""
    able = [
        one
        for one in runs
        if latency_ms_p95_max is None or (one.latency.latency_ms_p95 or float("inf")) <= latency_ms_p95_max
    ]
    return max(able, key=lambda one: one.frames_per_second.value, default=None)


_CHILD = """
import json, sys, time
began = time.perf_counter()
from reelwise.errors import InputError
from reelwise.models.memory import memory_megabytes
from reelwise.models.targets import target_of
model, size, shape, threads, spawned = json.loads(sys.argv[1])
try:
    target = target_of(model, size=tuple(size), shape=None if shape is None else tuple(shape))
    call = target.opened(1 if shape is None else shape[0], threads)
    loaded = time.perf_counter()
    call()
except InputError as error:
    print(json.dumps({"error": [error.message, error.where, error.hint]}))
else:
    wall, done = time.time() - spawned, time.perf_counter()
    print(json.dumps({"wall": wall, "load": loaded - began, "first": done - loaded, "rss": memory_megabytes()}))
"""


def cold_start(model: str, *, size: tuple[int, int], shape: tuple[int, ...] | None = None, threads: int = 1) -> Cold:
    """Start a model in a process of its own, from nothing to its first answer.

    Args:
        model: see `targets.target_of`.
        size: width and height of the frames.
        shape: of an ONNX network's input.
        threads: cores that the call may use.

    Raises:
        InputError: it cannot be opened, fails, or takes longer than two minutes.
    """
    settings = json.dumps([model, size, shape, threads, time.time()])
    try:
        done = subprocess.run(  # noqa: S603 - this Python, our own code
            [sys.executable, "-P", "-c", _CHILD, settings],
            capture_output=True,
            text=True,
            timeout=_COLD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"no first answer within {_COLD_SECONDS:.0f} s", where=model, hint="is it stuck?") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines or not lines[-1].startswith("{"):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"failed in a process of its own: {said:.200}", where=model, hint="try it on one frame")
    found = json.loads(lines[-1])
    if "error" in found:
        message, where, hint = found["error"]
        raise InputError(message, where=where, hint=hint)
    return Cold(
        first_answer_seconds=round(found["wall"], 3),
        load_seconds=round(found["load"], 6),
        first_call_seconds=round(found["first"], 6),
        rss_megabytes=found["rss"],
    )
