"""The page of an audit: the verdict, the waterfall, what it rests on. `audit_footage` writes the parts about the clips."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.report import audit_footage, audit_look
from reelwise.report.bars import waterfall_bars
from reelwise.report.numbers import NOTHING, as_words, duration, factor, money, percent
from reelwise.report.page import Html, bullets, element, fold, join, link, page, section, table
from reelwise.report.waterfall import waterfall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.report.charts import Drawn
    from reelwise.run.result import AuditResult
    from reelwise.stack import Step

__all__ = ["audit_page", "trust", "verdict"]

_LINES_OPEN = 12


def verdict(result: AuditResult) -> str:
    """Say in one line what the month costs before and after."""
    stack = result.stack
    before = f"{money(stack.naive_usd_month)} USD a month as it is"
    if not stack.steps:
        return f"{before}; no lever here cuts this bill"
    after = f"{before}; {money(stack.final_usd_month)} with {as_words(len(stack.steps), 'lever')}"
    return f"{after}: {factor(stack.factor)} less" if math.isfinite(stack.factor) else f"{after}: nothing left to pay"


def trust(result: AuditResult) -> str:
    """Say in plain sentences what the verdict rests on."""
    seconds = sum(clip.seconds for clip in result.clips)
    segments = max((fact.segments for fact in result.facts), default=0)
    cut = f", cut into {as_words(segments, 'segment')}" if segments else ""
    said = [f"It rests on {duration(seconds)} of footage in {as_words(len(result.clips), 'clip')}{cut}."]
    if result.holdout_error is None:
        said.append("That is too little to test the method on a part it has not seen: take it as a first estimate.")
    else:
        worst = max(result.holdout, key=lambda one: abs(one.error), default=None)
        which = f" ({worst.plan})" if worst else ""
        said.append(
            "As a test, facts measured on one half of the footage predicted the bill of the other half: "
            f"the largest error is {percent(result.holdout_error)}{which}."
        )
    unknown = sum(1 for step in result.stack.steps if step.quality is None)
    if unknown:
        said.append(f"What the answers lose in quality is not measured for {as_words(unknown, 'lever')}.")
    return " ".join(said)


def audit_page(result: AuditResult, drawn: Drawn | None) -> str:
    """Write the whole page.

    Args:
        result: what the audit found.
        drawn: its charts, or None where the extra `report` is not installed; then bars of plain HTML stand in.

    Returns:
        One HTML document that needs nothing beside it.
    """
    charts_missing = element(
        "p",
        "Charts are drawn as plain bars here. For the full charts and waterfall.png: ",
        element("code", "pip install 'reelwise[report]'"),
        class_="soft",
    )
    return page(
        f"Audit of {result.feature}: {verdict(result)}",
        _head(result),
        _waterfall(result, drawn),
        Html("") if drawn else charts_missing,
        _steps(result),
        _per(result),
        _skipped(result),
        audit_footage.clips(result, drawn),
        audit_look.look(result),
        audit_footage.losses(result),
        audit_footage.facts(result),
        audit_footage.holdout(result),
        _lines(result),
        _prices(result),
        audit_footage.stages(result),
        _warnings(result),
        _again(result),
        foot=f"Reelwise {result.version}. Prices of {result.day}, in USD, before tax. "
        "The same figures are in audit.json beside this page.",
    )


def _head(result: AuditResult) -> Html:
    stack = result.stack
    parts = [
        element("p", f"What {result.feature} costs, and what each way of cutting the bill is worth", class_="over"),
        element("h1", verdict(result)),
        element("p", _band(result), class_="lead"),
        element("p", trust(result)),
    ]
    if not stack.feasible:
        parts.append(_note("The plan with the levers could not do the job:", stack.why))
    elif not stack.naive_feasible:
        parts.append(_note("The plan as it is could not do the job:", stack.naive_why))
    if result.assumed:
        parts.append(
            _note("No workload was given. This was assumed, and the month's bill follows from it:", result.assumed)
        )
    if result.warnings:
        count = as_words(len(result.warnings), "warning")
        pointer = element(
            "a", f"Read the {count} below" if len(result.warnings) > 1 else "Read the warning below", href="#warnings"
        )
        parts.append(element("p", pointer, " before you quote a figure."))
    shares = [f"{percent(share)} {kind}" for kind, share in result.evidence.items() if share > 0]
    rows = [
        ("Task", result.task or NOTHING),
        ("The month", result.demand),
        ("Prices of", result.day),
        ("What the final bill rests on", ", ".join(shares) or NOTHING),
    ]
    parts.append(element("dl", *(join((element("dt", name), element("dd", value))) for name, value in rows)))
    return element("header", *parts)


def _band(result: AuditResult) -> str:
    after = _range(result.band_final, "with the levers") if result.stack.steps else ""
    ranges = " and ".join(said for said in (after, _range(result.band_naive, "as it is")) if said)
    if not ranges:
        return "None of the numbers that went in has a known spread, so no range can be given."
    return f"With every uncertain number drawn at random, 8 of 10 months cost {ranges}."


def _range(band: tuple[float, float, float], name: str) -> str:
    """Write a band in words, or nothing where it has no width."""
    low, middle, high = band
    if not high - low > 1e-9 * abs(high):
        return ""
    return f"{money(low)} to {money(high)} USD {name} (the middle one {money(middle)})"


def _note(sentence: str, points: Sequence[str]) -> Html:
    return element("div", element("p", sentence), bullets(points), class_="note")


def _waterfall(result: AuditResult, drawn: Drawn | None) -> Html:
    found = waterfall(result)
    if drawn is None:
        return section("waterfall", "Lever by lever", waterfall_bars(found))
    said = [
        "Each blue bar runs from the bill before a lever to the bill after it; beside it, the bill after it and the factor."
    ]
    if found.is_log:
        said.append("The axis is logarithmic: bars of the same length are the same factor.")
    if any(bar.p10 is not None for bar in found.bars):
        said.append("Thin lines reach from the 10th to the 90th percentile.")
    label = f"Waterfall: {verdict(result)}. The table below has the same figures."
    figure = element(
        "figure",
        element("div", drawn.waterfall_wide, class_="wide", role="img", aria_label=label),
        element("div", drawn.waterfall_narrow, class_="narrow", role="img", aria_label=label),
        element("figcaption", " ".join(said)),
    )
    return section("waterfall", "Lever by lever", figure)


def _steps(result: AuditResult) -> Html:
    stack = result.stack
    if not stack.steps:
        return element("p", "No lever was pulled; ", element("a", "what was left out", href="#skipped"), " says why.")
    columns = ("lever", "USD a month after it", "factor in place", "factor alone", "share of the bill it touches",
               "overlap", "quality kept", "effort", "evidence")  # fmt: skip
    first = ("as it is", money(stack.naive_usd_month), *[""] * 7)
    rows = [first, *(_step_row(step) for step in stack.steps)]
    says = (
        "Factor in place: the bill before over the bill after, in this order. Factor alone: the same, with no other lever pulled. "
        "Overlap: how much of a lever's effect others had before it, on the share it touches; 0% is none. "
        "Evidence: the weakest that the bill after it rests on."
    )
    return join((table(columns, rows, label="levers in place", right=range(1, 7)), element("p", says, class_="soft")))


def _step_row(step: Step) -> tuple[object, ...]:
    settings = ", ".join(f"{name} {_setting(value)}" for name, value in step.settings.items() if value is not None)
    name = join((step.title, element("small", f"{step.lever}: {settings}" if settings else step.lever)))
    quality = "not measured" if step.quality is None else percent(step.quality)
    return (
        name,
        money(step.total_usd_month),
        factor(step.factor),
        factor(step.factor_alone),
        percent(step.touched_share),
        percent(step.overlap),
        quality,
        step.effort,
        step.evidence,
    )


def _setting(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value


def _per(result: AuditResult) -> Html:
    rows = [(unit, money(before), money(after), _times(before, after)) for unit, (before, after) in result.per.items()]
    if not rows:
        return Html("")
    return section(
        "per",
        "What one costs",
        table(("one", "USD as it is", "USD with the levers", "factor"), rows, label="unit costs", right=(1, 2, 3)),
    )


def _times(before: float | None, after: float | None) -> str:
    if before is None or after is None or before <= 0:
        return NOTHING
    return factor(before / after if after > 0 else math.inf)


def _skipped(result: AuditResult) -> Html:
    asked = element(
        "dl", *(join((element("dt", ask), element("dd", answer))) for ask, answer in result.stack.questions)
    )
    rows = [(join((one.title, element("small", one.lever))), one.reason) for one in result.stack.skipped]
    parts: list[object] = []
    if result.stack.questions:
        parts += [element("h3", "Four questions, answered from the workload"), asked]
    if rows:
        parts += [
            element("h3", "Levers that were not pulled"),
            table(("lever", "why not"), rows, label="levers not pulled"),
        ]
    return section("skipped", "What was left out, and why", *(parts or [element("p", "Every lever was pulled.")]))


def _lines(result: AuditResult) -> Html:
    parts: list[object] = []
    for heading, lines in (("As it is", result.explained_naive), ("With the levers", result.explained)):
        shown = bullets(lines) or element("p", "No line: nothing is billed.")
        is_long = len(lines) > _LINES_OPEN
        parts += [fold(f"{heading}: {len(lines):,} lines", shown)] if is_long else [element("h3", heading), shown]
    return section("bill", "How the bill comes about", *parts)


def _prices(result: AuditResult) -> Html:
    rows = [(sku, unit, _price(usd), link(source), day) for sku, unit, usd, source, day in result.sources]
    columns = ("what is billed", "unit", "USD a unit", "source", "checked on")
    if not rows:
        return section("prices", "Prices and where they come from", element("p", "No price was used."))
    return section("prices", "Prices and where they come from", table(columns, rows, label="prices", right=(2,)))


def _price(usd: float) -> str:
    """Write a unit price with all its digits: 1.25e-06 a token is 0.00000125."""
    text = f"{usd:.12f}".rstrip("0")
    return money(usd) if usd >= 1 or usd <= 0 or not text.strip("0.") else text


def _warnings(result: AuditResult) -> Html:
    if not result.warnings:
        return section("warnings", "Warnings", element("p", "None."))
    return section("warnings", "Warnings", element("div", bullets(result.warnings), class_="note"))


def _again(result: AuditResult) -> Html:
    command = result.again
    took = (
        f"This audit ran Reelwise {result.version} on {result.machine}: {duration(result.seconds_wall)}, of which the processor "
        f"worked {duration(result.cpu_seconds)}. Counts are the same on every machine; times are not."
    )
    heads = bullets(f"{clip.path}: SHA-256 of its head {clip.sha256_head}" for clip in result.clips[:100])
    advice = (
        "With your own footage, volumes and private prices in a workload file, the same command prices your feature."
    )
    return section(
        "again",
        "Run it again",
        element("pre", command),
        element("p", took),
        element("p", advice if result.assumed else ""),
        fold("The files it read", heads),
    )
