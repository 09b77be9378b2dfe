"""Two charts of a comparison: what each option costs over volume and over sampling rate, with where the cheapest changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.report.compare_text import UNITS, number
from reelwise.report.drawing import IN_FILE, IN_PAGE, altair, check_drawing, png, svg, svg_file
from reelwise.report.page import Html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reelwise.compare import Comparison
    from reelwise.compare.result import Line

__all__ = ["MOST_LINES", "ComparisonDrawn", "draw_comparison"]

MOST_LINES = 14
"""Lines in one chart: more cannot be told apart. The cheapest that can do the job come first."""

_COLOURS = (
    "#1f6fb2", "#d1642a", "#1b7f4b", "#8a4fbf", "#b8860b", "#c2315d", "#0e8a9c", "#7a5a3c", "#5b6b9c", "#6f8f1f", "#a04ea0", "#777777",
    "#2f9e77", "#b04a3a",
)  # fmt: skip
_WIDTH = 560
_HEIGHT = 400
_APART = 0.18
_LABEL = "datum.value >= 1e5 ? format(datum.value, '.3~s') : datum.value >= 1 ? format(datum.value, ',.0f') : format(datum.value, '.2~g')"
_ROW = 17
_SPREAD = 100.0
"""The chart shows volumes from a hundredth to a hundred times the workload's own; the break-evens reach further."""


class ComparisonDrawn(Struct, frozen=True, kw_only=True):
    """The charts, for a page and as files; the sampling chart is None where no rate can be chosen."""

    volume: Html
    volume_svg: str
    volume_png: bytes
    sampling: Html | None = None
    sampling_svg: str | None = None
    sampling_png: bytes | None = None


def draw_comparison(found: Comparison) -> ComparisonDrawn:
    """Draw both charts.

    Raises:
        MissingExtraError: Altair or vl-convert is not installed.
    """
    check_drawing()
    kept = {one.name for one in [one for one in found.options if one.usd_per_month is not None][:MOST_LINES]}
    names = [
        line.option for line in found.curves if line.axis == "volume" and line.option in kept
    ]  # in the file's order
    colours = dict(zip(names, _COLOURS, strict=False))
    dashed = {one.name for one in found.options if not one.feasible}
    low, high = found.volume / _SPREAD, found.volume * _SPREAD
    unit = UNITS[found.unit]
    volume = _Chart(found, "volume", colours, dashed, span=(low, high), now=found.volume, x=unit, y="USD a month")
    rates = [line for line in found.curves if line.axis == "sampling"]
    if not rates:
        return ComparisonDrawn(volume=volume.page(), volume_svg=volume.svg(), volume_png=volume.png())
    sampling = _Chart(
        found, "sampling", colours, dashed, span=(min(rates[0].x), found.source_fps), now=None,
        x="frames a second that are looked at", y="USD a minute of footage",
    )  # fmt: skip
    return ComparisonDrawn(
        volume=volume.page(), volume_svg=volume.svg(), volume_png=volume.png(),
        sampling=sampling.page(), sampling_svg=sampling.svg(), sampling_png=sampling.png(),
    )  # fmt: skip


