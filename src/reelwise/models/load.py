"""Drive an HTTP endpoint at a rate that is required of it, whatever it makes of it (open loop).

Requests are due on a schedule that is fixed beforehand, and each one's latency counts from when it was due: an endpoint that stalls
for a second makes all requests of that second late, as its users would see it, and not just the one that was under way. A client
that cannot keep the schedule itself is noticed and said: then the figures are the client's.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.errors import EndpointError, InputError
from reelwise.models.connection import Connection
from reelwise.models.gauges import Gauge, Gauges
from reelwise.models.latencies import Latencies, Rate, latencies, rate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.models.connection import Endpoint

__all__ = ["Load", "drive"]

_CALLS_MAX = 1_000_000
_IN_FLIGHT_MAX = 1_024
_AHEAD_SECONDS = 0.05  # until the first request, so that all threads wait for it
_RAMP = 0.2  # of the run, before answers count for the rate
_GIVE_UP = 20  # the first so many all failed: there is nothing to measure
_TROUBLE_MAX = 0.01
_KEPT_MIN = 0.97
_LATE_SECONDS, _LATE_INTERVALS = 0.005, 0.1  # a client that is later than both with its schedule is too slow
_CPU_MAX = 0.85  # of one core: Python runs on no more


class Load(Struct, frozen=True, kw_only=True):
    """What an endpoint made of a rate.

    Attributes:
        rate_required: requests a second, as scheduled.
        seconds: how long.
        scheduled, answered, dropped: requests; dropped ones were never sent, because none of the connections came free in time.
        errors: requests that failed, by what went wrong.
        frames_per_second: answered, after the first fifth of the run.
        latency: of answered requests, from when they were due.
        service: of answered requests, from when they were sent.
        in_flight_most: requests under way at once, at most.
        client_late_ms_p95: how late the client itself was with its schedule.
        client_cpu_share: of one core, for this process.
        client_limit: in words, why the figures are this client's and not the endpoint's; empty where they are the endpoint's.
        kept_up: whether it answered this rate: hardly an error or drop, as many answers as requests.
        gauges: how busy the machine behind it was, where that can be read.
        notes: what could not be read, in words.
    """

    rate_required: float
    seconds: float
    scheduled: int
    answered: int
    dropped: int
    errors: dict[str, int]
    frames_per_second: Rate
    latency: Latencies
    service: Latencies
    in_flight_most: int
    client_late_ms_p95: float
    client_cpu_share: float
    client_limit: str
    kept_up: bool
    gauges: tuple[Gauge, ...] = ()
    notes: tuple[str, ...] = ()


def drive(
    endpoint: Endpoint,
    bodies: Sequence[bytes],
    *,
    rate: float,
    seconds: float = 10.0,
    timeout: float = 10.0,
    in_flight: int = 256,
    frames: int = 1,
    gauges: Gauges | None = None,
) -> Load:
    """Send requests at a rate and say what came of them.

    Args:
        endpoint: where to.
        bodies: what is sent, in turn.
        rate: requests a second.
        seconds: how long.
        timeout: seconds that a request waits for a connection at most, and then for its answer.
        in_flight: connections, at most.
        frames: frames of one request.
        gauges: read meanwhile.

    Raises:
        InputError: a number out of range.
        EndpointError: the first requests all failed.
    """
    if not 0 < rate <= 100_000 or not 0 < seconds <= 3600 or rate * seconds > _CALLS_MAX or not bodies:
        raise InputError(
            f"{rate:g} requests a second for {seconds:g} s",
            where="--rate",
            hint=f"up to {_CALLS_MAX:,} requests in an hour",
        )
    if not 0 < timeout <= 600 or not 1 <= in_flight <= _IN_FLIGHT_MAX or frames < 1:
        raise InputError("a timeout or a number of connections out of range", hint=f"up to 600 s, {_IN_FLIGHT_MAX}")
    count = max(1, round(rate * seconds))
    run = _Run(endpoint, bodies, timeout, connections=min(in_flight, count, int(rate * timeout) + 1))
    if gauges is not None:
        gauges.start()
    cpu, began = time.process_time(), run.begin()
    late = run.schedule([began + index / rate for index in range(count)])
    spent = (time.process_time() - cpu) / max(1e-6, time.perf_counter() - began)
    run.end()
    seen = gauges.stop() if gauges is not None else ()
    if run.gave_up:
        raise EndpointError(
            f"the first {_GIVE_UP} requests all failed: {run.errors.most_common(1)[0][0]}",
            where=endpoint.url,
            hint="see the endpoint's own log; a lower --rate?",
        )
    return _summed(run, late, spent, rate=rate, count=count, began=began, frames=frames, gauges=(seen, gauges))


def _summed(
    run: _Run, late: Sequence[float], spent: float, *, rate: float, count: int, began: float, frames: int,
    gauges: tuple[tuple[Gauge, ...], Gauges | None],
) -> Load:  # fmt: skip
    """Sum up a run: what the endpoint made of it, or why that was this client's limit."""
    late_p95 = float(np.quantile(late, 0.95)) if late else 0.0
    limit = ""
    if late_p95 > max(_LATE_SECONDS, _LATE_INTERVALS / rate):
        limit = f"this client is late with its own schedule, by {late_p95 * 1e3:,.0f} ms at the 95th percentile"
    elif spent > _CPU_MAX:
        limit = f"this client itself is busy {spent:.0%} of the time"
    stopped = began + count / rate
    from_ = began + _RAMP * (stopped - began)
    ends = [end for end in run.ends if from_ <= end <= stopped]
    lost = run.dropped + sum(run.errors.values())
    return Load(
        rate_required=rate,
        seconds=round(stopped - began, 3),
        scheduled=count,
        answered=len(run.ends),
        dropped=run.dropped,
        errors=dict(run.errors.most_common()),
        frames_per_second=rate_of(ends, frames, from_, stopped),
        latency=latencies(run.latency),
        service=latencies(run.service),
        in_flight_most=run.in_flight_most,
        client_late_ms_p95=round(late_p95 * 1e3, 3),
        client_cpu_share=round(spent, 3),
        client_limit=limit,
        kept_up=not limit and lost <= _TROUBLE_MAX * count and len(ends) >= _KEPT_MIN * rate * (stopped - from_) - 1,
        gauges=gauges[0],
        notes=tuple(dict.fromkeys(gauges[1].notes)) if gauges[1] is not None else (),
    )


