"""The picture of a scan: frames along time, beneath them what moves, what was kept, and which signal judged each stretch.

Drawn as SVG by hand, with no package; a PNG needs the extra `report`, which turns one into the other.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.report.numbers import percent
from reelwise.report.svg import (
    BAND,
    CURVE,
    GREEN,
    LEFT,
    LINE,
    SOFT,
    SPAN,
    area,
    axis,
    check_picture,
    clock,
    frame,
    image,
    key,
    name,
    page,
    place,
    rect,
    text,
    write_picture,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.scan import Scan

__all__ = ["check_picture", "draw_strip", "write_strip"]

_THUMBS = 9
_KEPT = "#cfe8d9"
_SIGNALS = {"packets": "#c9ced4", "keyframes": "#e0a63c", "luma": "#7b5ea7", "person": "#1b7f4b"}
_OTHER = "#9aa5b1"
_SAYS = {
    "packets": "judged by packet sizes",
    "keyframes": "judged by key frames",
    "luma": "judged by decoded pictures",
    "person": "people looked for",
}


def write_strip(scan: Scan, path: Path) -> None:
    """Draw a scan to an SVG or PNG file. The clip is decoded once more for it, to show what moves.

    Raises:
        InputError, MissingExtraError: see `check_picture`.
        MediaError: the clip cannot be read.
        OutputError: the file cannot be written.
    """
    check_picture(path)
    from reelwise.video import jpeg, pictures, track

    seen = track(scan.path, audio=False)
    curve = list(zip(seen.times.tolist(), seen.activity.tolist(), strict=True))
    places = _moments(scan, curve, seen.seconds)
    # twice the size they are drawn at, for screens that have it
    found = pictures(scan.path, places, long_side=2 * (SPAN // _THUMBS - 6))
    thumbs = [(second, picture.shape[1] / picture.shape[0], jpeg(picture, quality=7)) for second, picture in found]
    write_picture(draw_strip(scan, curve, thumbs), path)


def _moments(scan: Scan, curve: Sequence[tuple[float, float]], end: float) -> list[float]:
    """Choose a moment of each ninth of the time: where most moves in an event, else the middle."""
    found = []
    for index in range(_THUMBS):
        start, stop = index / _THUMBS * end, (index + 1) / _THUMBS * end
        inside = [
            (share, second)
            for second, share in curve
            if start <= second < stop and any(one.start_seconds <= second < one.stop_seconds for one in scan.events)
        ]
        found.append(max(inside)[1] if inside else (start + stop) / 2)
    return found


def draw_strip(
    scan: Scan, activity: Sequence[tuple[float, float]], thumbs: Sequence[tuple[float, float, bytes]]
) -> str:
    """Draw a scan as SVG.

    Args:
        scan: what was found, and which signal judged each stretch.
        activity: (second, share 0..1 of the picture that moves), ascending.
        thumbs: (second, width over height, JPEG), ascending.
    """
    end = max(scan.seconds, 1e-3)
    parts, y = _title(scan)
    high = SPAN / max(1, len(thumbs)) - 6
    tall = min(120.0, max((high / aspect for _, aspect, _ in thumbs), default=0.0))
    parts += _thumbs(scan, thumbs, end, y, tall)
    y += tall + 30
    parts += _curve(scan, activity, end, y)
    y += CURVE + 10
    parts += _signals(scan, end, y)
    y += BAND + 6
    parts += axis(end, y)
    y += 46
    more, y = _legend(scan, y)
    parts += more
    return page(parts, y)


def _title(scan: Scan) -> tuple[list[str], float]:
    clip = Path(scan.path).name
    events = f"{len(scan.events)} event{'s' * (len(scan.events) != 1)}"
    first = (
        f"{clip[:60]}: {events} in {clock(scan.seconds, scan.seconds)}, {percent(scan.kept_share)} of the time is kept"
    )
    parts = [text(LEFT, 34, first, size=18, bold=True)]
    y = 56.0
    why = f"Method: {scan.method}, because {scan.why}."
    for line in textwrap.wrap(why, 162, max_lines=3, placeholder=" ..."):
        parts.append(text(LEFT, y, line, colour=SOFT))
        y += 18
    return parts, y + 4


def _thumbs(scan: Scan, thumbs: Sequence[tuple[float, float, bytes]], end: float, y: float, tall: float) -> list[str]:
    parts = [name(y + tall / 2 + 4, "pictures")]
    cell = SPAN / max(1, len(thumbs))
    for index, (second, aspect, data) in enumerate(thumbs):
        wide = min(cell - 6, tall * aspect)
        x = LEFT + (index + 0.5) * cell - wide / 2
        height = wide / aspect
        held = any(one.start_seconds - 1e-3 <= second <= one.stop_seconds for one in scan.events)
        parts.append(image(data, x, y + (tall - height) / 2, wide, height))
        if held:
            parts.append(frame(x, y + (tall - height) / 2, wide, height, GREEN))
        middle = LEFT + (index + 0.5) * cell
        x = place(second, end)
        lead = f"M{middle:.1f} {y + tall + 3:.1f}v4L{x:.1f} {y + tall + 24:.1f}v4"
        parts.append(f'<path d="{lead}" fill="none" stroke="{GREEN if held else LINE}" stroke-width="1.5"/>')
    return parts


def _curve(scan: Scan, activity: Sequence[tuple[float, float]], end: float, y: float) -> list[str]:
    """Draw what moves, over the events that were found."""
    low = y + CURVE
    parts = [
        name(y + 14, "what moves"),
        f'<path d="M{LEFT} {low:.1f}h{SPAN}" stroke="{LINE}"/>',
    ]
    edge = -1e9
    for number, one in enumerate(scan.events, start=1):
        x, stop = place(one.start_seconds, end), place(one.stop_seconds, end)
        parts.append(rect(x, y, stop - x, CURVE, _KEPT))
        if x - edge >= 22:  # numbers do not touch
            parts.append(text(x + 4, y + 14, str(number), size=12, colour=GREEN, bold=True))
            edge = x
    top = max([*(share for _, share in activity), 1e-3])
    parts += area(activity, end, low, (CURVE - 22) / top)
    parts += [
        name(low - CURVE + 34, f"up to {percent(top)}", size=11),
        name(low - CURVE + 48, "of the picture", size=11),
    ]
    return parts


def _signals(scan: Scan, end: float, y: float) -> list[str]:
    parts = [name(y + 13, "judged by")]
    for one in scan.stretches:
        x, stop = place(one.start_seconds, end), place(one.stop_seconds, end)
        parts.append(rect(x, y, stop - x, BAND, _SIGNALS.get(one.method, _OTHER)))
    return parts


def _legend(scan: Scan, y: float) -> tuple[list[str], float]:
    """Say what the colours mean and what was kept why, a line each, and what it cost."""
    rows = [(_KEPT, "kept: something happens there; pictures framed in green are from there")]
    for method in dict.fromkeys(one.method for one in scan.stretches):
        whys = dict.fromkeys(one.why for one in scan.stretches if one.method == method)
        reason = "; ".join(why for why in whys if why != scan.why)
        rows.append((_SIGNALS.get(method, _OTHER), f"{_SAYS.get(method, method)}{f': {reason}' if reason else ''}"))
    parts: list[str] = []
    for colour, said in rows:
        parts += key(y, colour, textwrap.shorten(said, 150, placeholder=" ..."))
        y += 21
    cost = (
        f"{scan.cpu_seconds:.2f} s of CPU for {scan.seconds:,.1f} s of footage; {percent(scan.frames_decoded_share)} of "
        f"{scan.frames:,} pictures were decoded"
    )
    parts.append(text(LEFT, y + 3, cost, colour=SOFT))
    return parts, y + 22
