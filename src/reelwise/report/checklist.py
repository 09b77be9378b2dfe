"""The one-page checklist: four questions, the levers to pull in order, the others and why not."""

from __future__ import annotations

import html as escaping
import math
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.case import Case
    from reelwise.levers import Lever
    from reelwise.stack import Stack, Step

__all__ = ["Answer", "Checklist", "Row", "from_case", "html", "markdown", "ordered", "record", "times"]

EFFORTS = ("minutes", "hours", "days", "weeks")

_FOLLOWS = (
    (
        "batch and spot are out; caching, routing and a fast serving stack are in",
        "what can wait may go to batch, flex or spot",
    ),
    ("caches of prompts and answers are among the biggest wins", "caches do almost nothing"),
    ("reserve the baseline", "reserve no more than the floor that always runs"),
    ("scale to zero, and spot capacity", "serverless pays only where machines stand idle"),
)
"""What the article draws from yes and no to each question."""

_LINK = (
    "Factors say how many times smaller the bill gets: with the lever alone, and in place behind those that `reelwise stack` "
    "pulls before it. Levers overlap, so factors alone do not simply multiply; those in place do."
)


class Answer(Struct, frozen=True, kw_only=True):
    """One of the four questions, the workload's answer, and what follows from it."""

    question: str
    answer: str
    follows: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """One lever on the list.

    Attributes:
        number: in the article, None beyond it.
        reason: why it applies (may be empty) or why not.
        effort: minutes, hours, days or weeks.
        factor_alone: bill before over bill after on the plan as it is; None where it is not priced.
        factor_in_place: the same behind the levers before it in the stack; None where it is not priced.
        ask: what to ask before pulling it, the most important first.
        risk: what can go wrong.
    """

    name: str
    number: int | None
    title: str
    applies: bool
    reason: str = ""
    effort: str = "days"
    factor_alone: float | None = None
    factor_in_place: float | None = None
    ask: tuple[str, ...] = ()
    risk: str = ""


class Checklist(Struct, frozen=True, kw_only=True):
    """All that is on the page.

    Attributes:
        feature, task: what the bill is for.
        day: whose prices hold, ISO.
        answers: the four questions.
        rows: every lever.
        naive_usd_month, final_usd_month: the bill as it is, and with all priced levers that apply; None: not priced.
        evidence: weakest evidence of the final bill.
        notes: what else the reader must know.
    """

    feature: str
    task: str = ""
    day: str = ""
    answers: tuple[Answer, ...] = ()
    rows: tuple[Row, ...] = ()
    naive_usd_month: float | None = None
    final_usd_month: float | None = None
    evidence: str = ""
    notes: tuple[str, ...] = ()


