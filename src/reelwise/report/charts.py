"""Charts by Altair, drawn to SVG for the page and to PNG for slides by vl-convert, with no browser and no network.

Altair and vl-convert come with the extra `report` and are imported only when a chart is drawn.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.report.drawing import IN_FILE, IN_PAGE, altair, check_drawing, png, svg
from reelwise.report.numbers import factor, money_short
from reelwise.report.page import Html
from reelwise.report.waterfall import waterfall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelwise.report.waterfall import Bar, Waterfall
    from reelwise.run.result import AuditResult, ClipCount

__all__ = ["CLIPS_DRAWN", "Drawn", "draw"]

CLIPS_DRAWN = 24
"""So many clips get an activity strip; a page of hundreds of charts is read by nobody."""

_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class Drawn(Struct, frozen=True, kw_only=True):
    """The charts of an audit.

    Attributes:
        waterfall_wide, waterfall_narrow: SVG for a desktop and for a telephone.
        strips: for the first clips, (wide, narrow) SVG; None where nothing was measured.
        png: the waterfall for slides, at twice the size.
    """

    waterfall_wide: Html
    waterfall_narrow: Html
    strips: tuple[tuple[Html, Html] | None, ...]
    png: bytes


def draw(result: AuditResult) -> Drawn:
    """Draw every chart of an audit.

    Raises:
        MissingExtraError: Altair or vl-convert is not installed.
    """
    check_drawing()
    found = waterfall(result)
    bars = [_row(bar, found.bottom) for bar in found.bars]
    poster = _waterfall(found, narrow=False, colours=IN_FILE).properties(title=_heading(result))
    return Drawn(
        waterfall_wide=svg(_waterfall(found, narrow=False, colours=IN_PAGE), bars=bars),
        waterfall_narrow=svg(_waterfall(found, narrow=True, colours=IN_PAGE), bars=bars),
        strips=tuple(_strips(clip) for clip in result.clips[:CLIPS_DRAWN]),
        png=png(poster, bars=bars),
    )


# --- the waterfall


def _heading(result: AuditResult) -> dict[str, Any]:
    stack = result.stack
    said = f"{money_short(stack.naive_usd_month)} to {money_short(stack.final_usd_month)} USD a month"
    times = f", {factor(stack.factor)} less" if math.isfinite(stack.factor) and stack.steps else ""
    return {
        "text": f"{result.feature}: {said}{times}",
        "subtitle": f"reelwise {result.version}, prices of {result.day}; thin lines: 10th to 90th percentile",
        "limit": 880,
    }


def _waterfall(found: Waterfall, *, narrow: bool, colours: Mapping[str, str]) -> Any:
    alt = altair()
    width, step, size = (330, 62, 14) if narrow else (410, 40, 20)
    base = alt.Chart(alt.NamedData("bars"))
    label = "datum.value >= 1e6 ? format(datum.value, '.3~s') : datum.value >= 1 ? format(datum.value, ',.0f') : format(datum.value, '.2~g')"
    axis = alt.Axis(
        title=f"USD a month{', logarithmic' if found.is_log else ''}", labelExpr=label, grid=not narrow, values=list(found.marks) or alt.Undefined,
        tickCount=4 if narrow else 6, labelFlush=True, labelOverlap=True,
    )  # fmt: skip
    scale = alt.Scale(
        type="log" if found.is_log else "linear", domain=[found.bottom, found.top], nice=False, zero=False
    )
    x = alt.X("low:Q", scale=scale, axis=axis)
    y = alt.Y("n:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(
        domain=["naive", "cut", "final"], range=[colours["naive"], colours["cut"], colours["final"]]))  # fmt: skip
    ends = {"yOffset": 14 if narrow else 0}
    steps = base.transform_filter("datum.kind == 'cut'").mark_bar(size=size, minBandSize=2, **ends)
    layers = [steps.encode(x=x, x2="high:Q", y=y, color=colour)]
    sums = base.transform_filter("datum.kind != 'cut'")
    bands = base.transform_filter("isValid(datum.p10)").mark_rule(color=colours["ink"], strokeWidth=2, **ends)
    band = bands.encode(x=alt.X("p10:Q", scale=scale, axis=axis), x2="p90:Q", y=y)
    if found.is_log:
        # a bar from nought has no length on a logarithmic axis: a sum is a point there
        points = sums.mark_point(size=110, filled=True, opacity=1, **ends)
        layers += [band, points.encode(x=alt.X("high:Q", scale=scale, axis=axis), y=y, color=colour)]
    else:
        layers += [sums.mark_bar(size=size, **ends).encode(x=x, x2="high:Q", y=y, color=colour), band]
    layers.extend(_labels(base, y, width, narrow=narrow, colours=colours))
    return alt.layer(*layers).properties(width=width, height=alt.Step(step))


def _row(bar: Bar, bottom: float) -> dict[str, Any]:
    """Write a bar as data; amounts below the axis of a logarithmic chart are put on its edge."""
    row = {name: value for name, value in msgspec.structs.asdict(bar).items() if value is not None}
    row["lines"] = textwrap.wrap(bar.name, 34, max_lines=2, placeholder=" ...") or [""]
    return row | {name: max(row[name], bottom) for name in ("low", "p10") if name in row}


def _labels(base: Any, y: Any, width: int, *, narrow: bool, colours: Mapping[str, str]) -> list[Any]:
    """Write name, money and factor beside each bar, or above it where there is no room beside."""
    alt = altair()

    def words(place: float, field: str, *, of: Any = base, **how: Any) -> Any:
        return of.mark_text(baseline="middle", **how).encode(x=alt.value(place), y=y, text=f"{field}:N")

    ink, soft = colours["ink"], colours["soft"]
    if narrow:
        return [
            words(0, "name", align="left", dy=-20, limit=width, fontSize=12, color=ink),
            words(width - 64, "money", align="right", dy=-4, limit=200, fontSize=12, color=ink),
            words(width, "factor", align="right", dy=-4, limit=60, fontSize=12, color=soft),
        ]
    name: dict[str, Any] = {"align": "right", "limit": 250, "fontSize": 13, "lineHeight": 16, "color": ink}
    return [
        words(-14, "lines", of=base.transform_filter("length(datum.lines) == 1"), **name),
        words(-14, "lines", of=base.transform_filter("length(datum.lines) == 2"), dy=-8, **name),
        words(width + 122, "money", align="right", limit=118, fontSize=13, color=ink),
        words(width + 190, "factor", align="right", limit=62, fontSize=13, color=soft),
    ]


# --- activity of a clip


def _strips(clip: ClipCount) -> tuple[Html, Html] | None:
    points = [
        {"s": round(second, 3), "share": float(f"{share:.4g}")}
        for second, share in clip.activity
        if math.isfinite(share)
    ]
    if not points or clip.seconds <= 0:
        return None
    end = max(clip.seconds, points[-1]["s"])
    top = max(1e-3, *(point["share"] for point in points))
    kept = [{"s": start, "stop": stop} for start, stop in _merged(clip, end)]
    wide = svg(_strip(end, top, width=850, height=90), activity=points, kept=kept)
    return wide, svg(_strip(end, top, width=296, height=80), activity=points, kept=kept)


def _strip(end: float, top: float, *, width: int, height: int) -> Any:
    alt = altair()
    marks = _time_marks(end, most=width // 70)
    label = "floor(datum.value / 3600) > 0 ? floor(datum.value / 3600) + ':' + format(floor(datum.value / 60) % 60, '02') + ':' + format(datum.value % 60, '02') : floor(datum.value / 60) + ':' + format(datum.value % 60, '02')"
    x = alt.X("s:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=alt.Axis(
        title=None, values=marks, labelExpr=label, grid=False, labelFlush=True))  # fmt: skip
    y_scale = alt.Scale(domain=[0, 1.15 * top], nice=False)  # so that what is shaded stands out above the peaks
    y = alt.Y("share:Q", scale=y_scale, axis=alt.Axis(
        title=None, values=[0, top], format=".0%" if top >= 0.1 else ".1~%" if top >= 0.01 else ".2~%", minExtent=34, maxExtent=34))  # fmt: skip
    area = alt.Chart(alt.NamedData("activity")).mark_area(color=IN_PAGE["cut"], line=False).encode(x=x, y=y)
    shade = alt.Chart(alt.NamedData("kept")).mark_rect(color=IN_PAGE["kept"]).encode(x=x, x2="stop:Q")
    return alt.layer(shade, area).properties(width=width, height=height)


def _merged(clip: ClipCount, end: float) -> list[tuple[float, float]]:
    """Join stretches that are nearer than a pixel, so that a chart holds a thousand at most."""
    joined: list[tuple[float, float]] = []
    for start, stop in sorted(clip.stretches):
        begin, finish = max(0.0, start), min(stop, end)
        if joined and begin - joined[-1][1] < end / 1000:
            joined[-1] = (joined[-1][0], max(joined[-1][1], finish))
        elif finish > begin:
            joined.append((begin, finish))
    return joined


def _time_marks(end: float, *, most: int) -> list[float]:
    """Choose round times for the axis."""
    step = next((step for step in _TIME_STEPS if end / step <= most), 86400 * math.ceil(end / 86400 / most))
    return [float(step * number) for number in range(math.floor(end / step) + 1)]
