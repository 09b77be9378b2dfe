"""The most tokens that a picture or a clip can be billed, where a published rule leaves something open.

A rule counts what vendors publish. Bills also carry marker tokens, rounding, time stamps; each allowance here says why.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.tokens.gemini import GeminiBudget
from reelwise.tokens.llama import LlamaCross
from reelwise.tokens.nova import Nova1
from reelwise.tokens.qwen import Qwen

if TYPE_CHECKING:
    from reelwise.tokens import Rule

__all__ = ["FRAMING_TOKENS", "FRAMING_WHY", "Most", "picture_tokens", "video_tokens"]

FRAMING_TOKENS = 32
FRAMING_WHY = "32 for the tokens around the messages (chat templates of the field take 1 to 20; assumed)"

_VISION_STATES = 1601


class Margin(Struct, frozen=True):
    """Tokens beyond the rule: for each picture, for each video frame, for each clip; and why."""

    picture: int = 0
    frame: int = 0
    clip: int = 0
    why: str = ""


class Most(Struct, frozen=True):
    """A bound in tokens, and what it rests on."""

    tokens: int
    why: str


_STAMP = "{} a frame for its time stamp: ai.google.dev counts {} a second in all, where the rule counts {}"
_GUIDE = "1 a picture: OpenAI's guide says that billing may differ by one token"
_MARKERS = "marker tokens around it, as the model's processor writes them"

_MARGINS: tuple[tuple[str, Margin], ...] = (
    ("gemini_2x_", Margin(picture=2, why="2 marker tokens a picture")),
    ("gemini_2x/low", Margin(picture=2, frame=5, clip=2, why=_STAMP.format(5, 100, 98))),
    ("gemini_2x", Margin(picture=2, frame=10, clip=2, why=_STAMP.format(10, 300, 290))),
    ("gemini_3", Margin(frame=5, clip=2, why=_STAMP.format(5, 100, 95))),
    ("openai_", Margin(picture=1, why=_GUIDE)),
    ("qwen2_5_vl", Margin(picture=2, clip=2, why=f"2 {_MARKERS}")),
    (
        "qwen3_vl",
        Margin(
            picture=2,
            frame=6,
            clip=2,
            why="12 a pair of frames for `<1234.5 seconds>` and two markers, digits one by one",
        ),
    ),
    ("internvl", Margin(picture=2, frame=10, why="10 a frame for `FrameN: ` and its markers")),
    ("llava_onevision", Margin(picture=2, clip=2, why=f"2 {_MARKERS}")),
    ("smolvlm2", Margin(picture=60, frame=20, why=f"row and column {_MARKERS}; `Frame from MM:SS:` a frame")),
    ("llama_4", Margin(picture=20, why=f"a separator a chunk and {_MARKERS}")),
    ("gemma_3", Margin(picture=4, why=_MARKERS)),
)


def _margin(rule: Rule, detail: str) -> Margin:
    """Find a rule's margin; an entry may be for one detail level of it."""
    name = f"{rule.name}/{rule.level(detail)}"
    return next((margin for start, margin in _MARGINS if name.startswith(start)), Margin())


def picture_tokens(rule: Rule, width: int, height: int, detail: str) -> Most:
    """Bound one still picture, upright or turned by a quarter.

    Raises:
        InputError: a size or level that the rule refuses.
    """
    return _picture(rule, max(width, height), min(width, height), detail)


@lru_cache(maxsize=4096)
def _picture(rule: Rule, width: int, height: int, detail: str) -> Most:
    counted = max(rule.image(width, height, detail), rule.image(height, width, detail))
    margin = _margin(rule, detail)
    if isinstance(rule, GeminiBudget):
        most = rule.budgets[rule.details.index(rule.level(detail))]
        return Most(most, f"{most} is the most the documentation gives; the grid under it ({counted}) is inferred")
    if isinstance(rule, Nova1):
        return _nova(rule, width * height)
    if isinstance(rule, LlamaCross):
        tiles = rule.tiles(width, height)
        return Most(tiles * _VISION_STATES + 4, "hosts bill it by rules of their own: all its vision states are held")
    why = f"{rule.name}: {counted} for {width}x{height} px"
    return Most(counted + margin.picture, f"{why}, {margin.why}" if margin.picture else why)


def _nova(rule: Nova1, area: int) -> Most:
    """Take AWS's next larger example; beyond the largest, its tokens for a pixel."""
    for pixels, tokens in rule.examples:
        if area <= pixels:
            return Most(tokens, f"AWS's example of {pixels:,} px, the next larger one: it publishes no formula")
    pixels, tokens = rule.examples[-1]
    return Most(
        math.ceil(area * tokens / pixels), f"as many a pixel as AWS's largest example ({tokens} for {pixels:,} px)"
    )


def video_tokens(rule: Rule, size: tuple[int, int], seconds: float, frames: float, detail: str) -> Most:
    """Bound a native video part from which `frames` frames are sampled at most.

    Raises:
        InputError: the family takes no native video, or refuses the size or level.
    """
    width, height = max(size), min(size)
    margin = _margin(rule, detail)
    if isinstance(rule, Qwen):
        counted = max(_qwen(rule, *shape, int(frames)) for shape in {(width, height), (height, width)})
        used = min(max(frames, 4), 768)  # as the library samples
    else:
        counted = max(
            math.ceil(rule.video(*shape, seconds, frames, detail)) for shape in {(width, height), (height, width)}
        )
        used = frames
    more = math.ceil(used * margin.frame) + margin.clip
    why = f"{rule.name}: {counted:,} for {used:,.0f} frames of {width}x{height} px"
    return Most(counted + more, f"{why}, {margin.why}" if more else why)


_QWEN_FRAMES = 768


def _qwen(rule: Qwen, width: int, height: int, frames: int) -> int:
    """Count the most of any length up to this: a longer clip gets smaller cells, and may cost less than a shorter one."""
    return _qwen_most(rule, width, height)[min(max(frames, 4), _QWEN_FRAMES) // 2]


@lru_cache(maxsize=256)
def _qwen_most(rule: Qwen, width: int, height: int) -> tuple[int, ...]:
    found = [0]
    for pairs in range(1, _QWEN_FRAMES // 2 + 1):
        counted = math.ceil(rule.video(width, height, float(pairs), float(2 * pairs)))
        found.append(max(found[-1], counted))
    return tuple(found)
