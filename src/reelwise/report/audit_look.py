"""The part of an audit's page about the gate: how the active stretches are found, what each signal cost and saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.report.bars import stretch_bar
from reelwise.report.numbers import NOTHING, as_words, clock, duration, factor, money, no_less, percent, quantity
from reelwise.report.page import Html, bullets, element, fold, join, section, table
from reelwise.run.look import scan_total

if TYPE_CHECKING:
    from reelwise.run.result import AuditResult, LookCount, Looked, SignalCount

__all__ = ["look"]

_CLIPS_DRAWN = 12
_LOST_NAMED = 8

_DOES = {
    "packets": "sizes and kinds; decodes nothing",
    "sample": "a few key frames, to check packets",
    "keyframes": "key frames only",
    "luma": "pictures, without the loop filter",
    "full": "every picture: the reference",
}


def look(result: AuditResult) -> Html:
    """Show which signal finds the active stretches and why, what each cost, and what was lost against a full decode."""
    found = result.look
    verdict = element("p", element("strong", f"Method {found.method}"), f": {found.chosen}.")
    parts: list[object] = [verdict, element("p", _production(found)), _signals(found)]
    said = (
        "Saved: what a full decode would have taken for as many pictures, less what the signal took; pictures that nobody decoded "
        f"are credited to the signal that was believed. USD at the price of {found.sku}, for the month's footage. "
        "Below zero, a signal only cost: it was the price of knowing."
    )
    parts.append(element("p", said, class_="soft"))
    parts += [_clip(one, result) for one in found.clips[:_CLIPS_DRAWN]]
    rest = found.clips[_CLIPS_DRAWN:]
    if rest:
        rows = [(Path(one.path).name, one.method, _kept(one), _seen(one)) for one in rest]
        grid = table(("clip", "signal", "what is kept", "what is seen"), rows, label="more clips")
        parts.append(fold(f"{len(rest):,} more clips", grid))
    return section("look", "How the active stretches are found", *parts)


def _production(found: LookCount) -> str:
    if found.method == "full":
        return "Every picture is decoded to decide, here and in production."
    once = "This audit decoded every picture once, to have something to judge by; in production only the scan runs"
    if found.factor >= 1:
        return f"{once}: {factor(found.factor)} less processor time than a full decode."
    return f"{once}. On these clips it takes more processor time than a full decode."


def _signals(found: LookCount) -> Html:
    used = {one.signal: one for one in found.signals}
    names = dict.fromkeys([*_DOES, *used])
    rows = [_row(name, used.get(name)) for name in names if name != "full"]
    if found.method != "full":
        rows.append(_row("all of the scan", scan_total(found)))
    rows.append(_row("full", used.get("full")))
    columns = (
        "signal",
        "processor seconds",
        "an hour of video",
        "pictures decoded",
        "seconds saved",
        "USD saved a month",
    )
    return table(columns, rows, label="what each signal cost and saved", right=range(1, 6))


def _row(name: str, one: SignalCount | None) -> tuple[object, ...]:
    title = join(("full decode" if name == "full" else name, element("small", _DOES.get(name, ""))))
    if one is None:
        return (title, "not used", *[NOTHING] * 4)
    is_reference = name == "full"
    return (
        title,
        f"{one.cpu_seconds:,.2f}",
        f"{one.cpu_seconds_an_hour:,.1f}",
        f"{one.frames_decoded:,}",
        NOTHING if is_reference else f"{one.saved_cpu_seconds:,.2f}",
        NOTHING if is_reference else money(one.saved_usd_month),
    )


def _clip(one: Looked, result: AuditResult) -> Html:
    seconds = next((clip.seconds for clip in result.clips if clip.path == one.path), 0.0)
    parts: list[object] = [
        element("h3", Path(one.path).name),
        element("p", f"By {one.method}: {one.why}."),
        element("p", element("small", f"Activities by a full decode ({len(one.activities):,})")),
        stretch_bar(one.activities, seconds, "activities"),
        element("p", element("small", f"Kept by the gate ({percent(one.kept_share)})")),
        stretch_bar(one.kept, seconds),
        element("p", f"{_kept(one)} {_seen(one)}"),
    ]
    bound = _bound(one)
    if bound:
        parts.append(element("p", bound))
    if one.lost:
        named = ", ".join(f"{clock(a)} to {clock(b)}" for a, b in one.lost[:_LOST_NAMED])
        more = f" and {len(one.lost) - _LOST_NAMED:,} more" if len(one.lost) > _LOST_NAMED else ""
        parts.append(element("div", element("p", f"Lost: {named}{more}."), class_="note"))
    parts.append(bullets(one.notes))
    return element("div", *parts)


def _kept(one: Looked) -> str:
    return f"Keeps {percent(one.kept_share)} of the time, where a gate that decodes everything keeps {percent(one.reference_share)}."


def _seen(one: Looked) -> str:
    if not one.activities:
        return "A full decode found no activity that could be lost."
    count = len(one.activities) - one.faint
    seen = f"{count - len(one.lost):,} of {count:,} {'activity' if count == 1 else 'activities'} seen"
    share = one.active_kept_share
    rest = "" if share is None else f"; {no_less(share)} of their time is kept"
    change = one.change_kept_share
    if change is not None:
        rest += f", with {no_less(change)} of what changes in it"
        if share is not None and share < change - 0.005:
            rest += " (what is left out stands still)"
    faint = (
        f" {as_words(one.faint, 'more', 'more')} that only a full decode calls active {'holds' if one.faint == 1 else 'hold'} hardly any change."
        if one.faint
        else ""
    )
    return f"{seen}{rest}.{faint}"


def _bound(one: Looked) -> str:
    if one.bound_seconds is None or one.bound_share is None:
        return ""
    text = (
        f"The file's bound: key frames are up to {duration(one.bound_seconds)} apart, and no picture can be had without those "
        f"before it. From the key frame before each event to its end are {percent(one.bound_share)} of the "
        f"{quantity(one.frames)} pictures; {percent(one.frames_decoded_share)} were decoded."
    )
    if one.blind_seconds:
        text += f" What is over within {duration(one.blind_seconds)} and leaves nothing behind may be missing."
    return text
