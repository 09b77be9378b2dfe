"""The estimate for the very items that a run is about to do, and how far what was metered lies from it, unit by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reelwise.flow import Item, Out
from reelwise.plan import fold
from reelwise.run.by_unit import AMBIGUOUS, CACHE, metered_usd, usd_of
from reelwise.run.measure import collect
from reelwise.run.outcome import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.case import Case
    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.outcome import Outcome
    from reelwise.video import ClipInfo
    from reelwise.workload import Workload

__all__ = ["Estimate", "Side", "estimate", "estimate_counted", "item_expected", "sides"]

_COUNTED = ("calls", *UNITS)
_INPUT = tuple(name for name in UNITS if name != "tokens_output")


class Estimate(Struct, frozen=True, kw_only=True):
    """What a plan was expected to use on some items.

    Attributes:
        usd: of the calls.
        units: calls and tokens, by unit.
        usd_by_lane: of the calls, by lane.
        usd_besides: of what no model bills: CPU time, storage, traffic.
        billed: quantity and dollars by the unit that is billed: tokens of a kind, images, minutes.
    """

    usd: float
    units: dict[str, float]
    usd_by_lane: dict[str, float]
    usd_besides: float = 0.0
    billed: dict[str, tuple[float, float]] = {}


class Side(Struct, frozen=True, kw_only=True):
    """Predicted and metered, side by side.

    Attributes:
        unit: usd, calls, tokens_video, ...; not_known: calls of which nobody knows what they used.
        predicted, metered: amounts.
        error: predicted over metered, minus 1; None where nothing was metered.
        predicted_usd, metered_usd: what they cost; None for sums, whose parts follow. All rows that have them add up to the cost.
    """

    unit: str
    predicted: float
    metered: float
    error: float | None
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
        megabytes=info.bytes / 1e6,
        tokens_prefix=prompt.prefix,
        tokens_prompt=prompt.question,
        tokens_output=prompt.output,
        questions=workload.repetition.questions,
        duplicates=duplicates,
        footage=workload.footage,
    )


def estimate(case: Case, plan: Plan, workload: Workload, infos: Sequence[ClipInfo], most: float) -> Estimate:
    """Price a plan on clips that nobody has decoded yet.

    Args:
        case: facts and prices.
        plan: the plan.
        workload: with the script's lengths.
        infos: what the containers say; the same content twice is a duplicate.
        most: tokens that answers are cut at.

    Raises:
        UnknownModelError, UnpricedError, InputError: see `reelwise.price.price`.
    """
    duplicates = len(infos) / max(1, len({info.sha256_head for info in infos}))
    out = Out(case.book, case.book.day)
    for info in infos:
        item = replace(item_expected(workload, info, duplicates), tokens_output_most=most)
        fold(plan, [item], case.facts, out)
    return _summed(out, case)


def estimate_counted(case: Case, plan: Plan, pieces: Sequence[Piece]) -> Estimate:
    """Price a plan on clips with what its stages count on them, and facts for what only models tell.

    Raises:
        UnknownModelError, UnpricedError, InputError: see `reelwise.price.price`.
    """
    out, _, _ = collect(plan, pieces, case.facts, case.book)
    return _summed(out, case)


def _summed(out: Out, case: Case) -> Estimate:
    units = dict.fromkeys(_COUNTED, 0.0)
    lanes: dict[str, float] = {}
    billed: dict[str, tuple[float, float]] = {}
    usd = 0.0
    for request in out.requests:
        count = float(request.count)
        units["calls"] += count
        for name in UNITS:
            units[name] += count * float(getattr(request, name))
        cost = 0.0
        for unit, (quantity, part) in usd_of(request, case.book).items():
            before = billed.get(unit, (0.0, 0.0))
            billed[unit] = before[0] + quantity, before[1] + part
            cost += part
        lanes[request.lane] = lanes.get(request.lane, 0.0) + cost
        usd += cost
    besides = stored = 0.0
    for usage in out.usages:
        cost = float(usage.quantity) * float(case.book.rate(usage.sku, usage.unit).usd)
        if usage.stage == "call":
            stored += cost
            filled = billed.get(CACHE, (0.0, 0.0))
            billed[CACHE] = filled[0] + 1.0, filled[1] + cost
        else:
            besides += cost
    kept = {name: value for name, value in units.items() if value}
    return Estimate(usd=usd + stored, units=kept, usd_by_lane=lanes, usd_besides=besides, billed=billed)


def sides(expected: Estimate, outcomes: Iterable[Outcome], book: Book) -> tuple[Side, ...]:
    """Put what was expected beside what was metered: dollars first, then calls and each unit, apart by kind where answers tell them apart.

    Args:
        expected: the estimate.
        outcomes: of the calls.
        book: prices, for what each unit cost.
    """
    calls = list(outcomes)
    metered = dict.fromkeys(_COUNTED, 0.0)
    for one in calls:
        if one.status in {"failed", "cached"}:
            continue
        metered["calls"] += 1
        for name in UNITS:
            metered[name] += one.units.get(name, 0.0)
    told, paid = expected.units, metered_usd(calls, book)
    rows = [
        _side("usd", expected.usd, sum(one.cost_nano for one in calls) / 1e9),
        _side("calls", told.get("calls", 0.0), metered["calls"]),
        _side("tokens_input", *(sum(units.get(name, 0.0) for name in _INPUT) for units in (told, metered))),
    ]
    if metered["tokens_image"] or not told.get("tokens_image"):
        groups: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in UNITS]
    else:  # some vendors do not tell pictures from text
        groups = [("tokens_text_and_image", ("tokens_text", "tokens_image"))]
        groups += [(name, (name,)) for name in UNITS if name not in {"tokens_text", "tokens_image"}]
    for name, units in groups:
        amounts = (sum(one.get(unit, 0.0) for unit in units) for one in (told, metered))
        rows.append(_with_usd(_side(name, *amounts), expected.billed, paid, units))
    others = sorted((expected.billed.keys() | paid.keys()) - set(UNITS) - {AMBIGUOUS})
    for name in (*others, AMBIGUOUS):
        amounts = (one.get(name, (0.0, 0.0))[0] for one in (expected.billed, paid))
        rows.append(_with_usd(_side(name, *amounts), expected.billed, paid, (name,)))
    return tuple(row for row in rows if row.predicted or row.metered)


def _with_usd(
    side: Side, expected: dict[str, tuple[float, float]], paid: dict[str, tuple[float, float]], units: Sequence[str]
) -> Side:
    predicted, metered = (sum(one.get(unit, (0.0, 0.0))[1] for unit in units) for one in (expected, paid))
    return replace(side, predicted_usd=predicted, metered_usd=metered)


def _side(unit: str, predicted: float, metered: float) -> Side:
    return Side(
        unit=unit, predicted=predicted, metered=metered, error=predicted / metered - 1 if metered else None
    )  # fmt: skip