def ordered(rows: Iterable[Row]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Split rows into those to pull, in order, and the others.

    The cheapest effort first, within it the largest factor alone; levers without a price follow, in the article's order.
    """
    every = tuple(rows)

    def rank(row: Row) -> tuple[int, float, int, str]:
        effort = EFFORTS.index(row.effort) if row.effort in EFFORTS else len(EFFORTS)
        worth = -row.factor_alone if row.factor_alone is not None else math.inf
        return effort, worth, row.number or 99, row.name

    applying = sorted((row for row in every if row.applies), key=rank)
    others = sorted((row for row in every if not row.applies), key=lambda row: (row.number or 99, row.name))
    return tuple(applying), tuple(others)


def from_case(case: Case) -> Checklist:
    """Fill the checklist for a workload: priced levers through the stack, the others by their card.

    Levers named in the file keep their settings and come first where two exclude each other.

    Raises:
        ReelwiseError: the plan as it is cannot be priced.
    """
    from reelwise.levers import kinds
    from reelwise.stack import stack

    named = {lever.name: lever for lever in case.levers}
    found = stack(replace(case, levers=()))
    levers = {name: named.get(name) or kind() for name, kind in kinds().items()}
    if named:
        order = [step.lever for step in found.steps] + [one.lever for one in found.skipped]
        rest = [name for name in order if name not in named]
        found = stack(case, tuple(levers[name] for name in (*named, *rest)))
    steps = {step.lever: step for step in found.steps}
    against = {one.lever: one.reason for one in found.skipped}
    return Checklist(
        feature=case.workload.feature,
        task=case.workload.task,
        day=case.day.isoformat(),
        answers=tuple(_answers(found.questions)),
        rows=tuple(_row(case, lever, steps.get(lever.name), against) for lever in levers.values()),
        naive_usd_month=found.naive_usd_month,
        final_usd_month=found.final_usd_month,
        evidence=found.steps[-1].evidence if found.steps else "",
        notes=(*_beyond(named), *_notes(found)),
    )


def _beyond(named: Iterable[str]) -> Iterable[str]:
    """Say why the total is lower than the stack of the file's own levers."""
    names = ", ".join(named)
    if names:
        yield f"`reelwise stack` pulls only the levers that the file names ({names}); this page tries every other one behind them."


def _answers(questions: Iterable[tuple[str, str]]) -> Iterable[Answer]:
    for (question, answer), (yes, no) in zip(questions, _FOLLOWS, strict=True):
        yield Answer(question=question, answer=answer, follows=yes if answer.startswith("yes") else no)


def _row(case: Case, lever: Lever, step: Step | None, against: dict[str, str]) -> Row:
    card = lever.card
    verdict = lever.applies(case.workload, case.plan, case.facts, case.book)
    applies, reason = verdict.ok, verdict.reason
    if lever.is_priced:
        applies = step is not None
        reason = reason if applies and verdict.ok else "" if applies else against.get(lever.name, reason)
    return Row(
        name=lever.name,
        number=card.number,
        title=card.title,
        applies=applies,
        reason=reason,
        effort=card.effort,
        factor_alone=step.factor_alone if step else None,
        factor_in_place=step.factor if step else None,
        ask=card.ask,
        risk=card.risk,
    )


def _notes(found: Stack) -> tuple[str, ...]:
    notes = []
    if not found.naive_feasible:
        notes.append(f"The plan as it is cannot do the job: {'; '.join(found.naive_why)}.")
    if not found.feasible:
        notes.append(f"With these levers it still could not: {'; '.join(found.why)}.")
    return tuple(notes)


def record(page: Checklist) -> dict[str, Any]:
    """Return the page for JSON: its fields, with `rows` in the order they stand on the page, and `order` naming those to pull."""
    apply, others = ordered(page.rows)
    return {**msgspec.to_builtins(replace(page, rows=(*apply, *others))), "order": [row.name for row in apply]}


def times(factor: float | None) -> str:
    """Write a factor for people; empty where there is none."""
    if factor is None:
        return ""
    if math.isinf(factor):
        return "all of it"
    if factor < 2:
        return f"{factor:.2f}x"
    return f"{factor:.1f}x" if factor < 100 else f"{factor:,.0f}x"


def _usd(value: float) -> str:
    return f"${value:,.0f}" if value >= 100 else f"${value:,.2f}"


def _bill(page: Checklist) -> str:
    """Say in one sentence what the bill is and what it could be."""
    before, after = page.naive_usd_month, page.final_usd_month
    if before is None:
        return ""
    text = f"{_usd(before)} a month as it is"
    if after is not None and after < before:
        factor = times(before / after if after > 0 else math.inf)
        text += f"; {_usd(after)} with the priced levers below together ({factor})"
    weakest = f"; weakest evidence: {page.evidence}" if page.evidence else ""
    return f"{text}. Prices of {page.day}{weakest}." if page.day else f"{text}{weakest}."


def _label(row: Row) -> str:
    return f"{row.name}, lever {row.number}" if row.number is not None else f"{row.name}, beyond the 25"


def _worth(row: Row) -> list[str]:
    """Say what a lever is worth alone and in place, as far as it is priced."""
    pairs = ((row.factor_alone, "alone"), (row.factor_in_place, "in place"))
    return [f"{times(factor)} {where}" for factor, where in pairs if factor is not None]


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def markdown(page: Checklist) -> str:
    """Write the page as plain Markdown."""
    apply, others = ordered(page.rows)
    lines = [f"# Cost checklist: {_plain(page.feature)}", ""]
    lines += [_plain(text) + "\n" for text in (page.task, _bill(page), *page.notes) if text]
    lines += ["## Four questions", ""]
    lines += [f"- {_plain(a.question)} **{_plain(a.answer)}**: {_plain(a.follows)}" for a in page.answers]
    lines += ["", "## Pull these, in this order", ""]
    for index, row in enumerate(apply, start=1):
        worth = ", ".join(_worth(row)) or "not priced here"
        lines.append(f"{index}. [ ] **{_plain(row.title)}** ({_plain(_label(row))}): {worth}, {row.effort}")
        for name, text in (("Why", row.reason), ("Ask first", " ".join(row.ask)), ("Risk", row.risk)):
            if text:
                lines.append(f"   - {name}: {_plain(text)}")
    lines += [] if apply else ["None."]
    lines += ["", f"{_LINK}", "", "## Not here", ""]
    lines += [f"- {_plain(row.title)} ({_plain(_label(row))}): {_plain(row.reason)}" for row in others]
    return "\n".join(lines).rstrip() + "\n"


_STYLE = """
@page { size: A4; margin: 11mm 12mm }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { font: 15px/1.4 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; color: #16202a; background: #fff;
  max-width: 1080px; margin: 0 auto; padding: 24px 20px }
h1 { font-size: 1.6em; line-height: 1.2; margin: 0 0 .2em }
h2 { font-size: 1.1em; margin: 1.3em 0 .5em }
p { margin: .3em 0 }
.bill { font-weight: 600 }
.note { color: #8a2b06 }
code { font-size: .92em }
.soft, .why { color: #52606d }
.four { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin: 0; padding: 0; list-style: none }
.four li { border: 1px solid #cbd2d9; border-radius: 6px; padding: 8px 10px; break-inside: avoid }
.four b { display: block; font-size: 1.05em }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-size: .85em; color: #52606d; border-bottom: 2px solid #9aa5b1; padding: 4px 8px 4px 0 }
td { vertical-align: top; border-bottom: 1px solid #e4e7eb; padding: 6px 10px 6px 0; overflow-wrap: anywhere }
tr { break-inside: avoid }
.box { width: 2.6em; white-space: nowrap; color: #52606d }
.box i { display: inline-block; width: 1em; height: 1em; border: 1.5px solid #323f4b; border-radius: 2px; margin-right: .45em;
  vertical-align: -.12em }
.lever { width: 31% }
.name { font-size: .85em; color: #52606d }
.worth { white-space: nowrap; font-variant-numeric: tabular-nums }
.worth b { display: block }
.not { columns: 2; column-gap: 28px; margin: 0; padding: 0; list-style: none; font-size: .9em }
.not li { break-inside: avoid; padding: 2px 0 }
@media (max-width: 700px) {
  body { padding: 16px 14px; font-size: 16px }
  .four { grid-template-columns: 1fr }
  .not { columns: 1 }
  thead { display: none }
  table, tbody, td { display: block; width: auto }
  tr { display: grid; grid-template-columns: auto 1fr; border-bottom: 1px solid #cbd2d9; padding: 10px 0 }
  td { border: 0; padding: 0 10px 2px 0 }
  .box, .lever { width: auto }
  td.worth { grid-column: 2; white-space: normal }
  .worth b { display: inline; margin-right: .6em }
  .worth br { display: none }
  .worth .soft:last-child::before { content: "· " }
  td.ask, td.risk { grid-column: 1 / -1; padding-top: 4px }
  td.ask::before { content: "Ask first: "; font-weight: 600 }
  td.risk::before { content: "Risk: "; font-weight: 600 }
}
@media print {
  body { font-size: 8.4pt; line-height: 1.28; padding: 0; max-width: none }
  td { padding: 3px 8px 3px 0 }
  .four li { padding: 4px 7px }
  h2 { margin: .9em 0 .3em; break-after: avoid }
}
"""


def _text(value: str) -> str:
    """Escape text; words between backticks become code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escaping.escape(value))


def html(page: Checklist) -> str:
    """Write the page as one self-contained HTML file that prints on A4 and reads on a phone."""
    apply, others = ordered(page.rows)
    notes = "".join(f'<p class="note">{_text(note)}</p>\n' for note in page.notes)
    answers = "".join(
        f'<li>{_text(a.question)} <b>{_text(a.answer)}</b> <span class="soft">{_text(a.follows)}</span></li>\n'
        for a in page.answers
    )
    rows = "".join(_html_row(index, row) for index, row in enumerate(apply, start=1))
    left = "".join(f"<li><b>{_text(row.title)}</b>: {_text(row.reason)}</li>\n" for row in others)
    head = '<tr><th scope="col"></th><th scope="col">Lever</th><th scope="col">Worth, effort</th><th scope="col">Ask first</th><th scope="col">Risk</th></tr>'
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>" if apply else "<p>None.</p>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cost checklist: {_text(page.feature)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Cost checklist: {_text(page.feature)}</h1>
<p class="soft">{_text(page.task)}</p>
<p class="bill">{_text(_bill(page))}</p>
{notes}<h2>Four questions</h2>
<ul class="four">
{answers}</ul>
<h2>Pull these, in this order</h2>
{table}
<p class="soft">{_text(_LINK)}</p>
<h2>Not here</h2>
<ul class="not">
{left}</ul>
</body>
</html>
"""


def _html_row(index: int, row: Row) -> str:
    worth = "".join(f"<b>{_text(part)}</b>" for part in _worth(row)) or '<span class="soft">not priced</span><br>'
    why = f'<div class="why">{_text(row.reason)}</div>' if row.reason else ""
    return (
        f'<tr><td class="box"><i></i>{index}</td>'
        f'<td class="lever"><b>{_text(row.title)}</b> <span class="name">{_text(_label(row))}</span>{why}</td>'
        f'<td class="worth">{worth} <span class="soft">{_text(row.effort)}</span></td>'
        f'<td class="ask">{_text(" ".join(row.ask))}</td><td class="risk">{_text(row.risk)}</td></tr>\n'
    )
