"""What a fleet has to do in a month, how many machines that takes, and what of it is billed.

Streams come at random (Poisson), so how many run at a time, and how long a machine waits between two, follow from how many
there are and how long they last: nothing is typed in. docs/compare.md derives the formulas; a simulation tests them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reelwise.errors import DocumentError, UnpricedError
from reelwise.evidence import GIVEN, PUBLISHED
from reelwise.hosts import Device, Host
from reelwise.requests import Usage
from reelwise.units import HOURS_A_MONTH, Num, ceil, exp, floor, log1p, maximum, minimum, sqrt, where

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.rates import Entry

__all__ = ["Fleet", "Work", "fleet_of", "speed_of"]

_MONTH_SECONDS = HOURS_A_MONTH * 3600
_ROUNDS = 20  # until the share of streams that start a machine has settled
_PLACES_MOST = 1_000  # machines, and streams on them, whose chances are summed one by one
_SPEEDUPS = {"quantized": "probe.quantize.speed_ratio", "distilled": "probe.distil.speed_ratio"}


class Work(Struct, frozen=True, kw_only=True):
    """What a host does in a month, over all features. Numbers have draws or variants on the first axis, one class on the last.

    Attributes:
        frames: frames a month.
        sessions: calls a month: clips, or sessions of a stream.
        stream_seconds: seconds of footage in them.
        fps: frames a second of the fastest stream.
        users, cameras: behind the demand, 0 where it does not say.
        peak: the busiest hour over the mean hour.
        peak_streams: most streams at the same time, where that is known; 0 takes the mean times the peak.
        live: frames are answered as they come, so a stream keeps its machine for as long as it runs.
        basis: evidence mask of the frames.
    """

    frames: Num = 0.0
    sessions: Num = 0.0
    stream_seconds: Num = 0.0
    fps: Num = 0.0
    users: Num = 0.0
    cameras: Num = 0.0
    peak: float = 1.0
    peak_streams: Num = 0.0
    live: bool = False
    basis: int = 0

    def plus(self, other: Work) -> Work:
        """Add the work of another feature on the same host."""
        return Work(
            frames=self.frames + other.frames,
            sessions=self.sessions + other.sessions,
            stream_seconds=self.stream_seconds + other.stream_seconds,
            fps=maximum(self.fps, other.fps),
            users=maximum(self.users, other.users),
            cameras=maximum(self.cameras, other.cameras),
            peak=max(self.peak, other.peak),
            peak_streams=self.peak_streams + other.peak_streams,
            live=self.live or other.live,
            basis=self.basis | other.basis,
        )

    @property
    def streams(self) -> Num:
        """How many streams run at the same time, on average."""
        return self.stream_seconds / _MONTH_SECONDS


class Fleet(Struct, frozen=True, kw_only=True):
    """The machines of one host in a month.

    Attributes:
        host: its settings.
        speed: frames a second of one machine.
        need: machines that the peak keeps busy, before rounding and spares.
        machines: machines on at the peak; for machines that come and go an average of the peak hour, rounded up.
        hours: machine hours that are on and billed.
        busy_hours: machine hours of work in them.
        streams: streams that one machine takes at a time.
        running: streams that run at the same time, on average.
        cold_seconds: how long a start takes; cold_share: share of sessions that find no free machine on and wait for one.
        basis: evidence mask.
    """

    host: Host
    speed: Num
    need: Num
    machines: Num
    hours: Num
    busy_hours: Num
    streams: Num
    running: Num = 0.0
    cold_seconds: Num = 0.0
    cold_share: Num = 0.0
    basis: int = 0

    @property
    def busy_share(self) -> Num:
        """Share of the hours that are on in which there is work."""
        return minimum(self.busy_hours / maximum(self.hours, 1e-12), 1.0)

    def usages(self, card: Entry | None, unit: str) -> tuple[Usage, ...]:
        """List what is billed, in the unit of the host's rate card."""
        if self.host.scale == "device":
            return self._owned(card)
        quantity = self.hours * 3600 if unit == "second" else self.hours
        return (self._usage(self.host.sku, unit, quantity),)

    def _owned(self, card: Entry | None) -> tuple[Usage, ...]:
        device = self.host.device or Device()
        if device.owner == "user":
            return ()
        watts = device.watts
        if watts is None:
            if card is None or not card.watts:
                raise DocumentError(
                    f"how much power {self.host.sku} takes is not known",
                    where=f"hosts.{self.host.name}",
                    hint="give device.watts",
                )
            watts = max(card.watts)
        spread = self.machines / (device.years * 12)
        return (
            self._usage(self.host.sku, "device", spread),
            self._usage(device.electricity, "kwh", self.hours * watts / 1000),
        )

    def _usage(self, sku: str, unit: str, quantity: Num) -> Usage:
        return Usage(sku=sku, unit=unit, quantity=quantity, stage="host", lane=self.host.name, basis=self.basis)