class _Chart:
    """Lines on two logarithmic axes, each with its name at its end."""

    def __init__(
        self,
        found: Comparison,
        axis: str,
        colours: Mapping[str, str],
        dashed: set[str],
        *,
        span: tuple[float, float],
        now: float | None,
        x: str,
        y: str,
    ) -> None:
        self.found, self.axis, self.colours, self.dashed = found, axis, colours, dashed
        self.span, self.now, self.x, self.y = span, now, x, y
        curves = [one for one in found.curves if one.axis == axis and one.option in colours]
        self.points = [
            {"option": one.option, "x": x, "usd": usd, "dashed": one.option in dashed}
            for one in curves
            for x, usd in _clipped(one, *span)
        ]
        amounts = [float(str(point["usd"])) for point in self.points]
        self.low, self.high = _decades(amounts)
        for point in self.points:
            point["usd"] = max(float(str(point["usd"])), self.low)
        self.labels = self._labels(curves)
        self.marks = self._marks()
        self.cheapest = self._cheapest()

    def _labels(self, curves: Sequence[Line]) -> list[dict[str, Any]]:
        """Place each name at the end of its line, moved apart where lines end together."""
        ends = []
        for one in curves:
            points = _clipped(one, *self.span)
            if points:
                ends.append((self._pixel(points[-1][1]), one.option, points[-1][1]))
        ends.sort()
        places: list[float] = []
        for pixel, _, _ in ends:
            places.append(max(pixel, places[-1] + _ROW) if places else max(pixel, 6.0))
        limit = float(_HEIGHT)
        for at in range(len(places) - 1, -1, -1):  # those pushed out at the bottom push back
            places[at] = min(places[at], limit)
            limit = places[at] - _ROW
        return [
            {
                "option": name,
                "usd": self._usd(place),
                "text": name + ("*" if name in self.dashed else "") + ("" if usd else ": 0"),
            }
            for (_, name, usd), place in zip(ends, places, strict=True)
        ]

    def _pixel(self, usd: float) -> float:
        top, bottom = math.log(self.high), math.log(self.low)
        return _HEIGHT * (top - math.log(max(usd, self.low))) / (top - bottom)

    def _usd(self, pixel: float) -> float:
        """Return the amount that is drawn at a height."""
        top, bottom = math.log(self.high), math.log(self.low)
        return math.exp(top - pixel / _HEIGHT * (top - bottom))

    def _cheapest(self) -> list[dict[str, Any]]:
        """Follow the cheapest that can do the job."""
        if self.axis != "volume":
            return []
        rows = []
        for reach in self.found.cheapest:
            line = next((one for one in self.found.curves if one.axis == "volume" and one.option == reach.option), None)
            if line is not None and reach.option in self.colours:
                low, high = max(reach.low, self.span[0]), min(reach.high, self.span[1])
                rows += [
                    {"x": x, "usd": max(usd, self.low), "reach": reach.low} for x, usd in _clipped(line, low, high)
                ]
        return rows

    def _marks(self) -> list[dict[str, Any]]:
        """Mark where the cheapest that can do the job changes, or for sampling the break-evens of the lowest lines."""
        if self.axis == "volume":
            ends = [reach.low for reach in self.found.cheapest[1:] if self.span[0] < reach.low < self.span[1]]
            return [{"x": at, "usd": max(self._lowest_at(at), self.low), "text": number(at)} for at in ends[:6]]
        minutes = self.found.minutes_month
        rows: list[dict[str, Any]] = []
        for one in self.found.break_even:
            if one.axis == "sampling" and {one.a, one.b} <= set(self.colours) and self.span[0] < one.at < self.span[1]:
                usd = one.usd_per_month / minutes
                if usd >= self.low and not any(abs(math.log(one.at / row["x"])) < _APART for row in rows):
                    rows.append({"x": one.at, "usd": usd, "text": number(one.at)})
        return rows[:8]

    def _lowest_at(self, at: float) -> float:
        able = {one.name for one in self.found.options if one.feasible}
        near = [
            min(_clipped(line, *self.span), key=lambda point: abs(math.log(point[0] / at)))[1]
            for line in self.found.curves
            if line.axis == "volume" and line.option in able and _clipped(line, *self.span)
        ]
        return min(near, default=self.low)

    def _spec(self, colours: Mapping[str, str], *, titled: bool) -> Any:
        alt = altair()
        x = alt.X("x:Q", scale=alt.Scale(type="log", domain=list(self.span), nice=False), axis=alt.Axis(
            title=self.x, labelExpr=_LABEL, grid=False, values=_round_marks(*self.span), labelOverlap=True))  # fmt: skip
        y = alt.Y("usd:Q", scale=alt.Scale(type="log", domain=[self.low, self.high], nice=False), axis=alt.Axis(
            title=self.y, labelExpr=_LABEL, values=_powers(self.low, self.high)))  # fmt: skip
        names = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        colour = alt.Color("option:N", legend=None, scale=names)
        base = alt.Chart(alt.NamedData("points"))
        line = {"strokeWidth": 2, "clip": True}
        layers = [
            alt.Chart(alt.NamedData("cheapest")).mark_line(strokeWidth=9, color=colours["kept"], strokeCap="round").encode(
                x=x, y=y, detail="reach:N"),
            base.transform_filter("!datum.dashed").mark_line(**line).encode(x=x, y=y, color=colour, detail="option:N"),
            base.transform_filter("datum.dashed").mark_line(strokeDash=[5, 4], **line).encode(x=x, y=y, color=colour, detail="option:N"),
        ]  # fmt: skip
        if self.now is not None:
            rule = alt.Chart(alt.NamedData("now"))
            layers.append(rule.mark_rule(color=colours["soft"], strokeDash=[2, 3]).encode(x=x))
            said = rule.mark_text(align="left", dx=5, baseline="top", fontSize=12, color=colours["soft"])
            layers.append(said.encode(x=x, y=alt.value(2), text="text:N"))
        marks = alt.Chart(alt.NamedData("marks"))
        layers.append(marks.mark_point(size=60, filled=True, opacity=1, color=colours["ink"]).encode(x=x, y=y))
        layers.append(marks.mark_text(dy=14, fontSize=12, color=colours["ink"]).encode(x=x, y=y, text="text:N"))
        label = alt.Chart(alt.NamedData("labels")).mark_text(align="left", baseline="middle", fontSize=12, limit=260)
        layers.append(label.encode(x=alt.value(_WIDTH + 8), y=y, text="text:N", color=colour))
        chart = alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)
        return chart.properties(title=self._title()) if titled else chart

    def _title(self) -> dict[str, Any]:
        star = " * cannot do the job." if self.dashed & set(self.colours) else ""
        where = (
            "Shaded: the cheapest that can do the job; a point where that changes."
            if self.axis == "volume"
            else "Points: two options cost the same."
        )
        return {
            "text": f"{self.found.feature}: {self.y} by {'volume' if self.axis == 'volume' else 'sampling rate'}",
            "subtitle": f"prices of {self.found.day}. {where}{star}",
        }

    def _data(self) -> dict[str, list[dict[str, Any]]]:
        now = [] if self.now is None else [{"x": self.now, "text": f"now: {number(self.now)}"}]
        return {
            "points": self.points,
            "labels": self.labels,
            "marks": self.marks,
            "now": now,
            "cheapest": self.cheapest,
        }

    def page(self) -> Html:
        """Draw it in a page's colours."""
        return svg(self._spec(IN_PAGE, titled=False), **self._data())

    def svg(self) -> str:
        """Draw it as a file."""
        return svg_file(self._spec(IN_FILE, titled=True), **self._data())

    def png(self) -> bytes:
        """Draw it as a picture."""
        return png(self._spec(IN_FILE, titled=True), **self._data())


