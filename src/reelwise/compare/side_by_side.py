"""Put options side by side, and find where each becomes the cheaper one."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from reelwise.case import with_option
from reelwise.compare.crossing import crossings, signs
from reelwise.compare.curve import Curve, Prices, can_sample, with_speeds
from reelwise.compare.defaults import default_options
from reelwise.compare.machines import duty_cycles
from reelwise.compare.offer import AS_IT_IS, offer_of
from reelwise.compare.reach import Able, reaches
from reelwise.compare.result import BreakEven, Comparison, Line, NeverEven, Offer
from reelwise.errors import DocumentError
from reelwise.facts import settings_hash
from reelwise.price import price_one
from reelwise.stages import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from reelwise.case import Case
    from reelwise.compare.crossing import Crossing
    from reelwise.option import Option

    Floats = NDArray[np.float64]

__all__ = ["MOST_OPTIONS", "compare"]

MOST_OPTIONS = 40
RANGE = 1000.0
"""Volumes from a thousandth to a thousand times the workload's own are looked at."""
_POINTS = 1201
_LOWEST_RATE = 0.02
_DRAWN = 161

Axis = Literal["volume", "sampling"]


class _Priced(Struct, frozen=True, kw_only=True):
    """An option with its curves."""

    offer: Offer
    curve: Curve
    slow: Curve | None
    fast: Curve | None
    able: Able


def compare(case: Case, options: Sequence[Option] | None = None) -> Comparison:
    """Price every option for one workload, and find every volume and sampling rate at which two change places.

    Args:
        case: workload, plan, facts and prices.
        options: in place of the file's; None takes the file's, or where it names none a set that fits the kind of job.

    Returns:
        The plan of the file is among them as "as it is" (unless an option is the same plan). What cannot be priced is listed
        with what is missing.

    Raises:
        DocumentError: nothing to do, more than MOST_OPTIONS options, or an option that cannot be.
        UnknownModelError: an option names something that nothing has the name of.
    """
    if case.workload.seconds_month <= 0:
        raise DocumentError("there is nothing to do", where=f"{case.where} $.demand", hint="give a demand above 0")
    named = tuple(options) if options is not None else case.options or default_options(case.workload)
    if len(named) > MOST_OPTIONS:
        raise DocumentError(
            f"more than {MOST_OPTIONS} options", where=f"{case.where} $.options", hint="compare fewer at a time"
        )
    offers, priced = _offers(case, named)
    unit, volume = _unit(case)
    grid = Prices.spread(1 / RANGE, RANGE, _POINTS, chain.from_iterable(one.curve.volume_steps() for one in priced))
    found = _Pairs(case, priced, grid, unit, volume)
    return Comparison(
        feature=case.workload.feature,
        day=case.day.isoformat(),
        unit=unit,
        volume=volume,
        minutes_month=case.workload.seconds_month / 60,
        source_fps=case.workload.source.fps,
        options=tuple(sorted(offers, key=_order)),
        break_even=(*found.by_volume(), *found.by_rate()),
        no_break_even=tuple(found.never),
        cheapest=reaches([(one.offer.name, one.curve, one.able) for one in priced], grid, unit=unit, volume=volume),
        duty_cycles=duty_cycles([(one.offer.name, one.curve.case, one.curve.bill) for one in priced]),
        curves=tuple(found.lines()),
        low=volume / RANGE,
        high=volume * RANGE,
        latency=case.workload.latency,
        quality_floor=case.workload.quality_floor,
    )


def _order(offer: Offer) -> tuple[bool, bool, float]:
    return (not offer.feasible, offer.usd_per_month is None, offer.usd_per_month or 0.0)


def _unit(case: Case) -> tuple[str, float]:
    """Say what volume is counted in: sessions where the demand has them, else minutes of footage."""
    sessions = case.workload.sessions_month
    return ("sessions_month", sessions) if sessions else ("minutes_month", case.workload.seconds_month / 60)


def _offers(case: Case, named: Sequence[Option]) -> tuple[list[Offer], list[_Priced]]:
    rows: list[tuple[Case, str, Option | None]] = [(with_option(case, one), one.name, one) for one in named]
    plans = {one.plan for one, _, _ in rows}
    if case.plan not in plans:
        rows.insert(0, (case, AS_IT_IS, None))
    offers, priced = [], []
    for own, name, option in rows:
        offer, bill = offer_of(own, name, option, is_now=own.plan == case.plan)
        offers.append(offer)
        if bill is None:
            continue
        slow, fast = (
            None
            if other is None
            else Curve(other, price_one(other.workload, other.plan, other.facts, other.book, other.account))
            for other in (with_speeds(own, "low"), with_speeds(own, "high"))
        )
        curve = Curve(own, bill)
        lost = len(offer.why) > len(bill.why)  # for its quality, at any volume
        priced.append(_Priced(offer=offer, curve=curve, slow=slow, fast=fast, able=Able(curve, RANGE, never=lost)))
    return offers, priced


