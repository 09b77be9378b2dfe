"""The parts of an audit's page about the footage: clips, what each lever throws away, facts, hold-out, stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.report.bars import stretch_bar
from reelwise.report.charts import CLIPS_DRAWN
from reelwise.report.numbers import as_words, clock, duration, factor, money, percent, quantity
from reelwise.report.page import Html, bullets, element, fold, join, section, table
from reelwise.stack import ratio

if TYPE_CHECKING:
    from reelwise.report.charts import Drawn
    from reelwise.run.result import AuditResult, ClipCount, LeverCount, Moment

__all__ = ["clips", "facts", "holdout", "losses", "stages"]

PICTURES_A_LEVER = 12
PICTURES_A_PAGE = 60


def clips(result: AuditResult, drawn: Drawn | None) -> Html:
    """Show each clip: what it is, when something happens in it, and which stretches are kept."""
    strips = drawn.strips if drawn else ()
    parts: list[object] = [
        element(
            "p",
            "Blue is the share of the picture that is active; shaded green are the stretches in which something happens."
            if drawn
            else "Green are the stretches in which something happens.",
            class_="soft",
        )
    ]
    for index, clip in enumerate(result.clips[:CLIPS_DRAWN]):
        parts += [element("h3", Path(clip.path).name), element("p", _clip(clip))]
        strip = strips[index] if index < len(strips) else None
        parts.append(_strip(clip, strip) if strip else stretch_bar(clip.stretches, clip.seconds))
        parts.append(bullets(clip.notes))
    rest = result.clips[CLIPS_DRAWN:]
    if rest:
        rows = [(Path(clip.path).name, _clip(clip)) for clip in rest]
        parts.append(fold(f"{len(rest):,} more clips", table(("clip", "what it is"), rows, label="more clips")))
    return section("footage", "The footage", *parts)


def _clip(clip: ClipCount) -> str:
    sound = f"{duration(clip.audio_seconds)} of sound" if clip.audio_seconds > 0 else "no sound"
    share = f" ({percent(clip.active_seconds / clip.seconds)})" if clip.seconds > 0 else ""
    happens = (
        f"Something happens in {duration(clip.active_seconds)} of it{share}, in {as_words(len(clip.stretches), 'stretch', 'stretches')}."
        if clip.stretches
        else "Nothing in it rises above its noise."
    )
    return (
        f"{duration(clip.seconds)}, {clip.frames:,} {'frame' if clip.frames == 1 else 'frames'}, {clip.width}x{clip.height} at {quantity(clip.fps)} frames a second, "
        f"{clip.codec}, {sound}. {happens} Reading and measuring it took {duration(clip.cpu_seconds)} of processor time."
    )


def _strip(clip: ClipCount, strip: tuple[Html, Html]) -> Html:
    label = f"Activity over the {duration(clip.seconds)} of {Path(clip.path).name}"
    wide, narrow = strip
    return element(
        "figure",
        element("div", wide, class_="wide", role="img", aria_label=label),
        element("div", narrow, class_="narrow", role="img", aria_label=label),
    )


def losses(result: AuditResult) -> Html:
    """Show for each lever alone what would no longer be sent, in counts, words and pictures."""
    if not result.levers:
        return section("losses", "What each lever throws away", element("p", "No lever changes what is sent."))
    order = [step.lever for step in result.stack.steps]
    pulled = sorted((one for one in result.levers if one.lever in order), key=lambda one: order.index(one.lever))
    others = [one for one in result.levers if one.lever not in order]
    columns = ("lever, alone", "USD for these clips", "factor", "frames sent", "seconds sent", "input tokens")
    rows = [_count_row(one) for one in (*pulled, *others)]
    intro = (
        "Counted on these clips, each lever with no other one: without it, then with it. "
        "The pictures are the largest changes that would no longer be sent; look whether one of them matters to you."
    )
    left = PICTURES_A_PAGE
    parts: list[object] = []
    for group, heading in ((pulled, ""), (others, "Levers that were not pulled")):
        written = []
        for one in group:
            shown = one.lost[: min(left, PICTURES_A_LEVER)]
            left -= len(shown)
            written.append(_loss(one, shown))
        if written:
            parts += [fold(f"{heading} ({len(written)})", *written)] if heading else written
    grid = table(columns, rows, label="what is sent without and with each lever", right=range(1, 6))
    return section("losses", "What each lever throws away", element("p", intro), grid, *parts)


def _count_row(one: LeverCount) -> tuple[object, ...]:
    return (
        join((one.title, element("small", one.lever))),
        _pair(money(one.usd_clips_without), money(one.usd_clips_with)),
        factor(ratio(one.usd_clips_without, one.usd_clips_with)),
        _pair(quantity(one.frames_without), quantity(one.frames_with)),
        _pair(quantity(one.seconds_without), quantity(one.seconds_with)),
        _pair(quantity(one.tokens_without), quantity(one.tokens_with)),
    )


def _pair(without: str, with_it: str) -> Html:
    """Stand two numbers one above the other; one alone where they are the same."""
    return join((without,)) if without == with_it else join((without, Html("<br>"), with_it))


def _loss(one: LeverCount, shown: tuple[Moment, ...]) -> Html:
    parts: list[object] = [element("h3", one.title), element("p", one.thrown_away)]
    if not one.counted:
        said = (
            "Its effect on the bill depends on what a model answers. No model was called here: that part comes from a fact, not from "
            "counting."
        )
        parts.append(element("p", said, class_="soft"))
    if one.even_pace_says:
        parts.append(element("p", one.even_pace_says))
    if one.coverage is not None:
        parts.append(element("p", f"{percent(one.coverage)} of the time in which something happens is still seen."))
    if shown:
        parts.append(element("div", *(_picture(moment) for moment in shown), class_="shots"))
    if len(shown) < len(one.lost):
        parts.append(element("p", f"{len(one.lost) - len(shown):,} more moments are in audit.json.", class_="soft"))
    return element("div", *parts)


def _picture(moment: Moment) -> Html:
    at = f"{moment.clip} at {clock(moment.seconds)}"
    image = Html(f'<img src="data:image/jpeg;base64,{join((moment.jpeg,))}" alt="{join((at,))}" loading="lazy">')
    return element("figure", image, element("figcaption", f"{at}, {percent(moment.change)} of the picture changed"))


def facts(result: AuditResult) -> Html:
    """List what was measured, with intervals."""
    if not result.facts:
        return section("facts", "Measured facts", element("p", "The plan needs no fact that footage could show."))
    rows = [
        (
            fact.name,
            quantity(fact.value),
            f"{quantity(fact.low)} to {quantity(fact.high)}",
            f"{fact.segments:,}",
            fact.on,
        )
        for fact in result.facts
    ]
    columns = ("fact", "value", "5th to 95th percentile", "segments", "measured on")
    says = (
        "The interval says how the segments of this footage differ. It knows nothing of other days, places or cameras."
    )
    return section(
        "facts",
        "Measured facts",
        table(columns, rows, label="measured facts", right=(1, 2, 3)),
        element("p", says, class_="soft"),
    )


def holdout(result: AuditResult) -> Html:
    """Show how well facts of one part predicted another."""
    if not result.holdout:
        said = "Too little footage to cut in two: the method was not tested on a part it has not seen."
        return section("holdout", "Hold-out test", element("p", said))
    rows = [
        (one.plan, one.measured_on, one.predicted, money(one.usd_predicted), money(one.usd_counted), _signed(one.error))
        for one in result.holdout
    ]
    columns = ("plan", "facts measured on", "month predicted for", "USD predicted", "USD counted", "error")
    says = (
        "The month is priced twice for each half of the footage: from facts measured on the other half, and from what is counted "
        "on that half itself. The error is predicted over counted, minus 1."
    )
    return section(
        "holdout", "Hold-out test", element("p", says), table(columns, rows, label="hold-out", right=(3, 4, 5))
    )


def _signed(error: float) -> str:
    return f"{'+' if error > 0 else ''}{percent(error)}"


def stages(result: AuditResult) -> Html:
    """Show what went into and came out of each stage of the final plan."""
    if not result.stages:
        return Html("")
    rows = [
        (one.stage, one.settings or "defaults", quantity(one.seconds_in), quantity(one.seconds_out), quantity(one.frames_in),
         quantity(one.frames_out), f"{one.cpu_seconds:.3f}")
        for one in result.stages
    ]  # fmt: skip
    columns = ("stage", "settings", "seconds in", "seconds out", "frames in", "frames out", "processor seconds")
    read = duration(sum(clip.cpu_seconds for clip in result.clips))
    says = (
        f"Over all clips. Reading and measuring them took {read} of processor time before that; what finding the stretches takes "
        "stands further up."
    )
    return section(
        "stages", "The final plan, stage by stage", table(columns, rows, label="stages", right=range(2, 7)),
        element("p", says, class_="soft"),
    )  # fmt: skip
