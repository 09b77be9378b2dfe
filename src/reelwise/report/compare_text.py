"""A comparison in words and rows, for the terminal and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.compare.offer import AS_IT_IS
from reelwise.report.numbers import money, percent, quantity
from reelwise.workload import LATENCY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.compare import BreakEven, Comparison, Offer

__all__ = [
    "MACHINES", "OPTIONS", "PAIRS", "UNITS", "Pair", "heading", "kind_words", "machine_rows", "name_of", "notes", "number", "option_row",
    "pair_cells", "pairs", "record", "refusals", "sentences", "volume",
]  # fmt: skip

UNITS = {
    "sessions_month": "sessions a month",
    "minutes_month": "minutes a month",
    "frames_per_second": "frames a second",
}

_KINDS = {"own_gpu": "own GPU", "own_cpu": "own CPU", "on_device": "on the device"}
_CLEAR = 1.5
"""How many times dearer something is before a sentence says so by its factor."""


class Pair(Struct, frozen=True, kw_only=True):
    """All crossings of two options on one axis, told as one.

    Attributes:
        below: the cheaper one up to the first crossing; above: the cheaper one from the last on; other: the one that `below` is
            compared with.
        first, last: where; equal where there is one crossing only.
        count: how many there are.
        low, high: where the only crossing is with machines as slow and as fast as the facts allow, or None.
        busy_share: of the rented machines at the last crossing.
        feasible: whether both can do the job there.
    """

    below: str
    above: str
    other: str
    first: float
    last: float
    unit: str
    count: int
    usd_per_month: float
    low: float | None
    high: float | None
    busy_share: float | None
    feasible: bool


def kind_words(kind: str) -> str:
    """Write a kind for people: own GPU, image API, token model."""
    return _KINDS.get(kind, kind.replace("_api", " API").replace("_", " "))


def number(value: float) -> str:
    """Write a place on an axis: 0.5, 1.67, 12,300."""
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def volume(value: float, unit: str) -> str:
    """Write a volume with its unit: 12,300 sessions a month."""
    return f"{number(value)} {UNITS[unit]}"


PAIRS = ("cheaper up to", "break-even", "cheaper from there", "USD a month", "busy")
"""Columns of `pair_cells`; busy is how busy rented machines are there."""


def pair_cells(row: Pair) -> tuple[str, ...]:
    """Write a pair; its break-even with machines as slow and as fast as the facts allow is in brackets."""
    at = number(row.first)
    above = row.above
    if row.count > 1:
        at += f" to {number(row.last)}, {row.count} times"
        above += f" (in between also {row.other})" if row.above == row.below else ""
    if row.low is not None and row.high is not None and abs(row.low - row.high) > 0.005 * row.low:
        low, high = sorted((row.low, row.high))
        at += f" ({number(low)} to {number(high)})"
    busy = "" if row.busy_share is None else percent(row.busy_share)
    return row.below, at + ("" if row.feasible else " *"), above, money(row.usd_per_month), busy


OPTIONS = ("option", "kind", "USD a month", "P10 to P90", "a session", "a minute", "1M frames", "answer")
"""Columns of `option_row`."""


def option_row(one: Offer) -> tuple[str, ...]:
    """Write an option with its prices."""
    spread = ""
    if one.band is not None and one.band.p90 > one.band.p10 * 1.005:
        spread = f"{money(one.band.p10)} to {money(one.band.p90)}"
    million = None if one.usd_per_frame is None else one.usd_per_frame * 1e6
    amounts = (one.usd_per_session, one.usd_per_minute, million)
    answer = "" if one.latency_ms is None else _time(one.latency_ms)
    return (
        name_of(one),
        kind_words(one.kind),
        _money(one.usd_per_month),
        spread,
        *(_money(usd) for usd in amounts),
        answer,
    )


def name_of(one: Offer) -> str:
    """Write an option's name, and whether it is the plan of the file."""
    return f"{one.name} (now)" if one.is_now and one.name != AS_IT_IS else one.name


