"""Draw pictures of something along time as SVG, by hand, with no package; a PNG needs the extra `report`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reelwise.documents import write_whole
from reelwise.errors import InputError, MissingExtraError
from reelwise.report.page import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "BAND",
    "BLUE",
    "CURVE",
    "GREEN",
    "INK",
    "LEFT",
    "LINE",
    "RIGHT",
    "SOFT",
    "SPAN",
    "WIDTH",
    "area",
    "axis",
    "check_picture",
    "clock",
    "frame",
    "image",
    "key",
    "name",
    "page",
    "place",
    "rect",
    "text",
    "write_picture",
]

WIDTH = 1200
LEFT, RIGHT = 112, 24  # beside the strips: their names, and air
SPAN = WIDTH - LEFT - RIGHT
CURVE, BAND = 84, 16  # pixels high
INK, SOFT, LINE, BLUE, GREEN = "#1a1d21", "#555d66", "#d8dde2", "#1f6fb2", "#1b7f4b"
_FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
_POINTS = 600  # of a curve: more are less than two pixels wide
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def check_picture(path: Path) -> None:
    """Refuse a name that is neither .svg nor .png, and a PNG without the extra that draws it, before any work is done.

    Raises:
        InputError: another ending.
        MissingExtraError: vl-convert is not installed.
    """
    if path.suffix.lower() not in {".svg", ".png"}:
        raise InputError("a picture is .svg or .png", where=str(path), hint="try --picture scan.svg")
    if path.suffix.lower() == ".png":
        try:
            import vl_convert  # noqa: F401 - only whether it is there
        except ImportError:
            raise MissingExtraError(
                "a PNG needs the package vl-convert",
                where=str(path),
                hint="pip install 'reelwise[report]', or name an .svg",
            ) from None


def write_picture(svg: str, path: Path) -> None:
    """Write a drawing to an SVG or PNG file; see `check_picture`.

    Raises:
        OutputError: the file cannot be written.
    """
    if path.suffix.lower() == ".svg":
        write_whole(path, svg.encode())
        return
    import vl_convert

    write_whole(path, vl_convert.svg_to_png(svg, scale=1.0))


def page(parts: Iterable[str], height: float) -> str:
    """Put parts on a white page."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'font-family="{_FONT}"><rect width="100%" height="100%" fill="#ffffff"/>'
    )
    return head + "\n".join(parts) + "</svg>\n"


def place(second: float, end: float) -> float:
    """Return where a moment lies."""
    return LEFT + min(max(second / end, 0.0), 1.0) * SPAN


def text(x: float, y: float, said: str, *, size: int = 13, colour: str = INK, anchor: str = "start", bold: bool = False) -> str:  # fmt: skip
    """Write some text."""
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(said)}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Fill a rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.0):.1f}" height="{height:.1f}" fill="{colour}"/>'


def frame(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Draw a frame around something."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="none" stroke="{colour}" stroke-width="3"/>'


def image(data: bytes, x: float, y: float, width: float, height: float) -> str:
    """Put a JPEG in."""
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'href="data:image/jpeg;base64,{base64.b64encode(data).decode()}"/>'
    )


def name(y: float, said: str, *, size: int = 13) -> str:
    """Write beside a strip what it is."""
    return text(LEFT - 12, y, said, size=size, colour=SOFT, anchor="end")


def key(y: float, colour: str, said: str) -> list[str]:
    """Say what a colour means."""
    return [rect(LEFT, y - 11, 22, 13, colour), text(LEFT + 30, y, said)]


def area(
    points: Iterable[tuple[float, float]], end: float, low: float, unit: float, *, opacity: float = 1.0
) -> list[str]:
    """Fill what lies under a curve: the largest value of each of 600 stretches of the time.

    Args:
        points: (second, value).
        end: seconds, of all of the axis.
        low: the y of 0.
        unit: pixels of a value of 1.
        opacity: 0..1.
    """
    most: dict[int, float] = {}
    for second, value in points:
        column = int(min(max(second / end, 0.0), 1.0) * _POINTS)
        most[column] = max(most.get(column, 0.0), value)
    if not most:
        return []
    places = {column: LEFT + column / _POINTS * SPAN for column in sorted(most)}
    line = " ".join(f"{x:.1f},{low - most[column] * unit:.1f}" for column, x in places.items())
    shade = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    ends = f"{places[min(most)]:.1f},{low:.1f}", f"{places[max(most)]:.1f},{low:.1f}"
    return [f'<polygon points="{ends[0]} {line} {ends[1]}" fill="{BLUE}"{shade}/>']


def clock(second: float, end: float) -> str:
    """Write a moment as minutes and seconds."""
    whole, part = divmod(round(second, 1), 60)
    hours, minutes = divmod(int(whole), 60)
    seconds = f"{part:04.1f}" if end < 10 else f"{part:02.0f}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def axis(end: float, y: float) -> list[str]:
    """Draw the axis of time."""
    step = next((step for step in _STEPS if end / step <= 12), _STEPS[-1] * max(1, round(end / _STEPS[-1] / 12)))
    parts = []
    for number in range(int(end / step + 1e-9) + 1):
        x = place(number * step, end)
        anchor = "start" if number == 0 else "end" if x > WIDTH - RIGHT - 16 else "middle"
        parts.append(f'<path d="M{x:.1f} {y:.1f}v5" stroke="{SOFT}"/>')
        parts.append(text(x, y + 19, clock(number * step, end), size=12, colour=SOFT, anchor=anchor))
    parts.append(name(y + 19, "min:s" if end < 3600 else "h:min:s", size=12))
    return parts
