"""The most output tokens that a model writes where a call sets no maximum. Reasoning counts as output."""

from __future__ import annotations

import re
from functools import lru_cache

from reelwise.tokens.models import short_name

__all__ = ["SOURCE", "output_most"]

SOURCE = "max_output_tokens in the model map of litellm 1.106.2, read 2026-11-23"

_MOST: tuple[tuple[str, int], ...] = (
    (r"gemini-4-", 1_048_576),
    (r"gemini-(?:2\.5|3)", 65_536),
    (r"gpt-4o-2024-05-13$", 4_096),
    (r"(?:chat)?gpt-4o", 16_384),
    (r"gpt-4\.1", 32_768),
    (r"gpt-5(?:\.\d)?-chat", 16_384),
    (r"gpt-5-pro", 272_000),
    (r"gpt-[56]", 128_000),
    (r"o[134](?:-|$)", 100_000),
    (r"claude-(?:haiku|sonnet|opus)-4[-.]5", 64_000),
    (r"claude-(?:opus|sonnet)-4[-.][6-9]|claude-(?:opus|sonnet|haiku|fable|mythos)-[5-9]", 128_000),
    (r"nova-(?:lite|pro|micro|premier)(?:$|-v1)", 10_000),
    (r"nova-2-", 64_000),
)


@lru_cache(maxsize=2048)
def output_most(model: str) -> int | None:
    """Return the most output tokens of a model, or None where none is known (open models depend on who serves them)."""
    name = short_name(model)
    return next((most for pattern, most in _MOST if re.match(pattern, name)), None)