def refusals(found: Comparison) -> list[str]:
    """Say of each option that cannot do the job what it would cost, and why not; those with no price for one reason together."""
    said: list[str] = []
    unpriced: dict[str, list[str]] = {}
    for one in found.options:
        if one.feasible:
            continue
        if one.usd_per_month is None:
            unpriced.setdefault("; ".join(one.why), []).append(name_of(one))
            continue
        each = "" if one.usd_per_session is None else f" ({money(one.usd_per_session)} a session)"
        said.append(f"{name_of(one)}, {money(one.usd_per_month)} USD a month{each}: {'; '.join(one.why)}")
    return said + [f"{'; '.join(names)}: {why}" for why, names in unpriced.items()]


def notes(options: Iterable[Offer]) -> list[str]:
    """Gather what to know beside the prices, each note once with the options it is about."""
    about: dict[str, list[str]] = {}
    names = []
    for one in options:
        names.append(one.name)
        for text in one.notes:
            about.setdefault(text, []).append(one.name)
    return [f"{'All of them' if len(of) == len(names) > 1 else '; '.join(of)}: {text}." for text, of in about.items()]


def _money(usd: float | None) -> str:
    return "" if usd is None else money(usd)


def _time(ms: float) -> str:
    return f"{ms:,.0f} ms" if ms < 1000 else f"{ms / 1000:,.1f} s"


def heading(found: Comparison) -> str:
    """Say what was compared, in one line."""
    limit = LATENCY_SECONDS[found.latency]
    amount = f"{quantity(found.volume)} {UNITS[found.unit]}"
    minutes = "" if found.unit == "minutes_month" else f" ({quantity(found.minutes_month)} minutes)"
    span = f"{limit:g} s" if limit < 60 else f"{limit / 60:g} min" if limit < 3600 else f"{limit / 3600:g} h"
    return f"{found.feature}: {amount}{minutes}, answers within {span}, prices of {found.day}"


def sentences(found: Comparison) -> list[str]:
    """Say which option wins, by how much, from which volume another would, and what would be cheaper but cannot do the job."""
    able = [one for one in found.options if one.feasible]
    said = [_winner(able), *_now(found, able)]
    said += _next_reaches(found, able)
    said += _cheaper_but(found, able)
    said += _not_sure(able)
    said += [
        f"A rented machine of `{one.rented}` is cheaper than `{one.serverless}` "
        + (f"above {percent(one.busy_share)} busy." if one.busy_share < 1 else "never: it costs more by the hour.")
        for one in found.duty_cycles
    ]
    return said


def _winner(able: Sequence[Offer]) -> str:
    if not able:
        return "None of the options can do the job as asked: see the reasons, or ask for less (latency, quality_floor)."
    best = able[0]
    text = f"Cheapest that can do the job: `{best.name}`, {money(best.usd_per_month)} USD a month"
    if len(able) < 2:
        return f"{text}. No other one can."
    other = able[1]
    usd, more = best.usd_per_month or 0.0, other.usd_per_month or 0.0
    if more <= usd * (1 + 1e-9):
        return f"{text}; `{other.name}` costs the same."
    times = f", {more / usd:.1f} times as much" if usd > 0 and more / usd >= _CLEAR else ""
    return f"{text}. Next is `{other.name}` at {money(more)}{times}."


def _now(found: Comparison, able: Sequence[Offer]) -> list[str]:
    """Say what the plan of the file costs beside the winner."""
    now = next((one for one in found.options if one.is_now), None)
    if now is None or now.usd_per_month is None or (able and able[0] == now):
        return []
    called = "" if now.name == AS_IT_IS else f" (`{now.name}`)"
    text = f"As it is now{called}: {money(now.usd_per_month)}"
    if able:
        change = now.usd_per_month - (able[0].usd_per_month or 0.0)
        text += f", {money(abs(change))} {'more' if change >= 0 else 'less'} than that"
    return [text + (", and it cannot do the job." if not now.feasible else ".")]


def _next_reaches(found: Comparison, able: Sequence[Offer]) -> list[str]:
    """Say from which volume another option is the cheapest."""
    if not able:
        return []
    now = next((at for at, one in enumerate(found.cheapest) if one.low <= found.volume <= one.high), 0)
    said = []
    if now + 1 < len(found.cheapest):
        later = found.cheapest[now + 1]
        if later.option:
            last = now + 2 == len(found.cheapest)
            low, high = volume(later.low, later.unit), volume(later.high, later.unit)
            span = f"{low} on" if last else f"{number(later.low)} to {high}"
            said.append(f"From {span}, `{later.option}` is cheaper.")
        else:
            said.append(f"From {volume(later.low, later.unit)} on, none can do the job: quotas end.")
    else:
        said.append(f"That holds up to {volume(found.high, found.unit)}, where the comparison ends.")
    if now > 0:
        before = found.cheapest[now - 1]
        said.append(
            f"Below {volume(before.high, before.unit)}, "
            + (f"`{before.option}` is cheaper." if before.option else "none can do the job.")
        )
    return said