class _Pairs:
    """Break-evens of all pairs on both axes."""

    def __init__(self, case: Case, priced: Sequence[_Priced], grid: Floats, unit: str, volume: float) -> None:
        self.case, self.priced, self.grid, self.unit, self.volume = case, priced, grid, unit, volume
        self.never: list[NeverEven] = []
        self._usd = [one.curve.at_volume(grid) for one in priced]
        self._slow = [one.slow.at_volume(grid) if one.slow else usd for one, usd in zip(priced, self._usd, strict=True)]
        self._fast = [one.fast.at_volume(grid) if one.fast else usd for one, usd in zip(priced, self._usd, strict=True)]
        self._sampled = list(
            {_without_rate(one): one for one in reversed(priced) if can_sample(one.curve.case)}.values()
        )[::-1]
        fps = case.workload.source.fps
        self._rates = Prices.spread(
            min(_LOWEST_RATE, fps / 2),
            fps,
            _POINTS // 3,
            chain.from_iterable(one.curve.frame_steps(fps) for one in self._sampled[:1]),
        )
        self._at_rates = [one.curve.at_rate(self._rates) for one in self._sampled]

    def by_volume(self) -> Iterator[BreakEven]:
        """Find the volumes at which two options change places."""
        for i, j in combinations(range(len(self.priced)), 2):
            one, other = self.priced[i], self.priced[j]
            found = crossings(self.grid, self._usd[i], self._usd[j], one.curve.at_volume, other.curve.at_volume)
            if not found:
                self._note_never(one, other, "volume", self._usd[i], self._usd[j])
                continue
            ends = [self._shifted(i, j, len(found), end) for end in ("low", "high")]
            for at, crossing in enumerate(found):
                a, b = (one, other) if crossing.first_below else (other, one)
                yield BreakEven(
                    a=a.offer.name, b=b.offer.name, at=crossing.at * self.volume, unit=self.unit, axis="volume",
                    usd_per_month=crossing.usd, step=crossing.step,
                    at_low=ends[0][at] * self.volume if ends[0] else None, at_high=ends[1][at] * self.volume if ends[1] else None,
                    busy_share=_busy(a, b, crossing), feasible=a.able.at(crossing.at) and b.able.at(crossing.at),
                )  # fmt: skip

    def _shifted(self, i: int, j: int, count: int, end: str) -> list[float] | None:
        """Find the same crossings with every machine as slow or as fast as the facts allow; None where they are others."""
        one, other = self.priced[i], self.priced[j]
        if not any(getattr(two, name) for two in (one, other) for name in ("slow", "fast")):
            return None
        usd = self._slow if end == "low" else self._fast
        curves = [(two.slow if end == "low" else two.fast) or two.curve for two in (one, other)]
        found = crossings(self.grid, usd[i], usd[j], curves[0].at_volume, curves[1].at_volume)
        return [crossing.at for crossing in found] if len(found) == count else None

    def by_rate(self) -> Iterator[BreakEven]:
        """Find the sampling rates at which two options change places."""
        for i, j in combinations(range(len(self._sampled)), 2):
            one, other = self._sampled[i], self._sampled[j]
            a_usd, b_usd = self._at_rates[i], self._at_rates[j]
            found = crossings(self._rates, a_usd, b_usd, one.curve.at_rate, other.curve.at_rate)
            if not found:
                self._note_never(one, other, "sampling", a_usd, b_usd)
            for crossing in found:
                a, b = (one, other) if crossing.first_below else (other, one)
                yield BreakEven(
                    a=a.offer.name, b=b.offer.name, at=crossing.at, unit="frames_per_second", axis="sampling",
                    usd_per_month=crossing.usd, step=crossing.step, feasible=a.offer.feasible and b.offer.feasible,
                )  # fmt: skip

    def _note_never(self, one: _Priced, other: _Priced, axis: Axis, a: Floats, b: Floats) -> None:
        decided = signs(a, b)
        first = decided[decided != 0]
        cheaper = "" if not len(first) else one.offer.name if first[0] < 0 else other.offer.name
        self.never.append(NeverEven(a=one.offer.name, b=other.offer.name, axis=axis, cheaper=cheaper))

    def lines(self) -> Iterator[Line]:
        """Give the curves for charts, thinned out but with the steps that show."""
        for one, usd in zip(self.priced, self._usd, strict=True):
            yield _line(one.offer.name, "volume", self.grid * self.volume, usd)
        minutes = self.case.workload.seconds_month / 60
        for one, usd in zip(self._sampled, self._at_rates, strict=True):
            yield _line(one.offer.name, "sampling", self._rates, usd / minutes)


def _without_rate(one: _Priced) -> str:
    """Name what an option is apart from its own sampling rate: two that differ in nothing else are one curve over it."""
    case = one.curve.case
    plan = case.plan.merge(Sample, Sample, lambda stage: replace(stage, fps=1.0))
    return f"{plan.hash} {settings_hash(case.facts.entries)}"


def _line(name: str, axis: Axis, x: Floats, usd: Floats) -> Line:
    """Keep points on a fine grid, and both sides of every jump that is seen."""
    keep = np.zeros(len(x), bool)
    keep[np.unique(np.searchsorted(x, np.geomspace(x[0], x[-1], _DRAWN)).clip(0, len(x) - 1))] = True
    with np.errstate(invalid="ignore", divide="ignore"):
        jumps = np.flatnonzero(np.abs(np.diff(usd)) > 0.02 * np.maximum(usd[1:], 1e-12))
    keep[jumps] = keep[np.minimum(jumps + 1, len(x) - 1)] = True
    amounts = tuple(None if np.isnan(value) else float(value) for value in usd[keep])
    return Line(option=name, axis=axis, x=tuple(float(value) for value in x[keep]), usd=amounts)


def _busy(a: _Priced, b: _Priced, crossing: Crossing) -> float | None:
    """Return how busy rented machines are at a break-even."""
    for one in (a, b):
        if any(fleet.host.scale in {"fixed", "auto"} for fleet in one.curve.bill.fleets):
            rented = [fleet for fleet in one.curve.at(crossing.at).fleets if fleet.host.scale in {"fixed", "auto"}]
            return max(float(fleet.busy_share) for fleet in rented)
    return None
