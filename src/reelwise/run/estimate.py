"""The estimate for the very items that a run is about to do, and how far what was metered lies from it, unit by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reelwise.charge.exact import ZERO, exact
from reelwise.charge.position import marginal
from reelwise.errors import InputError
from reelwise.fleet import speed_of
from reelwise.flow import Item, Out
from reelwise.plan import fold
from reelwise.run.band import band_usd
from reelwise.run.by_unit import AMBIGUOUS, CACHE, MACHINES, joins_pictures, metered_usd, unit_of
from reelwise.run.machines import Machines
from reelwise.run.measure import collect
from reelwise.run.outcome import MORE_UNITS, UNITS
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from reelwise.case import Case
    from reelwise.charge import Position
    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.band import Band
    from reelwise.run.outcome import Outcome
    from reelwise.video import ClipInfo
    from reelwise.workload import Workload

__all__ = ["Estimate", "Side", "estimate", "estimate_counted", "item_expected", "sides"]

_COUNTED = ("calls", *UNITS, *MORE_UNITS)
_INPUT = tuple(name for name in UNITS if name != "tokens_output")


class Estimate(Struct, frozen=True, kw_only=True):
    """What a plan was expected to use on some items.

    Attributes:
        usd: of the calls.
        units: calls and tokens, by unit.
        usd_by_lane: of the calls, by lane.
        usd_besides: of what no model bills: CPU time, storage, traffic.
        usd_low, usd_high: 5th and 95th percentile of `usd`, see `band.band_usd`; None where nothing that it rests on is uncertain.
        machine_seconds: that hosts' machines were expected to be busy, by host; a host whose speed nobody knows is left out.
        usd_machines: of that time, and part of `usd`.
        billed: dollars by unit; together `usd`.
    """

    usd: float
    units: dict[str, float]
    usd_by_lane: dict[str, float]
    usd_besides: float = 0.0
    usd_low: float | None = None
    usd_high: float | None = None
    machine_seconds: dict[str, float] = msgspec.field(default_factory=dict)
    usd_machines: float = 0.0
    billed: dict[str, float] = msgspec.field(default_factory=dict)


class Side(Struct, frozen=True, kw_only=True):
    """Predicted and metered, side by side.

    Attributes:
        unit: usd, calls, tokens_video, ...; cache: explicit ones; not_known: calls of which nobody knows what they used.
        predicted, metered: amounts.
        error: predicted over metered, minus 1; None where nothing was metered.
        low, high: 5th and 95th percentile of what was predicted, of dollars; None where nothing is uncertain.
        predicted_usd, metered_usd: what they cost; None for sums, whose parts follow. All rows that have them add up to the cost.
    """

    unit: str
    predicted: float
    metered: float
    error: float | None
    low: float | None = None
    high: float | None = None
    predicted_usd: float | None = None
    metered_usd: float | None = None


def item_expected(workload: Workload, info: ClipInfo, duplicates: float) -> Item:
    """Say what a clip is before anybody has looked into it: what its container says."""
    seconds = info.seconds or (info.frames / info.fps if info.fps else 0.0)
    prompt = workload.prompt
    return Item(
        count=1.0,
        seconds=seconds,
        frames=float(info.frames or round(seconds * info.fps)),
        width_px=info.width,
        height_px=info.height,
        audio_seconds=min(info.audio_seconds, seconds) if info.has_audio else 0.0,
        has_sound=info.has_audio,
        megabytes=info.bytes / 1e6,
        tokens_prefix=prompt.prefix,
        tokens_prompt=prompt.question,
        tokens_output=prompt.output,
        questions=workload.repetition.questions,
        duplicates=duplicates,
        footage=workload.footage,
    )


def estimate(
    case: Case,
    plan: Plan,
    workload: Workload,
    infos: Sequence[ClipInfo],
    most: float,
    *,
    before: Position | None = None,
    copies: float | None = None,
) -> Estimate:
    """Price a plan on clips that nobody has decoded yet.

    Args:
        case: facts and prices.
        plan: the plan.
        workload: with the script's lengths.
        infos: what the containers say.
        copies: how often each content comes; None takes the same bytes to be the same content.
        most: tokens that answers are cut at.
        before: what the account has used this month: free units and steps of graduated prices begin there.

    Raises:
        UnknownModelError, UnpricedError, InputError: see `reelwise.price.price`.
    """
    duplicates = copies if copies is not None else len(infos) / max(1, len({info.sha256_head for info in infos}))
    out = Out(case.book, case.book.day)
    items = [replace(item_expected(workload, info, duplicates), tokens_output_most=most) for info in infos]
    for item in items:
        fold(plan, [item], case.facts, out)
    return _summed(out, case, plan, before, band_usd(case, plan, items))


def estimate_counted(
    case: Case, plan: Plan, pieces: Sequence[Piece], before: Position | None = None
) -> Estimate:  # fmt: skip
    """Price a plan on clips with what its stages count on them, and facts for what only models tell; see `estimate`.

    Raises:
        UnknownModelError, UnpricedError, InputError: see `reelwise.price.price`.
    """
    out, _, _ = collect(plan, pieces, case.facts, case.book)
    start = next((at for at, stage in enumerate(plan.stages) if not stage.counted or isinstance(stage, Call)), 0)
    left = collect(replace(plan, stages=plan.stages[:start]), pieces, case.facts, case.book)[1]
    return _summed(out, case, plan, before, band_usd(case, plan, [piece.item for piece in left], start=start))


def _summed(out: Out, case: Case, plan: Plan, before: Position | None, band: Band | None) -> Estimate:
    units = dict.fromkeys(_COUNTED, 0.0)
    lanes: dict[str, float] = {}
    month: dict[tuple[str, str], Fraction] = {key: exact(value) for key, value in (before or {}).items()}
    frames: dict[str, float] = {}
    billed: dict[str, float] = {}
    for request in out.requests:
        count = float(request.count)
        units["calls"] += count
        if request.model.startswith("host:"):
            name = request.model.removeprefix("host:")
            frames[name] = frames.get(name, 0.0) + count * float(request.images)
            continue
        told = case.book.is_language_model(request.model)
        for name in UNITS if told else ():
            units[name] += count * float(getattr(request, name))
        cost = 0.0
        for usage, rate in case.book.price_request(request):
            quantity, key = exact(usage.quantity, usage.unit), (rate.sku, rate.unit)
            part = float(marginal(rate, quantity, month.get(key, ZERO)))
            cost += part
            unit, _ = unit_of(usage.unit, generated=bool(request.seconds_output))
            billed[unit] = billed.get(unit, 0.0) + part
            month[key] = month.get(key, ZERO) + quantity
            if not told:
                _count_unit(units, usage.unit, float(quantity), generated=bool(request.seconds_output))
        lanes[request.lane] = lanes.get(request.lane, 0.0) + cost
    seconds, machines = _machine_time(frames, case, plan)
    usd = sum(lanes.values()) + machines
    besides = stored = 0.0
    for usage in out.usages:
        cost = float(usage.quantity) * float(case.book.rate(usage.sku, usage.unit).usd)
        if usage.stage == "call":
            stored += cost
            billed[CACHE] = billed.get(CACHE, 0.0) + cost
        else:
            besides += cost
    if machines:
        billed[MACHINES] = machines
    kept = {name: value for name, value in units.items() if value}
    below, above = (0.0, 0.0) if band is None else (max(0.0, band.usd - band.low), max(0.0, band.high - band.usd))
    return Estimate(
        usd=usd + stored,
        units=kept,
        usd_by_lane=lanes,
        usd_besides=besides,
        machine_seconds=seconds,
        usd_machines=machines,
        billed=billed,
        usd_low=None if band is None else max(0.0, usd + stored - below),
        usd_high=None if band is None else usd + stored + above,
    )


def _count_unit(units: dict[str, float], unit: str, quantity: float, *, generated: bool) -> None:
    """Count what a card bills by, in the unit that answers say it in."""
    name, times = unit_of(unit, generated=generated)
    if name in units:
        units[name] += quantity * times


def _machine_time(frames: dict[str, float], case: Case, plan: Plan) -> tuple[dict[str, float], float]:
    """Say how long hosts' machines will be busy, and what that time costs, where it is known how fast they are."""
    seconds: dict[str, float] = {}
    usd = 0.0
    machines = Machines(plan.hosts, case.book)
    for host in plan.hosts:
        if host.name not in frames:
            continue
        try:
            speed, _ = speed_of(host, case.facts, case.book.card(host.sku))
        except InputError:
            continue
        seconds[host.name] = frames[host.name] / float(speed)
        usd += machines.nano(host.name, seconds[host.name]) / 1e9
    return seconds, usd


