"""Gemini: tiles of 258 tokens before version 3, a token budget for a picture since; video a flat count for a frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.tokens.rule import Rule, floor

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "GeminiBudget", "GeminiTiles", "budget_grid"]

_DOCS_2 = "ai.google.dev image-understanding, media-resolution, video-understanding, tokens (2026-09-23); Vertex image requirements"
_DOCS_3 = "ai.google.dev media-resolution (2026-09-23); picture grid inferred from measurements in the dataset JOHNISKING/image-token-cost"
_FIT_PX = 3072
_ONE_TILE_PX = 384
_TILE = 258


def budget_grid(width_px: int, height_px: int, budget: int) -> int:
    """Count the cells of the largest whole grid with the picture's aspect ratio and at most `budget` cells.

    Source: the fixed-budget image processor of Gemma 4 in transformers 5.23.0, which reproduces three measured Gemini 3 counts.
    """
    aspect = width_px / height_px
    columns = int(floor(math.sqrt(budget * aspect)))
    rows = int(floor(math.sqrt(budget / aspect)))
    if rows < 1:
        return min(width_px // height_px, budget)
    if columns < 1:
        return min(height_px // width_px, budget)
    return columns * rows


class GeminiTiles(Rule, frozen=True, kw_only=True):
    """Gemini 1.5 to 2.5.

    Attributes:
        frame_tokens: tokens of one video frame, by detail level in the order of `details`.
        audio_tokens_second: tokens of a second of sound.
    """

    frame_tokens: tuple[int, ...]
    audio_tokens_second: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count 258 a tile; low and medium are flat. Above 384 px a picture is cut by a unit of short side / 1.5."""
        level = self.level(detail)
        self.check_size(width_px, height_px)
        if level == "low":
            return 64
        if level == "medium":
            return 256
        longest = max(width_px, height_px)
        width, height = float(width_px), float(height_px)
        if longest > _FIT_PX:
            width, height = (max(side * _FIT_PX / longest, 1.0) for side in (width, height))
        if width <= _ONE_TILE_PX and height <= _ONE_TILE_PX:
            return _TILE
        unit = min(max(math.floor(min(width, height) / 1.5 + 1e-9), 256), 768)
        return _TILE * math.ceil(width / unit - 1e-9) * math.ceil(height / unit - 1e-9)

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count a flat number for every frame; neither size nor length matters."""
        level = self.level(detail)
        self.check_size(width_px, height_px)
        return frames * float(self.frame_tokens[self.details.index(level)])

    def audio(self, seconds: Num) -> Num:
        """Count a flat number for every second."""
        return seconds * float(self.audio_tokens_second)


class GeminiBudget(Rule, frozen=True, kw_only=True):
    """Gemini 3 and later.

    Attributes:
        budgets: the most tokens a picture may take, by detail level in the order of `details`.
        frame_tokens: tokens of one video frame, likewise; None where the level is for pictures only.
        audio_tokens_second: tokens of a second of sound.
    """

    budgets: tuple[int, ...]
    frame_tokens: tuple[int | None, ...]
    audio_tokens_second: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the grid that fits the level's budget: aspect ratio matters, the number of pixels does not."""
        level = self.level(detail)
        self.check_size(width_px, height_px)
        return budget_grid(width_px, height_px, self.budgets[self.details.index(level)])

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count a flat number for every frame.

        Raises:
            InputError: ultra_high, which is for pictures only.
        """
        level = self.level(detail)
        self.check_size(width_px, height_px)
        each = self.frame_tokens[self.details.index(level)]
        if each is None:
            usable = ", ".join(n for n, t in zip(self.details, self.frame_tokens, strict=True) if t is not None)
            raise InputError(f"{level} is for pictures, not for video", where="detail", hint=f"use one of {usable}")
        return frames * float(each)

    def audio(self, seconds: Num) -> Num:
        """Count a flat number for every second."""
        return seconds * float(self.audio_tokens_second)


_LEVELS = ("default", "low", "medium", "high")
_CONFLICT = "A newer Vertex page says a flat 258 for any picture before Gemini 3; ask countTokens where pictures, not video, are the bill."

RULES: tuple[Rule, ...] = (
    GeminiTiles(
        name="gemini_2x",
        family="Gemini 1.5 to 2.5",
        source=_DOCS_2,
        checked="2026-11-22",
        formula="picture: 258 up to 384 px, else 258 x ceil(w/u) x ceil(h/u), u = short side / 1.5 in 256..768; "
        "video: 258 a frame (low 66); sound: 32 a second",
        details=_LEVELS,
        detail_default="default",
        fps_default=1.0,
        fps_max=24.0,
        images_max=3000,
        frame_tokens=(258, 66, 258, 258),
        audio_tokens_second=32,
        notes=(_CONFLICT, "The documentation rounds video with sound to 300 (low: 100) tokens a second."),
    ),
    GeminiTiles(
        name="gemini_2x_per_second",
        family="Gemini 1.5 to 2.5, as the documentation rounds it",
        source="ai.google.dev video-understanding: about 300 tokens a second, 100 at low resolution",
        checked="2026-11-22",
        formula="video: 300 a frame at 1 a second (low 100), sound included; pictures as gemini_2x",
        details=("default", "low"),
        detail_default="default",
        fps_default=1.0,
        fps_max=24.0,
        images_max=3000,
        frame_tokens=(300, 100),
        audio_tokens_second=0,
        notes=("An approximation, to reproduce published estimates; bills follow gemini_2x.",),
    ),
    GeminiTiles(
        name="gemini_2x_timestamped",
        family="Gemini 1.5 to 2.5, by the tokens page",
        source="ai.google.dev tokens (2026-09-23): 263 tokens a second of video, 32 a second of sound",
        checked="2026-11-22",
        formula="video: 263 a frame with its timestamp; sound: 32 a second; pictures as gemini_2x",
        details=("default",),
        detail_default="default",
        fps_default=1.0,
        fps_max=24.0,
        images_max=3000,
        frame_tokens=(263,),
        audio_tokens_second=32,
        notes=("2 % above gemini_2x: the page counts a timestamp with every frame.",),
    ),
    GeminiBudget(
        name="gemini_3",
        family="Gemini 3 and later",
        source=_DOCS_3,
        checked="2026-11-22",
        formula="picture: floor(sqrt(B x w/h)) x floor(sqrt(B x h/w)), B = 1120 (low 280, medium 560, ultra_high 2240); "
        "video: 70 a frame (high 280); sound: 25 a second",
        details=(*_LEVELS, "ultra_high"),
        detail_default="default",
        fps_default=1.0,
        fps_max=24.0,
        images_max=3000,
        budgets=(1120, 280, 560, 1120, 2240),
        frame_tokens=(70, 70, 70, 280, None),
        audio_tokens_second=25,
        notes=(
            "Low is what video gets anyway, so asking for low resolution saves nothing.",
            "The documentation gives B as the most a picture takes; the grid below it is inferred, exact on three measured sizes.",
        ),
    ),
)