def speed_of(host: Host, facts: Facts, card: Entry | None) -> tuple[Num, int]:
    """Return the frames a second of one machine and the evidence mask.

    Raises:
        InputError: nobody knows; the hint names the command that measures it.
    """
    name = f"host.{host.name}.frames_per_second"
    count = 1.0
    if not facts.has(name) and host.network and card is not None and card.gpu:
        for gpu in (card.gpu, card.gpu.split("-", maxsplit=1)[0]):  # a published speed on an A100 is of either size
            published = f"network.{host.network}.{gpu}.frames_per_second"
            if facts.has(published):
                name, count = published, card.gpus or 1.0
                break
    speed, bit = facts.get(name)
    if host.variant in _SPEEDUPS:
        factor, more = facts.get(_SPEEDUPS[host.variant])
        return speed * count * factor, bit | more
    return speed * count, bit


def fleet_of(host: Host, work: Work, facts: Facts, card: Entry | None = None) -> Fleet:
    """Say how many machines a month's work takes.

    Args:
        host: the fleet's settings.
        work: of all features together.
        facts: holds the speed of a machine.
        card: of the host's sku: its processor, cold start, idle time and rounding.

    Raises:
        InputError: the speed of a machine is not known.
    """
    speed, bit = speed_of(host, facts, card)
    basis = work.basis | bit
    util = host.utilisation if host.scale in {"fixed", "auto"} else 1.0
    busy_hours = work.frames / speed / 3600
    mean = busy_hours / HOURS_A_MONTH / util
    most = where(work.fps > 0, speed * util / maximum(work.fps, 1e-9), 1.0)
    sticky = host.streams is not None or host.scale == "device"
    streams = maximum(floor(minimum(most, float(host.streams or math.inf))), 1.0) if sticky else most
    if sticky:
        mean = maximum(mean, work.streams / streams)
    need = _peak(work, mean, streams, sticky=sticky)
    fleet = Fleet(host=host, speed=speed, need=need, machines=0.0, hours=0.0, busy_hours=busy_hours, streams=streams,
                  running=work.streams, basis=basis)  # fmt: skip
    if host.scale == "device":
        return _bought(fleet, work)
    if host.scale == "fixed":
        machines = maximum(ceil(need) + host.spare, float(host.minimum))
        return replace(fleet, machines=machines, hours=machines * HOURS_A_MONTH)
    cold, cold_bit = _cold_start(host, facts, card)
    idle, idle_bit = _idle(host, facts, card)
    waits = _waits(card, cold + idle, work)
    on, cold_share = _on(work, mean, streams, waits=waits, cold=cold, sticky=sticky)
    if host.scale == "auto" and host.minimum and not host.spare and (work.live or sticky):
        # those that find the machines taken that are on in any case need others, which come and go for them alone
        past = _all_taken(work.streams, maximum(floor(host.minimum * streams + 1e-9), 1.0))
        rest = replace(work, sessions=work.sessions * past, stream_seconds=work.stream_seconds * past)
        more, _ = _on(rest, mean * past, streams, waits=waits, cold=cold, sticky=sticky)
        on, cold_share = maximum(host.minimum + more, on), minimum(cold_share, past)
    elif host.scale == "auto":
        on = maximum(on + host.spare, float(host.minimum))
        cold_share = cold_share if host.minimum + host.spare == 0 else 0.0  # jobs queue, and streams find the spare
    at_peak = maximum(ceil(need) + (host.spare if host.scale == "auto" else 0), ceil(on))
    return replace(fleet, machines=at_peak, hours=on * HOURS_A_MONTH, cold_seconds=cold, cold_share=cold_share,
                   basis=basis | cold_bit | idle_bit)  # fmt: skip


def _peak(work: Work, mean: Num, streams: Num, *, sticky: bool) -> Num:
    """Return the machines that the peak keeps busy; a live stream needs its own part of one even when it is alone."""
    if not (work.live or sticky):
        return mean * work.peak
    known = work.peak_streams / streams
    need = where(known > 0, maximum(known, mean), mean * work.peak)
    return maximum(need, where(work.sessions > 0, 1.0 / streams, 0.0))


def _on(work: Work, mean: Num, streams: Num, *, waits: Num, cold: Num, sticky: bool) -> tuple[Num, Num]:
    """Return how many machines are on, on average, of those that come and go, and the share of sessions that wait for one.

    Jobs queue: the machines that are busy, and one more while none is and the last has not stopped yet. Streams do not queue:
    some machine is on for as long as any stream runs, and those that are free wait until a stream takes them or they stop.
    How many wait is the most that ran in the last seconds over those that run now: never more than have ended (few
    streams), than a random walk gets away (waits shorter than streams) or than the crest of many hours (waits longer).
    A machine that starts can serve nobody else: where starts take longer than streams, those that start are machines of
    their own, and only what is kept after them waits. Of both counts the larger one is billed.
    """
    waiting = work.sessions / _MONTH_SECONDS * waits
    if not (work.live or sticky):
        on = mean + exp(-mean) - exp(-(mean + waiting))
        return on, exp(-(mean + waiting))
    on, share = _streams_on(work.streams, waiting, streams)
    rate = work.sessions / _MONTH_SECONDS
    kept = maximum(waiting - rate * cold, 0.0)
    starting, begins = 0.0 * rate, 1.0 + 0.0 * rate
    for _ in range(_ROUNDS):  # the more start, the fewer find none on
        starting = rate * cold * minimum(begins, 1.0)
        apart, begins = _streams_on(work.streams + starting, kept, streams)
    return maximum(maximum(on, apart), mean), minimum(maximum(share, begins), 1.0)