def sides(expected: Estimate, outcomes: Iterable[Outcome], book: Book) -> tuple[Side, ...]:
    """Put what was expected beside what was metered: dollars first, then calls and each unit, apart by kind where answers tell them apart.

    Args:
        expected: the estimate.
        outcomes: of the calls.
        book: prices, for what each unit cost.
    """
    usd = busy = 0.0
    metered = dict.fromkeys(_COUNTED, 0.0)
    compared = []  # what cannot be predicted is compared with nothing
    for one in outcomes:
        if not one.hosted or one.hosted in expected.machine_seconds:
            compared.append(one)
            usd += one.cost_nano / 1e9
            busy += one.busy_seconds
        if one.status in {"failed", "cached"}:
            continue
        metered["calls"] += 1
        for name in (*UNITS, *MORE_UNITS):
            metered[name] += one.units.get(name, 0.0) if not one.hosted else 0.0
    told = expected.units
    dollars = replace(_side("usd", expected.usd, usd), low=expected.usd_low, high=expected.usd_high)
    rows = [dollars, _side("calls", told.get("calls", 0.0), metered["calls"])]
    rows.append(_side("tokens_input", *(sum(units.get(name, 0.0) for name in _INPUT) for units in (told, metered))))
    paid = metered_usd(compared, book)
    groups: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in _COUNTED[1:]]
    if told.get("tokens_image") and joins_pictures(compared):  # some vendors do not tell pictures from text
        joined = ("tokens_text", "tokens_image")
        groups = [("tokens_text_and_image", joined), *(one for one in groups if one[0] not in joined)]
    for name, units in groups:
        amounts = (sum(one.get(unit, 0.0) for unit in units) for one in (told, metered))
        rows.append(_with_usd(_side(name, *amounts), expected.billed, paid, units))
    machines = _side(MACHINES, sum(expected.machine_seconds.values()), busy)
    rows.append(_with_usd(machines, expected.billed, paid, (MACHINES,)))
    others = sorted((expected.billed.keys() | paid.keys()) - set(_COUNTED) - {MACHINES, AMBIGUOUS})
    for name in (*others, AMBIGUOUS):
        row = _with_usd(
            _side(name, expected.billed.get(name, 0.0), paid.get(name, 0.0)), expected.billed, paid, (name,)
        )
        rows.append(row)
    return tuple(row for row in rows if row.predicted or row.metered)


def _with_usd(side: Side, expected: dict[str, float], paid: dict[str, float], units: Sequence[str]) -> Side:
    predicted, metered = (sum(one.get(unit, 0.0) for unit in units) for one in (expected, paid))
    return replace(side, predicted_usd=predicted, metered_usd=metered)


def _side(unit: str, predicted: float, metered: float) -> Side:
    return Side(
        unit=unit, predicted=predicted, metered=metered, error=predicted / metered - 1 if metered else None
    )  # fmt: skip
