"""Qwen-VL: sides rounded to whole cells of 28 or 32 px; video in pairs of frames under a total budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.tokens.rule import Rule, floor
from reelwise.units import is_array, maximum, minimum, where

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "Qwen"]

_FRAMES_MIN, _FRAMES_MAX = 4, 768
_PAIR_CELLS_MIN, _PAIR_CELLS_MAX = 128, 768
_CONTEXT = 128_000
_BUDGET_SHARE = 0.9
_ASPECT_MAX = 200
_UTILS = "qwen-vl-utils 0.0.14 vision_process.py"


def _sqrt(value: Num) -> Num:
    return value**0.5 if is_array(value) else math.sqrt(value)


class Qwen(Rule, frozen=True, kw_only=True):
    """Smart resize.

    Attributes:
        cell_px: side of the square that becomes one token (patch x merge).
        cells_min: least tokens of a picture.
        cells_max: most tokens of a picture.
    """

    cell_px: int
    cells_min: int
    cells_max: int

    def _check(self, width_px: int, height_px: int, detail: str) -> None:
        self.level(detail)
        self.check_size(width_px, height_px)
        if max(width_px, height_px) > _ASPECT_MAX * min(width_px, height_px):
            raise InputError(
                f"{width_px}x{height_px} px: {self.name} refuses aspect ratios over {_ASPECT_MAX}",
                where="size",
                hint="crop or pad the picture",
            )

    def _cells(self, width_px: int, height_px: int, least: float, most: Num) -> Num:
        """Count cells after the smart resize; `most` may be an array. Amounts in pixels."""
        cell = self.cell_px
        columns, rows = max(round(width_px / cell), 1), max(round(height_px / cell), 1)
        plain = columns * rows * cell * cell
        # the library's own steps, float errors included: 19x19 px are 9 cells there, not 4
        shrink = _sqrt(width_px * height_px / most)
        small = maximum(width_px / shrink / cell // 1, 1.0) * maximum(height_px / shrink / cell // 1, 1.0)
        if plain < least:
            grow = math.sqrt(least / (width_px * height_px))
            columns = math.ceil(width_px * grow / cell)
            rows = math.ceil(height_px * grow / cell)
        return where(plain > most, small, float(columns * rows))

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the cells of a picture; the two marker tokens around it are left out."""
        self._check(width_px, height_px, detail)
        area = self.cell_px * self.cell_px
        return int(self._cells(width_px, height_px, self.cells_min * area, float(self.cells_max * area)))

    def frames(self, seconds: Num, fps: Num | None = None) -> Num:
        """Count the frames used: at least 4, at most 768, in pairs."""
        rate = 2.0 if fps is None else fps
        if isinstance(rate, (int, float)) and rate <= 0:
            raise InputError(f"{rate:g} frames a second cannot be sampled", where="fps", hint="use more than 0")
        return self._used(seconds * rate)

    def _used(self, frames: Num) -> Num:
        even = floor(minimum(maximum(frames, float(_FRAMES_MIN)), float(_FRAMES_MAX)) / 2) * 2
        return where(frames > 0, even, frames * 0.0)

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count pairs of frames x cells; more frames get smaller cells once the total budget binds."""
        self._check(width_px, height_px, detail)
        area = self.cell_px * self.cell_px
        used = self._used(frames)
        share = _BUDGET_SHARE * _CONTEXT * area * 2 / maximum(used, 2.0)
        most = maximum(minimum(share, float(_PAIR_CELLS_MAX * area)), float(int(_PAIR_CELLS_MIN * area * 1.05)))
        return used / 2 * self._cells(width_px, height_px, _PAIR_CELLS_MIN * area, most)


def _rule(name: str, family: str, cell_px: int, cells_max: int, source: str, *notes: str) -> Qwen:
    return Qwen(
        name=name,
        family=family,
        source=source,
        checked="2026-11-22",
        formula=f"picture: sides rounded to {cell_px} px, 4 to {cells_max} cells; video: frames/2 x cells, "
        "2 a second, 4 to 768 frames, 128 to 768 cells a pair, 115,200 in all",
        fps_default=2.0,
        cell_px=cell_px,
        cells_min=4,
        cells_max=cells_max,
        notes=notes,
    )


RULES: tuple[Rule, ...] = (
    _rule("qwen2_5_vl", "Qwen2-VL and Qwen2.5-VL", 28, 16_384, f"{_UTILS}; transformers 5.23.0 qwen2_vl"),
    _rule(
        "qwen2_5_vl_hf",
        "Qwen2-VL and Qwen2.5-VL with the processor's default limit",
        28,
        1280,
        "transformers 5.23.0 qwen2_vl, default size of the image processor",
        "Hosts that keep the processor's default cap a picture at 1,280 tokens.",
    ),
    _rule(
        "qwen3_vl",
        "Qwen3-VL",
        32,
        16_384,
        f"{_UTILS}; transformers 5.23.0 qwen3_vl",
        "A text marker with the time stands before every pair of frames and is not counted here.",
        "The transformers processor without cap_pixels_per_frame lets a short clip spend the whole budget.",
    ),
)
