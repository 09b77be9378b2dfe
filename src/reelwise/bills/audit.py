"""An audit that starts from a current bill: where the money is, and which levers act there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.bills.mapping import NAMES, SMALL_SHARE, Group, map_levers
from reelwise.bills.reader import read_bill_format
from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reelwise.bills.line import BillLine
    from reelwise.rates import Book

__all__ = ["BillAudit", "Reach", "audit_bill", "bill_table"]


class Reach(Struct, frozen=True, kw_only=True):
    """How much of the bill one lever could act on.

    Attributes:
        lever, title, effort: the lever.
        usd: sum of the groups it applies to; share: of what is charged.
        groups: how many.
        usd_saved_listed: what list prices alone say it takes off them (batch, flex), or None.
    """

    lever: str
    title: str
    effort: str
    usd: float
    share: float
    groups: int
    usd_saved_listed: float | None


class BillAudit(Struct, frozen=True, kw_only=True):
    """What a bill says.

    Attributes:
        path: the file.
        format: which export it is.
        start, end: its first and last day, ISO, empty where it says none.
        lines: how many.
        total_usd: the sum, credits and taxes included.
        charged_usd: the sum of the groups above zero, which shares refer to.
        groups: what is billed alike, the largest first.
        levers: how much each could act on, the largest first; they overlap, so the sums must not be added.
        listed: the file holds usage without money, priced here at list prices.
        unpriced: models or units in it that have no list price; they are in no sum.
        notes: what to know about it.
    """

    path: str
    format: str
    start: str
    end: str
    lines: int
    total_usd: float
    charged_usd: float
    groups: tuple[Group, ...]
    levers: tuple[Reach, ...]
    listed: bool
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]


def audit_bill(path: Path, *, usd_per_unit: float | None = None, book: Book | None = None) -> BillAudit:
    """Read a bill and map the levers to it.

    Args:
        path: an export; see `read_bill`.
        usd_per_unit: what one unit of the bill's currency is in USD.
        book: prices to compare modes and models by; today's if not given.

    Raises:
        DocumentError: it cannot be read, or nothing in it has a price.
    """
    lines, form = read_bill_format(path, usd_per_unit=usd_per_unit)
    groups = map_levers(lines, book)
    if not groups:
        raise DocumentError(
            "no list price is known for anything in it",
            where=str(path),
            hint="export costs in place of usage, or name the models as `reelwise rates list --search` does",
        )
    charged = sum(max(group.usd, 0.0) for group in groups)
    days = sorted(day for line in lines for day in (line.start, line.end) if day)
    listed = any(line.is_listed for line in lines)
    return BillAudit(
        path=str(path),
        format=form,
        start=days[0] if days else "",
        end=days[-1] if days else "",
        lines=len(lines),
        total_usd=sum(group.usd for group in groups),
        charged_usd=charged,
        groups=groups,
        levers=_reaches(groups, charged),
        listed=listed,
        unpriced=_unpriced(lines),
        notes=_notes(groups, charged, days, listed=listed),
    )


def _reaches(groups: tuple[Group, ...], charged: float) -> tuple[Reach, ...]:
    found: dict[str, Reach] = {}
    for group in groups:
        for fit in group.fits:
            if not fit.applies:
                continue
            before = found.get(fit.lever)
            saved = None if fit.factor is None else group.usd * (1 - 1 / fit.factor)
            known = before.usd_saved_listed if before else None
            usd = group.usd + (before.usd if before else 0.0)
            found[fit.lever] = Reach(
                lever=fit.lever,
                title=fit.title,
                effort=fit.effort,
                usd=usd,
                share=usd / charged if charged > 0 else 0.0,
                groups=1 + (before.groups if before else 0),
                usd_saved_listed=saved if known is None else known + (saved or 0.0),
            )
    return tuple(sorted(found.values(), key=lambda reach: -reach.usd))


def _unpriced(lines: list[BillLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{line.model or line.sku}, {line.kind}" for line in lines if line.usd is None))


def _notes(groups: tuple[Group, ...], charged: float, days: list[str], *, listed: bool) -> tuple[str, ...]:
    notes = []
    if listed:
        notes.append("usage without money: amounts are list prices of each day, below any long-context threshold")
    if days:
        span = (dt.date.fromisoformat(days[-1]) - dt.date.fromisoformat(days[0])).days + 1
        if not 27 <= span <= 32:
            notes.append(f"it covers {span} {'day' if span == 1 else 'days'}, not a month")
    other = sum(group.usd for group in groups if group.kind == "other" and group.usd > 0)
    if charged and other / charged >= SMALL_SHARE:
        notes.append(f"{other / charged:.0%} is billed for something no rule knows, taxes or fees: no lever acts on it")
    small = [group for group in groups if not group.credit and group.usd > 0]
    if small:
        what = "1 part is" if len(small) == 1 else f"{len(small)} parts are each"
        notes.append(f"{what} under {SMALL_SHARE:.0%} of the bill: no credit for any lever")
    return tuple(notes)


_MOST_ROWS = 25


def bill_table(found: BillAudit) -> str:
    """Write an audited bill as text for people: parts by size, then levers by what they could act on."""
    span = f", {found.start} to {found.end}" if found.start else ""
    kind = "list prices" if found.listed else "as billed"
    head = f"{found.path}: {found.format}{span}; {found.lines:,} lines, {found.total_usd:,.2f} USD ({kind})"
    parts = [("part", "billed as", "mode", "USD", "share", "levers, those of least effort first")]
    for group in found.groups[:_MOST_ROWS]:
        names = _by_effort(group)
        said = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        why = "none" if group.credit or group.usd < 0 else "no credit: too small"
        parts.append(
            (_short(group.model or group.sku), NAMES[group.kind], group.mode, f"{group.usd:,.2f}", f"{group.share:.1%}",
             said or why)
        )  # fmt: skip
    reaches = [("lever", "could act on USD", "share", "list prices save USD", "effort")]
    reaches += [
        (one.lever, f"{one.usd:,.2f}", f"{one.share:.0%}",
         "-" if one.usd_saved_listed is None else f"{one.usd_saved_listed:,.2f}", one.effort)
        for one in found.levers
    ]  # fmt: skip
    text = [head, "", _columns(parts, right={3, 4})]
    if len(found.groups) > _MOST_ROWS:
        text.append(f"and {len(found.groups) - _MOST_ROWS} smaller parts (--json lists them)")
    text += ["", _columns(reaches, right={1, 2, 3})]
    text.append("Levers overlap: do not add them up. `reelwise stack` prices them together on a workload.")
    text += [f"note: {one}" for one in found.notes]
    text += [f"no list price: {one}" for one in found.unpriced]
    return "\n".join(text)


_EFFORT = {"minutes": 0, "hours": 1, "days": 2, "weeks": 3}


def _by_effort(group: Group) -> list[str]:
    fits = [fit for fit in group.fits if fit.applies and fit.lever != "budgets"]
    return [fit.lever for fit in sorted(fits, key=lambda fit: (fit.factor is None, _EFFORT[fit.effort]))]


def _short(text: str) -> str:
    return text if len(text) <= 44 else f"{text[:43]}…"


def _columns(rows: Sequence[tuple[str, ...]], *, right: set[int]) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
