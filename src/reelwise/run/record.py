"""An audit in the ledger: one row for each clip, as an estimate. Nobody paid it, so it counts in no budget and in no sum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reelwise.account import Account
from reelwise.errors import AlreadySettledError
from reelwise.ledger.events import LABEL_MAX, Event, Units, What, who_of
from reelwise.month import units_of
from reelwise.price import price_collected
from reelwise.run.measure import collect
from reelwise.run.result import ClipCost
from reelwise.units import nano_from_usd, total

if TYPE_CHECKING:
    from reelwise.case import Case
    from reelwise.flow import Out
    from reelwise.ledger.ledger import Ledger
    from reelwise.plan import Plan
    from reelwise.run.footage import Footage
    from reelwise.run.result import AuditResult

__all__ = ["clip_costs", "record"]


def clip_costs(case: Case, final: Plan, footage: Footage) -> tuple[ClipCost, ...]:
    """Price each clip's calls alone."""
    found = []
    for piece in footage.whole:
        usd, outs = [], []
        for plan in (case.plan, final):
            out, _, _ = collect(plan, [piece], case.facts, case.book)
            bill = price_collected([(case.workload, plan, out)], case.facts, case.book, Account(free_tiers=False))
            # machines and fees are paid for a whole month, whatever one clip asks of them
            usd.append(sum(float(total(line.usd)) for line in bill.lines if line.stage not in {"host", "fee"}))
            outs.append(out)
        model, units = _used(outs[1])
        found.append(
            ClipCost(
                path=piece.track.info.path,
                sha256_head=piece.track.info.sha256_head,
                model=model,
                plan=final.hash,
                usd_naive=usd[0],
                usd_final=usd[1],
                units={name: value for name, value in msgspec.structs.asdict(units).items() if value},
            )
        )
    return tuple(found)


def _used(out: Out) -> tuple[str, Units]:
    totals = dict.fromkeys(Units.__struct_fields__, 0)
    calls: dict[str, float] = {}
    for request in out.requests:
        count = float(request.count)
        calls[request.model] = calls.get(request.model, 0.0) + count
        one = units_of(msgspec.structs.replace(request, count=1))
        for name in totals:
            totals[name] += round(getattr(one, name) * count)
    model = max(calls, key=lambda name: calls[name], default="")
    return model[:LABEL_MAX], Units(**totals)


def record(result: AuditResult, ledger: Ledger) -> tuple[int, int]:
    """Write an audit's clips to the ledger; return how many are new, and how many were there.

    The same clips, plans and prices of the same day are the same rows.
    """
    new = old = 0
    for cost in result.costs:
        text = "/".join((cost.sha256_head, cost.plan, result.day, result.version, f"{cost.usd_naive!r}"))
        identity = f"audit/{hashlib.sha256(text.encode()).hexdigest()[:40]}"
        final, naive = nano_from_usd(cost.usd_final), nano_from_usd(cost.usd_naive)
        event = Event(
            id=identity,
            at_ms=ledger.clock.now_ms(),
            who=who_of(_label(result.feature), tags={"clip": _label(Path(cost.path).name)}),
            what=What(model=cost.model, plan=cost.plan[:LABEL_MAX], version=result.version, kind="estimate"),
            units=Units(**cost.units),
            cost_nano=max(0, final),
            avoided_nano=max(0, naive - final),
        )
        try:
            ledger.record(event)
            new += 1
        except AlreadySettledError:
            old += 1
    return new, old


def _label(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)[:LABEL_MAX]
