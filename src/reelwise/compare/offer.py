"""Price one option, and say whether it can do the job and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.compare.machines import machines_of
from reelwise.compare.result import Offer
from reelwise.compare.sorts import kind_of
from reelwise.errors import InputError, UnknownModelError, UnpricedError
from reelwise.evidence import ASSUMED, Fact
from reelwise.price import per_unit, price_one
from reelwise.sensitivity import band, tornado
from reelwise.stages import Sample
from reelwise.units import total

if TYPE_CHECKING:
    from reelwise.bill import Bill
    from reelwise.case import Case
    from reelwise.option import Option

__all__ = ["AS_IT_IS", "offer_of"]

AS_IT_IS = "as it is"
"""The name of the plan that the file has, among the options."""
_MOVES = 3


def offer_of(case: Case, name: str, option: Option | None = None, *, is_now: bool) -> tuple[Offer, Bill | None]:
    """Price an option.

    Args:
        case: the workload with the option as its plan (`case.with_option`).
        name: of the option.
        option: as written; None is the plan of the file.
        is_now: whether it is the plan of the file, which quality is relative to.

    Returns:
        The offer, and its bill; no bill where a price or a fact is missing: the offer says which.

    Raises:
        DocumentError, UnknownModelError: the option cannot be as it is written.
    """
    kind = (option.kind if option is not None else None) or kind_of(case.plan, case.book)
    try:
        bill = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    except UnknownModelError:
        raise
    except InputError as error:
        if not isinstance(error, UnpricedError) and not error.message.startswith("no fact is known"):
            raise
        missing = f"not priced: {error.message}" + (f"; {error.hint}" if error.hint else "")
        return Offer(
            name=name, kind=kind, why=(missing,), is_now=is_now, plan=case.plan, plan_hash=case.plan.hash
        ), None
    quality, why = _quality(case, name, option, is_now=is_now)
    usd = float(bill.total_usd)
    per = {unit: None if value is None else float(value) for unit, value in per_unit(case.workload, usd).items()}
    reasons = (*bill.why, *why)
    return Offer(
        name=name,
        kind=kind,
        is_now=is_now,
        usd_per_frame=per["frame"],
        usd_per_minute=per["minute"],
        usd_per_session=per["session"],
        usd_per_user=per["user"],
        usd_per_month=usd,
        feasible=not reasons,
        why=reasons,
        latency_ms=bill.latency_ms,
        quality=quality,
        band=band(case.workload, case.plan, case.facts, case.book, case.account),
        moves=tornado(case.workload, case.plan, case.facts, case.book, case.account)[:_MOVES],
        evidence_share=bill.share(),
        line_items=tuple(_lines(bill)),
        machines=tuple(machines_of(case, bill)),
        notes=tuple(_notes(case, bill, option)),
        plan=case.plan,
        plan_hash=case.plan.hash,
    ), bill


def _quality(case: Case, name: str, option: Option | None, *, is_now: bool) -> tuple[float | None, tuple[str, ...]]:
    """Return what is known of an option's quality, and what speaks against it under the workload's floor."""
    found = case.facts.find(f"quality.option.{name}", source_class=case.workload.footage)
    given = option.quality if option is not None else None
    if given is None and is_now:
        given = 1.0
    value = found[0].fact.value if found else given.value if isinstance(given, Fact) else given
    floor = case.workload.quality_floor
    if floor is None:
        return value, ()
    if value is None:
        return None, (f"nobody has measured its quality, and the floor is {floor:g}",)
    return value, () if value >= floor else (f"its quality is {value:g}, the floor is {floor:g}",)


def _lines(bill: Bill) -> list[tuple[str, str, float, float]]:
    sums: dict[tuple[str, str], list[float]] = {}
    for line in bill.lines:
        one = sums.setdefault((line.sku, line.unit), [0.0, 0.0])
        one[0] += float(total(line.quantity))
        one[1] += float(line.usd_month)
    rows = [(sku, unit, quantity, usd) for (sku, unit), (quantity, usd) in sums.items() if quantity or usd]
    return sorted(rows, key=lambda row: -row[3])


def _notes(case: Case, bill: Bill, option: Option | None) -> list[str]:
    """Say what a reader should know beside the price."""
    notes = [option.note] if option is not None and option.note else []
    source = case.workload.source.fps
    sampled = min((stage.fps for stage in case.plan.of(Sample)), default=source)
    if sampled < source:
        notes.append(f"{sampled:g} of the source's {source:g} frames a second")
    basis = bill.latency_basis
    if bill.feasible and basis & ASSUMED and case.workload.latency in {"realtime", "seconds"}:
        notes.append("its time to an answer is assumed: measure it")
    for fleet in bill.fleets:
        if fleet.host.scale == "device" and fleet.host.device is not None and fleet.host.device.owner == "user":
            notes.append("the devices and their power are your users'")
        if fleet.host.network and not case.facts.has(f"host.{fleet.host.name}.frames_per_second"):
            notes.append(f"the speed of {fleet.host.network} is as published: measure yours")
        if fleet.host.scale == "auto" and not float(fleet.cold_seconds):
            notes.append(
                f"how long {fleet.host.sku} takes to start is not known, and not billed: give cold_start_seconds"
            )
    return notes