def _powers(low: float, high: float) -> list[float]:
    """List the powers of ten of an axis."""
    return [10.0**power for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]


def _round_marks(low: float, high: float) -> list[float]:
    """List 1, 3, 10, 30 ... within a span."""
    first = math.floor(math.log10(low)) - 1
    every = [step * 10.0**power for power in range(first, math.ceil(math.log10(high)) + 1) for step in (1, 3)]
    return [float(f"{mark:.6g}") for mark in every if low * (1 - 1e-9) <= mark <= high * (1 + 1e-9)]


def _clipped(line: Line, low: float, high: float) -> list[tuple[float, float]]:
    """Return the points of a line within a span that have a price; free ones are kept, at nought."""
    return [(x, usd) for x, usd in zip(line.x, line.usd, strict=True) if usd is not None and low <= x <= high]


def _decades(amounts: Sequence[float]) -> tuple[float, float]:
    """Return round ends of a logarithmic axis: at most six decades below the largest amount."""
    high = max(amounts, default=1.0) or 1.0
    top = 10 ** math.ceil(math.log10(high) + 1e-9)
    paid = [usd for usd in amounts if usd > 0]
    lowest = min(paid, default=high)
    bottom = max(10 ** math.floor(math.log10(lowest)), top / 1e6)
    return bottom, max(top, bottom * 10)