def _cheaper_but(found: Comparison, able: Sequence[Offer]) -> list[str]:
    """Say what would be cheaper but cannot do the job."""
    limit = able[0].usd_per_month if able else None
    if limit is None:
        return []
    cheaper = [
        one for one in found.options if not one.feasible and one.usd_per_month is not None and one.usd_per_month < limit
    ]
    if not cheaper:
        return []
    listed = ", ".join(f"`{one.name}` {money(one.usd_per_month)}" for one in cheaper)
    return [f"Cheaper, but not able: {listed}."]


def _not_sure(able: Sequence[Offer]) -> list[str]:
    """Say how far the winner's price can be off, and on what it depends most."""
    if not able or not able[0].moves:
        return []
    top = able[0].moves[0]
    if abs(top.usd_high - top.usd_low) < 0.01 * max(able[0].usd_per_month or 0.0, 1e-12):
        return []
    return [
        f"Its price depends most on {top.fact} ({top.kind}): {money(top.usd_low)} at {top.low:g}, {money(top.usd_high)} at {top.high:g}."
    ]


def pairs(found: Iterable[BreakEven], near: float | None = None) -> list[Pair]:
    """Gather the crossings of each pair: between options that can do the job first, then the nearest to `near`, or the lowest."""
    grouped: dict[tuple[str, frozenset[str]], list[BreakEven]] = {}
    for one in found:
        grouped.setdefault((one.axis, frozenset((one.a, one.b))), []).append(one)
    rows = []
    for group in grouped.values():
        first, last = group[0], group[-1]
        single = len(group) == 1
        rows.append(
            Pair(
                below=first.a, above=last.b, other=first.b, first=first.at, last=last.at, unit=first.unit, count=len(group),
                usd_per_month=first.usd_per_month, low=first.at_low if single else None, high=first.at_high if single else None,
                busy_share=last.busy_share, feasible=first.feasible and last.feasible,
            )
        )  # fmt: skip
    return sorted(
        rows, key=lambda row: (not row.feasible, row.first if near is None else abs(math.log(row.first / near)))
    )


MACHINES = ("machines", "fps each", "busy", "USD a month", "of it idle", "for the peak", "spare", "sessions that wait")
"""Columns of `machine_rows`."""


def machine_rows(options: Iterable[Offer]) -> list[tuple[str, ...]]:
    """Write the machines of each option that are paid for: what of their price is idle time, the peak, spares, and who waits."""
    rows: list[tuple[str, ...]] = []
    for offer in options:
        for one in offer.machines:
            if not one.usd_month:
                continue
            waits = ""
            if one.cold_share > 0.0005 and one.cold_seconds:
                waits = f"{percent(one.cold_share)} wait {one.cold_seconds:.3g} s"
            elif one.full_share is not None:
                waits = f"{percent(one.full_share)} find it full" if one.full_share >= 0.00005 else "none"
            rows.append(
                (
                    f"{offer.name}: {quantity(one.machines)} {one.sku.split('/', 1)[-1]}",
                    f"{one.speed:.3g}",
                    percent(one.busy_share),
                    money(one.usd_month),
                    money(one.idle_usd_month),
                    money(one.peak_usd_month),
                    money(one.spare_usd_month),
                    waits,
                )
            )
    return rows


def record(found: Comparison, *, curves: bool = False) -> dict[str, Any]:
    """Return a comparison under its stable keys; the curves of the charts only if asked."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    if not curves:
        del plain["curves"]
    for offer in plain["options"]:
        offer["line_items"] = [
            {"sku": sku, "unit": unit, "quantity": amount, "amount_usd": usd}
            for sku, unit, amount, usd in offer["line_items"]
        ]
    first = ("options", "break_even")
    return {
        **{name: plain[name] for name in first},
        **{name: value for name, value in plain.items() if name not in first},
    }
