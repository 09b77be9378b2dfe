"""What a host's calls cost: the time that its machine was busy with them, at its own price. Nobody sends an invoice for a call.

Several calls at once share a machine: while n of them run, each is counted a part of n of the time, so that all parts together are the
time in which the machine had work. What it costs while it waits is no call's: `reelwise price` counts that.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.charge import charge, hold
from reelwise.errors import UnknownModelError, UnpricedError
from reelwise.fleet import speed_of
from reelwise.requests import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.hosts import Host
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.requests import Request
    from reelwise.run.outcome import Outcome

__all__ = ["MachineTime", "Machines", "Share", "busy_usd", "machine_times"]

_UNIT_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class MachineTime(Struct, frozen=True, kw_only=True):
    """What calls made of one host in a run.

    Attributes:
        host, sku: its name, and the rate card of its machine.
        calls: that it served, or failed to.
        busy_seconds: in which it had work; `predicted_seconds` what was expected, None where nobody knows how fast it is.
        usd: of that time at the machine's price; None where the machine is not sold by time.
        usd_hour: its price; None likewise.
        why: what the figure is and is not.
    """

    host: str
    sku: str
    calls: int
    busy_seconds: float
    predicted_seconds: float | None
    usd: float | None
    usd_hour: float | None
    why: str


class Share:
    """The part of a machine's time that one call had."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Machines:
    """The hosts of a plan; safe for many threads.

    Args:
        hosts: of the plan.
        book: prices of the day.
        clock: seconds that never run back; for tests.
    """

    def __init__(self, hosts: Iterable[Host], book: Book, clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._book, self._clock = book, clock
        self._lock = threading.Lock()
        self._running: dict[str, list[Share]] = {name: [] for name in self._hosts}
        self._since: dict[str, float] = {}

    def usd_hour(self, name: str) -> float | None:
        """Return the price of an hour of a host's machine; None where it is bought, or has no sourced price."""
        usage = self._usage(name, 3600.0)
        return None if usage is None else charge(usage, self._book).nano / 1e9

    def bound(self, name: str, seconds: float) -> int:
        """Return the most that a call of so many seconds can cost, in nano-USD; 0 where no time is sold."""
        usage = self._usage(name, seconds)
        return 0 if usage is None else hold(usage, self._book).nano

    def nano(self, name: str, seconds: float) -> int:
        """Price machine time, in nano-USD."""
        usage = self._usage(name, seconds)
        return 0 if usage is None or seconds <= 0 else charge(usage, self._book).nano

    def _usage(self, name: str, seconds: float) -> Usage | None:
        sku = self._hosts[name].sku
        try:
            unit = self._book.rate(sku).unit
        except (UnknownModelError, UnpricedError):
            return None
        return Usage(sku=sku, unit=unit, quantity=seconds / _UNIT_SECONDS[unit]) if unit in _UNIT_SECONDS else None

    @contextmanager
    def busy(self, name: str, share: Share | None = None) -> Iterator[Share]:
        """Count the time of a call; its share is known when the block is left, however that is."""
        share = share or Share()
        with self._lock:
            self._pass(name)
            self._running[name].append(share)
        try:
            yield share
        finally:
            with self._lock:
                self._pass(name)
                self._running[name].remove(share)

    def _pass(self, name: str) -> None:
        """Give the time since the last change to the calls that ran in it."""
        now, running = self._clock(), self._running[name]
        for share in running:
            share.seconds += (now - self._since[name]) / len(running)
        self._since[name] = now


def busy_usd(request: Request, plan: Plan, facts: Facts, book: Book) -> float:
    """Price the machine time that a host's requests are expected to take, in USD.

    Raises:
        InputError: nobody knows how fast the host is.
    """
    host = next(one for one in plan.hosts if f"host:{one.name}" == request.model)
    speed, _ = speed_of(host, facts, book.card(host.sku))
    seconds = float(request.count) * float(request.images) / float(speed)
    return Machines(plan.hosts, book).nano(host.name, seconds) / 1e9


def machine_times(
    machines: Machines, hosts: Iterable[Host], outcomes: Iterable[Outcome], predicted: dict[str, float]
) -> tuple[MachineTime, ...]:
    """Sum up what calls made of each host.

    Args:
        machines: prices their time.
        hosts: of the plan.
        outcomes: of all calls.
        predicted: busy seconds that were expected, by host.
    """
    by_host: dict[str, list[Outcome]] = {}
    for one in outcomes:
        if one.hosted and one.status != "cached":
            by_host.setdefault(one.hosted, []).append(one)
    found = []
    for host in hosts:
        mine = by_host.get(host.name, [])
        hour = machines.usd_hour(host.name)
        why = (
            "no price by time: its machine is bought, and its time is on no call" if hour is None
            else "machine time while calls ran; what it costs while it waits is on no call: see reelwise price"
        )  # fmt: skip
        found.append(
            MachineTime(
                host=host.name, sku=host.sku, calls=len(mine), busy_seconds=round(sum(one.busy_seconds for one in mine), 6),
                predicted_seconds=predicted.get(host.name), usd=None if hour is None else sum(one.cost_nano for one in mine) / 1e9,
                usd_hour=hour, why=why,
            )
        )  # fmt: skip
    return tuple(found)