class _Run:
    """The connections of one run, each with a thread; counts are taken under one lock."""

    def __init__(self, endpoint: Endpoint, bodies: Sequence[bytes], timeout: float, *, connections: int) -> None:
        self._endpoint, self._bodies, self._timeout = endpoint, bodies, timeout
        self._due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True, name="load") for _ in range(connections)]
        self._in_flight = self._done = 0
        self.gave_up = False
        self.in_flight_most = self.dropped = 0
        self.errors: Counter[str] = Counter()
        self.ends: list[float] = []
        self.latency: list[float] = []
        self.service: list[float] = []

    def begin(self) -> float:
        """Start the threads; return when the first request is due."""
        for one in self._threads:
            one.start()
        return time.perf_counter() + _AHEAD_SECONDS

    def schedule(self, moments: Sequence[float]) -> list[float]:
        """Hand out each request when it is due; return how late that was, in seconds."""
        late: list[float] = []
        for index, due in enumerate(moments):
            left = due - time.perf_counter()
            if left > 0:
                time.sleep(left)
            if self.gave_up:
                break
            late.append(time.perf_counter() - due)
            self._due.put((index, due))
        return late

    def end(self) -> None:
        """Wait for what is under way; no longer than a request may take."""
        for _ in self._threads:
            self._due.put(None)
        until = time.perf_counter() + 2 * self._timeout + 1
        for one in self._threads:
            one.join(timeout=max(0.0, until - time.perf_counter()))

    def _work(self) -> None:
        connection = Connection(self._endpoint)
        while (given := self._due.get()) is not None:
            index, due = given
            sent = time.perf_counter()
            if sent - due > self._timeout or self.gave_up:
                with self._lock:
                    self.dropped += 1
                continue
            with self._lock:
                self._in_flight += 1
                self.in_flight_most = max(self.in_flight_most, self._in_flight)
            answer = connection.send(self._bodies[index % len(self._bodies)], self._timeout)
            end = time.perf_counter()
            with self._lock:
                self._in_flight -= 1
                self._done += 1
                if answer.trouble:
                    self.errors[answer.trouble] += 1
                    self.gave_up = self.gave_up or (self._done >= _GIVE_UP and not self.ends)
                else:
                    self.ends.append(end)
                    self.latency.append(end - due)
                    self.service.append(end - sent)
        connection.close()
