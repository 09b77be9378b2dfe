"""The picture of a live run: frames, their masks and what was put out, above what asked for inferences and when they were made.

Drawn as SVG by hand, with no package; a PNG needs the extra `report`, which turns one into the other.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

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
from reelwise.video.writer import jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reelwise.live.report import LiveReport, Shot

__all__ = ["SHOTS", "draw_sheet", "write_sheet"]

SHOTS = 6
"""Frames on a sheet."""

_HIGH = 3.0  # needs above it are drawn at the top
_LOW = 1.6  # the top is no lower: the mark at 1 must not touch the curve's name
_KINDS = {"inferred": GREEN, "carried": "#9aa5b1", "blank": "#b3261e"}
_SAYS = {
    "inferred": "the model saw this frame",
    "carried": "the mask was carried from an earlier frame",
    "blank": "no mask that may be shown: all of it is background",
}
_MODES = {"max": "#1b7f4b", "full": "#7fb98f", "saver": "#e0a63c", "basic": "#c77d3a", "off": "#c9ced4"}


def write_sheet(report: LiveReport, path: Path) -> None:
    """Draw a run to an SVG or PNG file.

    Raises:
        InputError, MissingExtraError: see `check_picture`.
        OutputError: the file cannot be written.
    """
    check_picture(path)
    write_picture(draw_sheet(report), path)


def draw_sheet(report: LiveReport) -> str:
    """Draw a run as SVG."""
    receipt = report.receipt
    start = receipt.moments[0].seconds if receipt.moments else 0.0
    end = max(receipt.seconds, 1e-3)
    parts, y = _title(report)
    if report.shots:
        more, y = _shots(report.shots, start, y)
        parts += more
    parts += _need(report, start, end, y)
    y += CURVE + 10
    parts += _inferences(report, start, end, y)
    y += BAND + 6
    parts += _modes(report, end, y)
    y += BAND + 6
    parts += axis(end, y)
    y += 46
    more, y = _legend(report, y)
    return page(parts + more, y)


def _title(report: LiveReport) -> tuple[list[str], float]:
    receipt = report.receipt
    clip = report.source.rsplit("/", 1)[-1]
    first = f"{clip[:60]}: {receipt.inferences:,} inferences for {receipt.frames:,} frames, {percent(receipt.inference_share)}"
    lines = []
    if receipt.usd_per_call:
        lines.append(f"{receipt.cost_usd:,.4g} USD; every frame sent: {receipt.cost_usd_every_frame:,.4g} USD.")
    if receipt.iou is not None:
        iou = receipt.iou
        lines.append(
            f"Overlap with the model's own mask of each frame (IoU): {iou.mean:.3f} on average, {iou.p5:.3f} for the worst 5 %."
        )
    parts, y = [text(LEFT, 34, first, size=18, bold=True)], 56.0
    for line in textwrap.wrap(" ".join((f"{receipt.model}; {receipt.target}.", *lines)), 165):
        parts.append(text(LEFT, y, line, colour=SOFT))
        y += 18
    return parts, y + 2


def _shots(shots: tuple[Shot, ...], start: float, y: float) -> tuple[list[str], float]:
    """Draw a column for each frame: the frame, its mask, and what was put out."""
    cell = SPAN / max(len(shots), SHOTS)
    wide = cell - 8
    tall = max(wide * one.frame.shape[0] / one.frame.shape[1] for one in shots)
    composed = any(one.composed is not None for one in shots)
    names = ("frames", "masks", "put out")[: 3 if composed else 2]
    parts = [name(y + (row + 0.5) * (tall + 6) + 4, said) for row, said in enumerate(names)]
    for column, one in enumerate(shots):
        x = LEFT + column * cell + 4
        mask = np.repeat(_grey(one)[..., None], 3, axis=2)
        for row, picture in enumerate((one.frame, mask, one.composed)[: len(names)]):
            if picture is not None:
                high = wide * picture.shape[0] / picture.shape[1]
                parts.append(image(jpeg(picture, quality=5), x, y + row * (tall + 6), wide, high))
        colour = _KINDS[one.kind]
        parts.append(frame(x, y, wide, len(names) * (tall + 6) - 6, colour))
        said = f"{clock(one.seconds - start, 1.0)} {one.kind}"
        parts.append(
            text(x + wide / 2, y + len(names) * (tall + 6) + 12, said, size=12, colour=colour, anchor="middle")
        )
    return parts, y + len(names) * (tall + 6) + 28


def _grey(shot: Shot) -> NDArray[np.uint8]:
    """Return a mask as it lies over the small frame."""
    from reelwise.live.masks import scaled

    large = scaled(shot.mask, (shot.frame.shape[0], shot.frame.shape[1]))
    levels: NDArray[np.uint8] = np.clip(large * 255, 0, 255).astype(np.uint8)
    return levels


def _need(report: LiveReport, start: float, end: float, y: float) -> list[str]:
    """Draw the need of the frames, and the threshold at the end."""
    low = y + CURVE
    needs = [one for one in report.receipt.moments if one.need is not None]
    top = min(_HIGH, max([_LOW, *(one.need or 0.0 for one in needs)]))
    parts = [
        name(y + 14, "need"),
        name(low - CURVE / top + 4, "1", size=11),
        f'<path d="M{LEFT} {low:.1f}h{SPAN}" stroke="{LINE}"/>',
        f'<path d="M{LEFT} {low - CURVE / top:.1f}h{SPAN}" stroke="{LINE}" stroke-dasharray="4 4"/>',
    ]
    points = ((one.seconds - start, min(top, one.need or 0.0)) for one in needs)
    return parts + area(points, end, low, CURVE / top, opacity=0.35)


def _inferences(report: LiveReport, start: float, end: float, y: float) -> list[str]:
    parts = [name(y + 13, "inferences"), rect(LEFT, y, SPAN, BAND, "#f1f3f5")]
    moments = report.receipt.moments
    for index, one in enumerate(moments):
        if one.inferences:
            stop = moments[index + 1].seconds if index + 1 < len(moments) else one.seconds
            x = place(one.seconds - start, end)
            wide = (place(stop - start, end) - x) * one.inferences / one.frames
            parts.append(rect(x, y, max(1.5, wide), BAND, GREEN))
    return parts


def _modes(report: LiveReport, end: float, y: float) -> list[str]:
    """Draw which mode held when."""
    receipt = report.receipt
    start = receipt.moments[0].seconds if receipt.moments else 0.0
    changes = receipt.mode_changes
    mode, at = (changes[0].old if changes else receipt.mode), 0.0
    parts = [name(y + 13, "mode")]
    for change in (*changes, None):
        stop = end if change is None else max(0.0, change.seconds - start)
        x = place(at, end)
        if stop > at:
            parts.append(rect(x, y, place(stop, end) - x, BAND, _MODES[mode]))
            if place(stop, end) - x > 60:
                parts.append(text(x + 6, y + 12, mode, size=11))
        if change is not None:
            mode, at = change.new, stop
    return parts


def _legend(report: LiveReport, y: float) -> tuple[list[str], float]:
    parts: list[str] = []
    kinds: dict[str, Any] = dict.fromkeys(one.kind for one in report.shots)
    for kind in kinds:
        parts += key(y, _KINDS[kind], f"{kind}: {_SAYS[kind]}")
        y += 21
    said = "Need: how much a frame asks for an inference; 1 is the threshold of the default quality."
    parts.append(text(LEFT, y + 3, said, colour=SOFT))
    return parts, y + 22
