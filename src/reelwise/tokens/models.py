"""Which rule counts which model, and since when."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import UnknownModelError
from reelwise.tokens.catalogue import rule

if TYPE_CHECKING:
    from reelwise.tokens.rule import Rule

__all__ = ["MATCHES", "Match", "rule_for", "short_name"]

_PREFIX = re.compile(
    r"^(?:(?:[a-z]+(?:-[a-z]+)*\.)?(?:anthropic|amazon|meta|mistral|qwen|google|openai)\.(?=[a-z])|(?:models|ft):)"
)
_VERSION = re.compile(r"[:@]")
_LONGEST = 200


class Match(Struct, frozen=True):
    """A row of the table; the first row that fits a model and a day counts.

    Attributes:
        pattern: regular expression that the short name must match from its start.
        rule: name of the rule.
        models: names as users write them, for lists and hints.
        until: the first day the row no longer holds, ISO date; empty: it holds.
        why: what the dates rest on.
    """

    pattern: str
    rule: str
    models: tuple[str, ...]
    until: str = ""
    why: str = ""


_END = r"(?:-(?:\d|latest|preview|exp|thinking|it|instruct|chat|v\d).*)?$"
_STILL = r"(?!.*(?:tts|embedding|image|live|audio))"  # other bills than reading pictures and video
_CLAUDE_DAY = "2026-01-01"
_CLAUDE_WHY = "copies of the documentation before 2026 give width x height / 750; the day it changed is not published"
_OPENAI_DAY = "2026-03-18"
_OPENAI_WHY = (
    "the guide said otherwise before; users measured the new multiplier and said so on community.openai.com that day, "
    "and had billed it earlier for gpt-5-mini and gpt-5-nano"
)

MATCHES: tuple[Match, ...] = (
    Match(r"gemini_2x_per_second$", "gemini_2x_per_second", ("gemini_2x_per_second",)),
    Match(r"gemini_2x_timestamped$", "gemini_2x_timestamped", ("gemini_2x_timestamped",)),
    Match(
        _STILL
        + r"gemini-(?:1\.5|2\.0|2\.5)-(?:pro|flash)(?:-lite|-8b)?"
        + _END
        + r"|gemini-(?:pro|flash)-1\.5(?:-8b)?$",
        "gemini_2x",
        ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.0-flash", "gemini-1.5-pro"),
    ),
    Match(
        _STILL + r"gemini-(?:[3-9]|\d\d)(?:\.\d+)?-(?:pro|flash|argon)(?:-lite)?" + _END,
        "gemini_3",
        (
            "gemini-3-pro-preview",
            "gemini-3-flash-preview",
            "gemini-3.1-pro-preview",
            "gemini-3.1-flash-lite",
            "gemini-3.5-flash",
            "gemini-3.6-flash",
            "gemini-3.7-flash",
            "gemini-3.8-flash",
            "gemini-4-argon",
        ),
    ),
    Match(r"gpt-4o-mini(?:-\d.*|-latest)?$", "openai_tile_2833_5667", ("gpt-4o-mini",)),
    Match(
        r"(?:chat)?gpt-4o(?:-\d.*|-latest)?$|gpt-4\.1(?:-\d.*)?$|gpt-4\.5(?:-\d.*|-preview.*)?$",
        "openai_tile_85_170",
        ("gpt-4o", "gpt-4.1", "gpt-4.5-preview", "chatgpt-4o-latest"),
    ),
    Match(r"gpt-5(?:\.1)?(?:-\d.*|-chat.*)?$", "openai_tile_70_140", ("gpt-5", "gpt-5.1")),
    Match(r"(?:o1|o1-pro|o3)(?:-\d.*)?$", "openai_tile_75_150", ("o1", "o1-pro", "o3")),
    Match(
        r"(?:computer-use-preview|computer-use|gpt-image-1)(?:-\d.*)?$",
        "openai_tile_65_129",
        ("computer-use-preview", "gpt-image-1"),
    ),
    Match(
        r"gpt-6(?:\.\d+)?(?:-(?:sol|terra|luna|astra))?(?:-\d.*)?$",
        "openai_patch_6",
        ("gpt-6-sol", "gpt-6-luna", "gpt-6-astra"),
    ),
    Match(
        r"gpt-5\.6(?:-(?:sol|terra|luna))?(?:-\d.*)?$",
        "openai_patch_5_6",
        ("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"),
    ),
    Match(r"gpt-5\.5(?:-\d.*)?$", "openai_patch_5_5", ("gpt-5.5",)),
    Match(
        r"gpt-5\.4-mini(?:-\d.*)?$", "openai_patch_5_4_mini_old", ("gpt-5.4-mini",), until=_OPENAI_DAY, why=_OPENAI_WHY
    ),
    Match(
        r"gpt-5\.4-nano(?:-\d.*)?$", "openai_patch_5_4_nano_old", ("gpt-5.4-nano",), until=_OPENAI_DAY, why=_OPENAI_WHY
    ),
    Match(r"gpt-5\.4(?:-mini|-nano)?(?:-\d.*)?$", "openai_patch_5_4", ("gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano")),
    Match(r"gpt-5\.2(?:-\d.*|-chat.*)?$", "openai_patch_5_2", ("gpt-5.2",)),
    Match(r"gpt-5-mini(?:-\d.*)?$", "openai_patch_5_mini_old", ("gpt-5-mini",), until=_OPENAI_DAY, why=_OPENAI_WHY),
    Match(r"gpt-5-mini(?:-\d.*)?$", "openai_patch_5_mini", ("gpt-5-mini",)),
    Match(r"gpt-5-nano(?:-\d.*)?$", "openai_patch_5_nano_old", ("gpt-5-nano",), until=_OPENAI_DAY, why=_OPENAI_WHY),
    Match(r"gpt-5-nano(?:-\d.*)?$", "openai_patch_5_nano", ("gpt-5-nano",)),
    Match(r"gpt-4\.1-mini(?:-\d.*)?$", "openai_patch_4_1_mini", ("gpt-4.1-mini",)),
    Match(r"gpt-4\.1-nano(?:-\d.*)?$", "openai_patch_4_1_nano", ("gpt-4.1-nano",)),
    Match(r"o4-mini(?:-\d.*)?$", "openai_patch_o4_mini", ("o4-mini",)),
    Match(
        r"claude-(?:opus-4[-.][7-9]|(?:opus|sonnet|haiku|fable|mythos)-(?:[5-9]|[1-9]\d)(?!\d))",
        "anthropic_high",
        (
            "claude-opus-4-7",
            "claude-opus-4-8",
            "claude-opus-5",
            "claude-sonnet-5",
            "claude-opus-5-5",
            "claude-sonnet-5-5",
            "claude-haiku-5-5",
            "claude-fable-5",
        ),
    ),
    Match(
        r"claude-(?:3|4|opus-[34]|sonnet-[34]|haiku-[34])",
        "anthropic_legacy",
        ("claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5", "claude-3-5-sonnet"),
        until=_CLAUDE_DAY,
        why=_CLAUDE_WHY,
    ),
    Match(r"claude-(?:opus|sonnet)-4[-.]6", "anthropic_standard", ("claude-opus-4-6", "claude-sonnet-4-6")),
    Match(
        r"claude-(?:3|4|opus-[34]|sonnet-[34]|haiku-[34])",
        "anthropic_standard_200k",
        ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5", "claude-opus-4-1", "claude-3-5-sonnet"),
    ),
    Match(r"qwen-?2\.?5?-vl-hf$|qwen2_5_vl_hf$", "qwen2_5_vl_hf", ("qwen2_5_vl_hf",)),
    Match(
        r"qwen-?2(?:[.p]5)?-vl(?!-hf)",
        "qwen2_5_vl",
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl-72b-instruct", "Qwen2-VL-7B"),
    ),
    Match(r"qwen-?3-vl", "qwen3_vl", ("Qwen/Qwen3-VL-8B-Instruct", "qwen3-vl-235b-a22b-instruct", "Qwen3-VL-2B")),
    Match(r"internvl", "internvl", ("OpenGVLab/InternVL3-8B", "internvl3-14b")),
    Match(r"llava-onevision(?!-1[.]5)", "llava_onevision", ("llava-hf/llava-onevision-qwen2-7b-ov-hf",)),
    Match(r"smolvlm2-(?:256m|500m)", "smolvlm2_64", ("HuggingFaceTB/SmolVLM2-500M-Video-Instruct",)),
    Match(r"smolvlm2-2\.2b", "smolvlm2_81", ("HuggingFaceTB/SmolVLM2-2.2B-Instruct",)),
    Match(r"pixtral-12b", "pixtral_12b", ("mistralai/pixtral-12b",)),
    Match(
        r"mistral-small-(?:3[-.][12]|2503|2506)|mistral-medium-(?:3(?:$|[-.][1-9]|-)|2505|2508)",
        "mistral_1540",
        ("mistral-small-3.1-24b-instruct", "mistral-small-3.2-24b-instruct", "mistral-medium-3"),
    ),
    Match(
        r"llama-?3[.p-]2-(?:11b|90b)(?!-text)",
        "llama_3_2",
        ("meta-llama/Llama-3.2-11B-Vision-Instruct", "llama-3.2-90b-vision-instruct"),
    ),
    Match(r"llama-?4-(?:scout|maverick)", "llama_4", ("llama-4-scout", "llama-4-maverick")),
    Match(r"gemma-?3-(?:4b|12b|27b)|gemma-?3$", "gemma_3", ("google/gemma-3-27b-it", "gemma-3-4b-it")),
    Match(r"nova-(?:lite|pro)(?:$|-v1)", "nova_1", ("amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0")),
    Match(r"nova-2-lite", "nova_2_lite", ("amazon.nova-2-lite-v1:0",)),
    Match(r"(?:twelve-?_?labs\b|pegasus|marengo)", "twelve_labs", ("twelvelabs/pegasus", "pegasus-1.2", "marengo-2.7")),
    Match(r"reka[/-]vision(?:-index)?$", "reka_vision", ("reka/vision-index",)),
    Match(r"(?:google[/_])?video[-_]intelligence", "google_video_intelligence", ("google/video-intelligence/label",)),
    Match(r"(?:aws/)?rekognition[-_/]video", "aws_rekognition_video", ("aws/rekognition/video-stored",)),
)


def short_name(model: str) -> str:
    """Cut what providers put around a model's name: folders, regions, vendors, versions and tiers after a colon or @."""
    name = model.strip().lower().rsplit("/", 1)[-1]
    return _VERSION.split(_PREFIX.sub("", name), maxsplit=1)[0]


