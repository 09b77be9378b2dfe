"""What a change does to the bill, as Markdown for a pull request and as plain values for JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.report.numbers import duration, money, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.difference import Cause, Difference, Part, Side

__all__ = ["markdown", "record"]

_ROWS = 12
"""Most rows of a table; the others are counted, and are all in the JSON."""
_UNITS = ("hour", "session", "user")


def record(found: Difference, gates: Sequence[str] = ()) -> dict[str, Any]:
    """Return a difference under its stable keys; `gates` are the reasons why it is above a gate."""
    sides = {"before": found.before, "after": found.after}

    def both(name: str) -> dict[str, Any]:
        return {side: msgspec.to_builtins(getattr(value, name)) for side, value in sides.items()}

    return {
        "before": found.before.total_usd,
        "after": found.after.total_usd,
        "change_usd": found.change_usd,
        "change_share": found.change_share,
        "above_gate": list(gates),
        "by_lever": [msgspec.to_builtins(cause) for cause in found.by_lever],
        "without_effect": [msgspec.to_builtins(cause) for cause in found.without_effect],
        "by_stage": [{"stage": p.name, "lane": p.lane, **_amounts(p)} for p in found.by_stage],
        "by_model": [{"model": p.name, **_amounts(p)} for p in found.by_model],
        "ahead": [msgspec.to_builtins(step) for step in found.ahead],
        "became_infeasible": found.became_infeasible,
        **{name: both(name) for name in _SIDE},
    }


def _amounts(part: Part) -> dict[str, float]:
    return {"before_usd": part.before_usd, "after_usd": part.after_usd, "change_usd": part.change_usd}


_SIDE = ("where", "feature", "per", "day", "evidence_share", "feasible", "why", "latency_ms", "plan_hash")


def markdown(found: Difference, gates: Sequence[str] = (), *, gated: bool = False) -> str:
    """Write a difference as Markdown: the headline first, then why, then where.

    Args:
        found: what changed.
        gates: reasons why it is above a gate.
        gated: whether there is a gate at all.
    """
    blocks = [
        _headline(found),
        *(f"> **STOP: {reason}.**" for reason in gates),
        *_feasibility(found),
        *_ahead(found),
        _totals(found),
        _why(found),
        _parts("Where", "stage", found.by_stage),
        _parts("Who bills it", "model or price", found.by_model),
        _notes(found, passed=gated and not gates),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


# Blocks


def _headline(found: Difference) -> str:
    feature = found.after.feature or found.before.feature or "nothing"
    if found.change_usd == 0:
        return f"## Cost of {_code(feature)}: no change, {money(found.after.total_usd)} USD a month"
    share = found.change_share
    tail = "from nothing" if share is None else _signed_percent(share)
    return f"## Cost of {_code(feature)}: {_signed(found.change_usd)} USD a month ({tail})"


def _feasibility(found: Difference) -> list[str]:
    if found.became_infeasible:
        return [f"> **NOT FEASIBLE ANY MORE: {_plain(reason)}.**" for reason in found.after.why]
    if not found.after.feasible:
        return [f"> **Still not feasible:** {_plain(reason)}." for reason in found.after.why]
    if not found.before.feasible:
        return [f"> Feasible now. Before it was not: {_plain('; '.join(found.before.why))}."]
    return []


def _ahead(found: Difference) -> list[str]:
    """Say what a price with a date will do to the bill that this change leads to."""
    return [
        f"> From {step.day} on it costs **{money(step.total_usd)} USD a month** ({_signed(step.change_usd)}): the price of "
        f"{', '.join(dict.fromkeys(_code(change.sku) for change in step.changes))} changes."
        for step in found.ahead[:3]
    ]


def _totals(found: Difference) -> str:
    old, new = found.before, found.after
    rows = [
        (
            "**USD a month**",
            f"**{money(old.total_usd)}**",
            f"**{money(new.total_usd)}**",
            f"**{_change(found.change_share)}**",
        )
    ]
    for unit in _UNITS:
        was, now = old.per.get(unit), new.per.get(unit)
        if was is not None or now is not None:
            change = now / was - 1 if was and now is not None else None
            label = "USD an hour of video" if unit == "hour" else f"USD a {unit}"
            rows.append((label, money(was), money(now), _change(change)))
    if _time(old) != _time(new) and old.plan_hash:
        rows.append(("time to an answer, about", _time(old), _time(new), ""))
    return _table("", ("", "before", "after", "change"), rows)


def _time(side: Side) -> str:
    return duration(side.latency_ms / 1000) if side.plan_hash else "-"


def _why(found: Difference) -> str:
    causes = sorted(found.by_lever, key=lambda cause: -abs(cause.change_usd))
    rows = [(_cause(cause), _changes(cause), _signed(cause.change_usd)) for cause in causes]
    text = _table("Why", ("cause", "what changed", "USD a month"), rows)
    if found.without_effect:
        said = "; ".join(_changes(cause) for cause in found.without_effect[:_ROWS])
        text += ("\n\n" if text else "") + f"No effect on the bill: {said}."
    return text


def _cause(cause: Cause) -> str:
    if cause.lever:
        return f"lever {_code(cause.lever)} {cause.direction}".rstrip()
    kind, colon, name = cause.name.partition(": ")
    return f"{kind}: {_code(name)}" if colon else _plain(cause.name)


def _changes(cause: Cause) -> str:
    return "; ".join(_code(text) for text in dict.fromkeys(cause.changes)) or _plain(cause.name)


def _parts(title: str, column: str, parts: Sequence[Part]) -> str:
    """Make a table of the parts that change; the others are counted below it."""
    rows = [
        (
            _code(f"{part.name} / {part.lane}" if part.lane else part.name),
            money(part.before_usd),
            money(part.after_usd),
            _signed(part.change_usd),
        )
        for part in parts
        if part.change_usd
    ]
    text = _table(title, (column, "before", "after", "change"), rows)
    same = [part for part in parts if not part.change_usd]
    if text and same:
        text += f"\n\nUnchanged: {len(same)} more, {money(sum(part.after_usd for part in same))} USD."
    return text


def _notes(found: Difference, *, passed: bool) -> str:
    old, new = found.before, found.after
    days = dict.fromkeys(day for day in (old.day, new.day) if day)
    notes = ["Within the gate."] if passed else []
    notes.append(f"Prices of {' and '.join(days)}." if days else "")
    if new.evidence_share:
        shares = ", ".join(f"{percent(share)} {name}" for name, share in new.evidence_share.items() if share >= 0.005)
        was = {name: share for name, share in old.evidence_share.items() if share >= 0.005}
        moved = any(abs(share - new.evidence_share.get(name, 0.0)) >= 0.005 for name, share in was.items())
        before = ", ".join(f"{percent(share)} {name}" for name, share in was.items())
        notes.append(
            f"The bill after rests on quantities that are {shares}" + (f" (before: {before})." if moved else ".")
        )
    if len(found.by_lever) > 1:
        notes.append(
            "Causes sum to the change; where two overlap, the later one in the plan gets what the earlier one left."
        )
    return " ".join(note for note in notes if note)


# Cells


def _signed(usd: float) -> str:
    return money(usd) if usd < 0 else f"+{money(usd)}"


def _signed_percent(share: float) -> str:
    if abs(share) >= 10:
        return f"{share + 1:,.0f} times as much"
    return ("" if share < 0 else "+") + percent(share)


def _change(share: float | None) -> str:
    return "new" if share is None else "0" if share == 0 else _signed_percent(share)


def _plain(text: str) -> str:
    """Make text safe in a cell: no table, tag, link or mention begins in it; what is marked as code stays so."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else re.sub(r"([\\`*_<>\[\]@#])", r"\\\1", part) for index, part in enumerate(parts)
    )


def _code(text: str) -> str:
    """Show text of a file as it is; a backtick would end the code."""
    return "`" + " ".join(text.split()).replace("`", "'") + "`"


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    numbers = {"before", "after", "change", "USD a month"}
    lines = [f"### {title}\n"] if title else []
    lines.append("| " + " | ".join(columns) + " |")
    lines.append("|" + "|".join("---:" if name in numbers else "---" for name in columns) + "|")
    lines.extend("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows[:_ROWS])
    if len(rows) > _ROWS:
        lines.append(f"\n... and {len(rows) - _ROWS} more.")
    return "\n".join(lines)
