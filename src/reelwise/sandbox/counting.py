"""Billable tokens of pictures, clips, sound and text, by the rules that vendors publish. Written for the sandbox alone.

Text is about four bytes a token in every family: no vendor publishes a tokenizer that could be shipped here, and all of their guides say so.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from reelwise.sandbox.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Family", "family_of", "text_tokens"]

_BYTES_A_TOKEN = 4


def text_tokens(text: str | bytes) -> int:
    """Count the tokens of a text: a token for every four bytes, or part of them."""
    size = len(text.encode() if isinstance(text, str) else text)
    return -(-size // _BYTES_A_TOKEN)


class Family(Protocol):
    """How one family of models counts."""

    def picture(self, width: int, height: int, detail: str) -> int:
        """Count a still picture."""

    def clip(self, seconds: float, width: int, height: int, fps: float | None, detail: str) -> int:
        """Count a clip's pictures."""

    def sound(self, seconds: float) -> int:
        """Count a second of sound and more."""


def _cells(width: int, height: int, side: int) -> int:
    return -(-width // side) * -(-height // side)


class _Stills:
    """Families that take no clips."""

    def clip(self, seconds: float, width: int, height: int, fps: float | None, detail: str) -> int:  # noqa: ARG002 - the protocol's
        raise BadRequestError("this model does not take video")

    def sound(self, seconds: float) -> int:
        raise BadRequestError("this model does not take audio", code=f"{seconds:g}")


class _Tiles(_Stills):
    """OpenAI up to gpt-5.1 and gpt-4o-mini: squares of 512 px (OpenAI, images-vision guide)."""

    def __init__(self, base: int, each: int) -> None:
        self._base, self._each = base, each

    def picture(self, width: int, height: int, detail: str) -> int:
        if detail == "low":
            return self._base
        w, h = Fraction(width), Fraction(height)
        down = min(Fraction(1), Fraction(2048) / max(w, h))
        w, h = w * down, h * down
        if min(w, h) > 768:
            down = Fraction(768) / min(w, h)
            w, h = w * down, h * down
        return self._base + self._each * _cells(max(1, int(w)), max(1, int(h)), 512)


class _Patches(_Stills):
    """OpenAI's small models and gpt-5.2 on: patches of 32 px (same guide). `levels`: detail to (longest side, patches at most)."""

    def __init__(self, times: str, levels: dict[str, tuple[int, int]]) -> None:
        self._times, self._levels = Fraction(times), levels

    def picture(self, width: int, height: int, detail: str) -> int:
        level = self._levels.get(detail or "auto")
        if level is None:
            raise BadRequestError(f"detail {detail!r:.20} is not supported with this model")
        longest, budget = level
        if longest and max(width, height) > longest:
            most = max(width, height)
            width, height = max(1, width * longest // most), max(1, height * longest // most)
        count = _cells(width, height, 32)
        if budget and count > budget:
            count = min(budget, self._shrunk(width, height, budget))
        if count > 30_000:
            raise BadRequestError("the image is too large for this model")
        return math.ceil(count * self._times)

    @staticmethod
    def _shrunk(width: int, height: int, budget: int) -> int:
        scale = min(1.0, math.sqrt(1024 * budget / (width * height)))
        w, h = width * scale / 32, height * scale / 32
        snap = min(math.floor(side + 1e-9) / side if side >= 1 else 1.0 for side in (w, h))
        return _cells(
            max(1, math.floor(width * scale * snap + 1e-9)), max(1, math.floor(height * scale * snap + 1e-9)), 32
        )


class _Claude(_Stills):
    """Anthropic: patches of 28 px, in a picture that fits an edge and a number of tokens (platform.claude.com, vision)."""

    def __init__(self, edge: int, most: int) -> None:
        self._edge, self._most = edge, most

    def picture(self, width: int, height: int, detail: str) -> int:  # noqa: ARG002 - it has no levels
        if max(width, height) > 8000:
            raise BadRequestError("image dimensions exceed max allowed size: 8000 pixels")
        low, high = 1, max(width, height)
        if self._fits(width, height):
            return _cells(width, height, 28)
        while low < high:  # the largest long edge that fits
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._fits(*self._sized(width, height, middle)) else (low, middle - 1)
        return _cells(*self._sized(width, height, low), 28)

    @staticmethod
    def _sized(width: int, height: int, long: int) -> tuple[int, int]:
        short = max(1, round(min(width, height) * long / max(width, height)))
        return (long, short) if width >= height else (short, long)

    def _fits(self, width: int, height: int) -> bool:
        return -(-max(width, height) // 28) * 28 <= self._edge and _cells(width, height, 28) <= self._most


class _Gemini2:
    """Gemini 1.5 to 2.5 (ai.google.dev: image-understanding, video-understanding, media-resolution)."""

    def picture(self, width: int, height: int, detail: str) -> int:
        flat = {"low": 64, "medium": 256}.get(detail)
        if flat:
            return flat
        down = min(Fraction(1), Fraction(3072, max(width, height)))
        w, h = max(Fraction(1), width * down), max(Fraction(1), height * down)
        if max(w, h) <= 384:
            return 258
        unit = min(768, max(256, int(min(w, h) / Fraction(3, 2))))
        return 258 * math.ceil(w / unit) * math.ceil(h / unit)

    def clip(self, seconds: float, width: int, height: int, fps: float | None, detail: str) -> int:  # noqa: ARG002 - size is free
        return _frames(seconds, fps, 24.0) * (66 if detail == "low" else 258)

    def sound(self, seconds: float) -> int:
        return math.ceil(32 * seconds - 1e-6)


_BUDGET = {"low": 280, "medium": 560, "high": 1120, "ultra_high": 2240, "": 1120}


class _Gemini3:
    """Gemini 3 and later: a budget for a picture, a flat number for a frame (ai.google.dev, media-resolution)."""

    def picture(self, width: int, height: int, detail: str) -> int:
        budget, ratio = _BUDGET[detail], width / height
        columns, rows = math.floor(math.sqrt(budget * ratio) + 1e-9), math.floor(math.sqrt(budget / ratio) + 1e-9)
        if rows < 1:
            return min(width // height, budget)
        return columns * rows if columns >= 1 else min(height // width, budget)

    def clip(self, seconds: float, width: int, height: int, fps: float | None, detail: str) -> int:  # noqa: ARG002 - size is free
        if detail == "ultra_high":
            raise BadRequestError("MEDIA_RESOLUTION_ULTRA_HIGH is not supported for video")
        return _frames(seconds, fps, 24.0) * (280 if detail == "high" else 70)

    def sound(self, seconds: float) -> int:
        return math.ceil(25 * seconds - 1e-6)


class _Qwen:
    """Qwen2.5-VL and Qwen3-VL at their servers: cells of 28 or 32 px, two frames a cell (qwen-vl-utils 0.0.14)."""

    def __init__(self, side: int) -> None:
        self._side = side

    def picture(self, width: int, height: int, detail: str) -> int:  # noqa: ARG002 - it has no levels
        rows, columns = self._grid(width, height, 4, 16_384)
        return rows * columns

    def clip(self, seconds: float, width: int, height: int, fps: float | None, detail: str) -> int:  # noqa: ARG002 - it has no levels
        whole = max(4, 2 * round(min(768.0, max(4.0, seconds * (fps or 2.0))) / 2))
        cells = max(min(768.0, 0.9 * 128_000 / whole * 2), 128 * 1.05)
        rows, columns = self._grid(width, height, 128, int(cells))
        return whole // 2 * rows * columns

    def sound(self, seconds: float) -> int:
        raise BadRequestError("this model does not take audio", code=f"{seconds:g}")

    def _grid(self, width: int, height: int, least: int, most: int) -> tuple[int, int]:
        side = self._side
        rows, columns = max(1, round(height / side)), max(1, round(width / side))
        if rows * columns > most:
            beta = math.sqrt(height * width / (most * side * side))
            rows, columns = max(1, math.floor(height / beta / side)), max(1, math.floor(width / beta / side))
        elif rows * columns < least:
            beta = math.sqrt(least * side * side / (height * width))
            rows, columns = math.ceil(height * beta / side), math.ceil(width * beta / side)
        return rows, columns


def _frames(seconds: float, fps: float | None, most: float) -> int:
    rate = 1.0 if fps is None else fps
    if not 0 < rate <= most:
        raise BadRequestError("videoMetadata.fps must be in the range (0.0, 24.0]")
    return max(1, math.ceil(seconds * rate * (1 - 1e-9)))


_ALL_6144 = dict.fromkeys(("auto", "low", "high"), (2048, 6144))
_ALL_1536 = dict.fromkeys(("auto", "low", "high"), (0, 1536))
_OPEN = {"auto": (0, 0), "low": (512, 0), "high": (2048, 2500), "original": (0, 0)}
_V55 = {"auto": (6000, 10_000), "low": (512, 0), "high": (2048, 2500), "original": (6000, 10_000)}
_V54 = {"auto": (2048, 2500), "low": (2048, 6144), "high": (2048, 2500), "original": (6000, 10_000)}

_FAMILIES: tuple[tuple[str, Callable[[], Family]], ...] = (
    (r"gemini-(1\.5|2)", _Gemini2),
    (r"gemini-([3-9]|live|embedding)", _Gemini3),
    (r"gpt-4o-mini", lambda: _Tiles(2833, 5667)),
    (r"gpt-4\.1-mini", lambda: _Patches("1.62", _ALL_6144)),
    (r"gpt-4\.1-nano", lambda: _Patches("2.46", _ALL_1536)),
    (r"gpt-4o|chatgpt-4o|gpt-4\.1|gpt-4\.5", lambda: _Tiles(85, 170)),
    (r"gpt-5-mini", lambda: _Patches("1.2", _ALL_1536)),
    (r"gpt-5-nano", lambda: _Patches("1.5", _ALL_1536)),
    (r"gpt-5\.2", lambda: _Patches("1.2", _ALL_6144)),
    (r"gpt-5\.4", lambda: _Patches("1.2", _V54)),
    (r"gpt-5\.5", lambda: _Patches("1.2", _V55)),
    (r"gpt-5\.6", lambda: _Patches("1.2", _OPEN)),
    (r"gpt-6", lambda: _Patches("1.2", {"auto": (0, 0), "high": (0, 2500)})),
    (r"gpt-5", lambda: _Tiles(70, 140)),
    (r"o4-mini", lambda: _Patches("1.72", _ALL_1536)),
    (r"o[13]", lambda: _Tiles(75, 150)),
    (r"claude-(opus-4-[7-9]|[a-z]+-([5-9]|\d\d)(?!\d))", lambda: _Claude(2576, 4784)),
    (r"claude", lambda: _Claude(1568, 1568)),
    (r".*qwen-?2", lambda: _Qwen(28)),
    (r".*qwen-?3", lambda: _Qwen(32)),
)


def family_of(model: str) -> Family:
    """Find how a model counts.

    Raises:
        BadRequestError: the sandbox knows no rule for it.
    """
    name = model.lower().rsplit("/", 1)[-1]
    for pattern, make in _FAMILIES:
        if re.match(pattern, name):
            return make()
    raise BadRequestError(f"the sandbox knows no token rule for {model!r:.60}")