def rule_for(model: str, day: dt.date | None = None) -> Rule:
    """Find the rule that counts a model's tokens on a day (default: today, UTC).

    Args:
        model: a name as users write it: "gemini-2.5-pro", "google/gemini-2.5-pro", "models/gemini-2.5-pro-001",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0"; or the name of a rule.
        day: rules have dates, like prices.

    Raises:
        UnknownModelError: no published rule is known; the hint names the closest models.
    """
    return _rule_for(model, day or dt.datetime.now(tz=dt.UTC).date())


@lru_cache(maxsize=2048)
def _rule_for(model: str, day: dt.date) -> Rule:
    whole, short = model.strip().lower()[:_LONGEST], short_name(model[:_LONGEST])
    for match in MATCHES:
        if match.until and day.isoformat() >= match.until:
            continue
        if re.match(match.pattern, short) or re.match(match.pattern, whole):
            return rule(match.rule)
    try:
        return rule(whole)
    except UnknownModelError:
        known = {short_name(name): name for match in MATCHES for name in match.models}
        near = [known[name] for name in difflib.get_close_matches(short, known, n=3, cutoff=0.5)]
        raise UnknownModelError(
            f"no published token rule is known for {model!r}",
            where="model",
            hint=f"did you mean {' or '.join(near)}?" if near else "see `reelwise tokens --list`",
        ) from None
