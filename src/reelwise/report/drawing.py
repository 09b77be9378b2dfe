"""How every chart is dressed and drawn: one font, two palettes, SVG for a page, SVG and PNG as files.

Altair and vl-convert come with the extra `report` and are imported only when a chart is drawn.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from reelwise.errors import MissingExtraError
from reelwise.report.page import Html

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IN_FILE", "IN_PAGE", "altair", "check_drawing", "png", "svg", "svg_file"]

# fonts of one width on all systems: labels are measured here and drawn by the reader's browser
_FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
_PATH = re.compile(r' d="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")

IN_PAGE: Mapping[str, str] = {
    name: f"var(--{name})" for name in ("paper", "ink", "soft", "line", "wash", "naive", "cut", "final", "kept")
}
"""In a page, colours follow the reader's light or dark setting."""
IN_FILE: Mapping[str, str] = {
    "paper": "#ffffff", "ink": "#1a1d21", "soft": "#555d66", "line": "#d8dde2", "wash": "#f3f5f7",
    "naive": "#6b7683", "cut": "#1f6fb2", "final": "#1b7f4b", "kept": "#cfe8d9",
}  # fmt: skip
"""A picture file has them fixed."""


def check_drawing() -> None:
    """Refuse to draw where what draws is missing.

    Raises:
        MissingExtraError: Altair or vl-convert is not installed.
    """
    try:
        altair()
        importlib.import_module("vl_convert")
    except ImportError as error:
        raise MissingExtraError(
            f"charts need the package {error.name or 'altair'}", hint="pip install 'reelwise[report]'"
        ) from None


def altair() -> Any:
    """Return the package, as Any: its annotations do not take the plain specifications that it accepts."""
    return importlib.import_module("altair")


def svg(chart: Any, **data: list[dict[str, Any]]) -> Html:
    """Draw a chart for a page, in the page's colours."""
    return Html(_svg(_dressed(chart, IN_PAGE, data)))


def svg_file(chart: Any, **data: list[dict[str, Any]]) -> str:
    """Draw a chart as a file of its own."""
    return _svg(_dressed(chart, IN_FILE, data))


def png(chart: Any, **data: list[dict[str, Any]]) -> bytes:
    """Draw a chart as a picture, at twice the size."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(_dressed(chart, IN_FILE, data), scale=2)
    return drawn


def _svg(spec: dict[str, Any]) -> str:
    import vl_convert

    text: str = vl_convert.vegalite_to_svg(spec)
    # sixteen digits of a pixel say nothing and are most of the file
    return _PATH.sub(lambda path: _LONG.sub(lambda number: f"{float(number[0]):.1f}", path[0]), text)


def _dressed(chart: Any, colours: Mapping[str, str], data: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    # data join after the specification is checked: Altair would copy and check every point
    spec: dict[str, Any] = (
        chart.configure(aria=False, font=_FONT, background=colours["paper"] if colours is IN_FILE else "transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=colours["soft"], titleColor=colours["soft"], gridColor=colours["line"], titleFontWeight="normal",
            domain=False, ticks=False, labelFontSize=12, titleFontSize=12, labelPadding=6, titlePadding=8,
        )
        .configure_title(
            color=colours["ink"], subtitleColor=colours["soft"], anchor="start", fontSize=16, subtitleFontSize=12,
            offset=16, subtitlePadding=6,
        )
        .to_dict()
    )  # fmt: skip
    return spec | {"datasets": dict(data)}