def _streams_on(running: Num, waiting: Num, streams: Num) -> tuple[Num, Num]:
    """Return the machines that are on where so many streams run and so many machines would wait, and the share that starts one."""
    walk = 2 * sqrt(waiting / math.pi)
    crest = sqrt(2 * running * log1p(waiting / maximum(running, 1e-12))) + 0.5
    tail = minimum(minimum(waiting, walk), crest)
    shared = maximum(1 - 1 / streams, 0.0)
    none_on = exp(-(running + waiting))
    on = (running + tail) / streams + shared * (1 - none_on)
    starts = minimum(2 / sqrt(math.pi * maximum(waiting, 1e-12)), 1.0) / maximum(streams, 1.0)
    return on, starts + shared * none_on


def _all_taken(running: Num, places: Num) -> Num:
    """Return the share of streams that find so many places taken, if so many streams run on average (Erlang's loss formula)."""
    full, found = 1.0 + 0.0 * running, 1.0 + 0.0 * running * places
    for place in range(1, int(min(_PLACES_MOST, _most(places))) + 1):
        full = running * full / (place + running * full)
        found = where(place <= places, full, found)
    return found


def _waits(card: Entry | None, beside: Num, work: Work) -> Num:
    """Return the seconds beside its work that one session is billed where nothing comes after it: start, idle time, rounding."""
    step = _rounding(card)
    if not step:
        return beside
    each = work.stream_seconds / maximum(work.sessions, 1e-12)
    return where(work.sessions > 0, ceil((each + beside) / step) * step - each, 0.0)


def _rounding(card: Entry | None) -> float:
    if card is None or not card.prices:
        return 0.0
    price = card.prices[0]
    return price.round_call_to * {"second": 1.0, "minute": 60.0, "hour": 3600.0}.get(price.unit, 0.0)


def _cold_start(host: Host, facts: Facts, card: Entry | None) -> tuple[Num, int]:
    """Return how long a start takes: as set, measured, on the card, or for serverless what vendors say of theirs."""
    if host.cold_start_seconds is not None:
        return host.cold_start_seconds, GIVEN
    measured = f"host.{host.name}.cold_start_seconds"
    if facts.has(measured):
        return facts.get(measured)
    if card is not None and card.cold_start_seconds:
        return sum(card.cold_start_seconds) / len(card.cold_start_seconds), PUBLISHED
    if host.scale == "serverless" and card is not None and card.kind == "serverless":
        return facts.get("serverless.cold_start_seconds")
    return 0.0, 0


def _idle(host: Host, facts: Facts, card: Entry | None) -> tuple[Num, int]:
    """Return how long a machine is kept after its last work: as set, on the card, or for serverless what vendors do unless told."""
    if host.idle_seconds is not None:
        return host.idle_seconds, GIVEN
    if card is not None and card.idle_seconds:
        return card.idle_seconds, PUBLISHED
    if host.scale == "serverless" and card is not None and card.kind == "serverless":
        return facts.get("serverless.idle_seconds")
    return 0.0, 0


def _bought(fleet: Fleet, work: Work) -> Fleet:
    """Count devices: one a user, as many cameras as one keeps up with, or streams at the peak.

    Raises:
        UnpricedError: one for each user or camera, and the demand does not say how many there are.
    """
    host = fleet.host
    device = host.device or Device()
    cameras, users = work.cameras, work.users
    each = device.each or ("camera" if _some(cameras) else "user" if _some(users) else "stream")
    known = {"user": users, "camera": cameras}.get(each)
    if known is not None and not _some(known) and _some(work.sessions):
        raise UnpricedError(
            f"how many devices there are is not known: one for each {each}, and the demand is not in {each}s",
            where=f"hosts.{host.name}",
            hint=f"say the demand in {each}s, or set device.each: stream",
        )
    if each == "user":
        count = ceil(users)
    elif each == "camera":
        count = ceil(cameras / fleet.streams)
    else:
        count = ceil(fleet.need)
    count = maximum(count + host.spare, float(host.minimum))
    hours = count * HOURS_A_MONTH * device.hours_a_day / 24
    return replace(fleet, machines=count, hours=hours)


def _some(value: Num) -> bool:
    return _most(value) > 0


def _most(value: Num) -> float:
    return float(value.max() if hasattr(value, "max") else value)
