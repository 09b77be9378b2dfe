"""What a comparison says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from reelwise.option import OptionKind
from reelwise.plan import Plan
from reelwise.sensitivity import Band, Swing

__all__ = ["BreakEven", "Comparison", "DutyCycle", "Machines", "Offer", "Reach"]


class Machines(Struct, frozen=True, kw_only=True):
    """The fleet of one host, and what of its bill is not work.

    Attributes:
        host, sku, scale: its settings.
        machines: on at the peak; speed: frames a second of one; streams: that one takes at a time.
        busy_share: share of the hours that are on in which there is work.
        usd_month: what they cost.
        idle_usd_month: of that, the hours without work.
        peak_usd_month: what the busiest hour adds to the mean one; spare_usd_month: what machines beyond need add.
        cold_share, cold_seconds: share of sessions that wait for a machine to start, and for how long.
        full_share: share of live sessions that find every machine taken in the busiest hour, if they come at random.
    """

    host: str
    sku: str
    scale: str
    machines: float
    speed: float
    streams: float
    busy_share: float
    usd_month: float
    idle_usd_month: float
    peak_usd_month: float
    spare_usd_month: float
    cold_share: float = 0.0
    cold_seconds: float = 0.0
    full_share: float | None = None


class Offer(Struct, frozen=True, kw_only=True):
    """One option, priced. Amounts are None where it could not be priced; `why` says what is missing.

    Attributes:
        name, kind: the option's; is_now: it is the plan of the file.
        usd_per_frame, usd_per_minute, usd_per_session, usd_per_user: of the source footage; usd_per_month: all of it.
        feasible, why: whether it can do the job, and the reasons against it.
        latency_ms: time to an answer, estimated; quality: relative to the plan as it is, where somebody knows.
        band: percentiles of the month over what is not known; moves: the facts that move it most.
        evidence_share: share of the bill by kind of evidence.
        line_items: what is billed, largest first: (sku, unit, quantity, USD).
        machines: its fleets.
        notes: what to know beside.
        plan, plan_hash: what was priced; `reelwise price --option NAME` prices the same.
    """

    name: str
    kind: OptionKind
    is_now: bool = False
    usd_per_frame: float | None = None
    usd_per_minute: float | None = None
    usd_per_session: float | None = None
    usd_per_user: float | None = None
    usd_per_month: float | None = None
    feasible: bool = False
    why: tuple[str, ...] = ()
    latency_ms: float | None = None
    quality: float | None = None
    band: Band | None = None
    moves: tuple[Swing, ...] = ()
    evidence_share: dict[str, float] = {}
    line_items: tuple[tuple[str, str, float, float], ...] = ()
    machines: tuple[Machines, ...] = ()
    notes: tuple[str, ...] = ()
    plan: Plan
    plan_hash: str = ""


class BreakEven(Struct, frozen=True, kw_only=True):
    """A volume, or a sampling rate, at which two options change places.

    Attributes:
        a, b: the options; a is the cheaper one below, b above.
        at: where, in `unit`: sessions_month, minutes_month or frames_per_second.
        axis: volume or sampling.
        usd_per_month: what a costs there.
        step: the bill of one of them jumps there (a whole machine, a whole frame), so they are not equal at that point.
        at_low, at_high: where it is with every machine as slow, and as fast, as the facts allow; None where there is none then
            or nothing is known of the spread.
        busy_share: how busy the rented machines of one are there, where one is rented by the hour.
        feasible: whether both can do the job there.
    """

    a: str
    b: str
    at: float
    unit: str
    axis: Literal["volume", "sampling"]
    usd_per_month: float
    step: bool = False
    at_low: float | None = None
    at_high: float | None = None
    busy_share: float | None = None
    feasible: bool = True


class NeverEven(Struct, frozen=True, kw_only=True):
    """Two options that never change places in the range that was looked at: `cheaper` is cheaper throughout, or they tie (empty)."""

    a: str
    b: str
    axis: Literal["volume", "sampling"]
    cheaper: str


class Reach(Struct, frozen=True, kw_only=True):
    """A range of volume in which one option is the cheapest that can do the job; empty where none can.

    Attributes:
        option: its name.
        low, high: from and to, in `unit`.
    """

    option: str
    low: float
    high: float
    unit: str


class DutyCycle(Struct, frozen=True, kw_only=True):
    """How busy a rented machine must be to be cheaper than a serverless one for the same frames.

    Attributes:
        rented, serverless: the options.
        busy_share: above it renting is cheaper; above 1: never, the serverless machine costs less even when busy all month.
    """

    rented: str
    serverless: str
    busy_share: float


class Line(Struct, frozen=True, kw_only=True):
    """One curve of a chart: USD over volume or sampling rate; None where there is no price."""

    option: str
    axis: Literal["volume", "sampling"]
    x: tuple[float, ...]
    usd: tuple[float | None, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """Options side by side.

    Attributes:
        feature, day: of the workload.
        unit: of volume: sessions_month or minutes_month; volume: of the workload; minutes_month: of source footage.
        source_fps: frames a second of the source.
        options: those that can do the job first, then the others, each from the cheapest up; what has no price is last.
        break_even: where two change places; no_break_even: pairs that do not.
        cheapest: the cheapest by volume, of those that can do the job.
        duty_cycles: rented against serverless machines.
        curves: for charts.
        low, high: range of volume that was looked at, in `unit`.
    """

    feature: str
    day: str
    unit: str
    volume: float
    minutes_month: float
    source_fps: float
    options: tuple[Offer, ...]
    break_even: tuple[BreakEven, ...]
    no_break_even: tuple[NeverEven, ...]
    cheapest: tuple[Reach, ...]
    duty_cycles: tuple[DutyCycle, ...]
    curves: tuple[Line, ...]
    low: float
    high: float
    latency: str = ""
    quality_floor: float | None = None
