"""A run held against the invoice, call by call, to the nano-dollar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reelwise.run.outcome import Outcome

__all__ = ["Reconciled", "reconcile"]

_SHOWN = 20
_CACHE = re.compile(r"cachedContents/[A-Za-z0-9-]+")


class Reconciled(Struct, frozen=True, kw_only=True):
    """An invoice and a run.

    Attributes:
        invoice_nano: all that is on the invoice.
        posted_nano: what the run posted for calls whose cost it knows.
        residual_nano: what the invoice holds for those calls, and for calls that the run knows nothing of, less what was posted. 0 where
            every price and every count agrees.
        ambiguous_calls: calls whose cost the run cannot know.
        ambiguous_held_nano: what was posted for them: all that was held.
        ambiguous_invoiced_nano: what the invoice holds for them.
        differences: (call, posted, invoiced) of the first twenty that differ.
        earlier_calls: calls that an earlier part of the run made, which an invoice of that time has; `earlier_nano` was posted for them.
    """

    invoice_nano: int
    posted_nano: int
    residual_nano: int
    ambiguous_calls: int
    ambiguous_held_nano: int
    ambiguous_invoiced_nano: int
    differences: tuple[tuple[str, int, int], ...] = ()
    earlier_calls: int = 0
    earlier_nano: int = 0


def reconcile(
    outcomes: Iterable[Outcome],
    rows: Iterable[Any],
    extra: dict[str, int] | None = None,
    *,
    earlier: Collection[str] = (),
) -> Reconciled:
    """Hold a run against an invoice.

    Args:
        outcomes: of the run's calls.
        rows: of the invoice: each with `identity` (the caller's id of the call), `id` and `nano`.
        extra: what else was posted, in nano-USD by id: caches and their storage.
        earlier: ids of calls of an earlier part of the run, which this invoice does not have.
    """
    invoiced: dict[str, int] = {}
    for row in rows:
        cache = _CACHE.match(row.id) if row.kind in {"cache", "storage"} else None
        name = cache[0] if cache is not None else row.identity or row.id
        invoiced[name] = invoiced.get(name, 0) + row.nano
    total = sum(invoiced.values())
    posted = residual = held = unsure = calls = 0
    differences: list[tuple[str, int, int]] = []
    every = [one for one in outcomes if not one.hosted]  # no invoice has what your own machines do
    vendors = [one for one in every if one.identity not in earlier]
    before = [one for one in every if one.identity in earlier and one.status not in {"cached", "failed"}]
    known = {one.sent_as or one.identity: one.cost_nano for one in vendors if one.known and one.status != "cached"}
    for one in vendors:
        if one.status == "ambiguous" or one.unpriced:
            calls += 1
            held += one.cost_nano
            unsure += invoiced.pop(one.sent_as or one.identity, 0)
    for name, nano in (*known.items(), *(extra or {}).items()):
        there = invoiced.pop(name, 0)
        posted += nano
        residual += there - nano
        if there != nano:
            differences.append((name, nano, there))
    for name, nano in invoiced.items():
        residual += nano
        if nano:
            differences.append((name, 0, nano))
    return Reconciled(
        invoice_nano=total, posted_nano=posted, residual_nano=residual, ambiguous_calls=calls, ambiguous_held_nano=held,
        ambiguous_invoiced_nano=unsure, differences=tuple(differences[:_SHOWN]),
        earlier_calls=len(before), earlier_nano=sum(one.cost_nano for one in before),
    )  # fmt: skip
