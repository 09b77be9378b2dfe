"""The charts without Altair: bars of plain HTML, drawn by the page's own style sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.report.numbers import clock, percent
from reelwise.report.page import Html, element, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.report.waterfall import Waterfall

__all__ = ["stretch_bar", "waterfall_bars"]


def waterfall_bars(found: Waterfall) -> Html:
    """Draw a waterfall; on a logarithmic axis a sum is a mark and not a bar, as it has no length there."""
    rows = []
    for bar in found.bars:
        start, stop = found.place(bar.low), found.place(bar.high)
        if found.is_log and bar.kind != "cut":
            start = max(0.0, stop - 0.01)
        words = element("p", element("span", bar.name), element("span", f"{bar.money} {bar.factor}".strip()))
        rows.append(element("div", words, _track([(start, stop)], bar.kind)))
    scale = "logarithmic: equal lengths are equal factors" if found.is_log else "linear, from 0"
    return element("div", *rows, element("p", element("small", f"USD a month; {scale}.")), class_="bars")


def stretch_bar(stretches: Iterable[tuple[float, float]], seconds: float, kind: str = "kept") -> Html:
    """Draw which stretches of a clip are kept, or `kind` activities: in which something happens."""
    inside = [(start / seconds, min(stop, seconds) / seconds) for start, stop in stretches] if seconds > 0 else []
    name = "kept stretches" if kind == "kept" else kind
    label = f"{name} from 0:00.0 to {clock(seconds)}: {percent(sum(b - a for a, b in inside))} of the time"
    ends = element("p", element("small", "0:00.0"), element("small", clock(seconds)))
    return element("div", _track(inside, kind, label=label), ends, class_="bars")


def _track(spans: Iterable[tuple[float, float]], kind: str, *, label: str = "") -> Html:
    inner = [
        element("span", class_=kind, style=f"left:{start:.2%};width:{max(0.0, stop - start):.2%}")
        for start, stop in spans
    ]
    return element("div", *inner, class_="track", role="img", aria_label=escape(label) if label else "bar")
