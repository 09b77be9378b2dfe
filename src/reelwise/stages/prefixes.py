"""From how many tokens on prompt caches take a prefix, and for how long they keep it."""

from __future__ import annotations

__all__ = ["PREFIX_MIN", "kept_an_hour", "prefix_min"]

PREFIX_MIN = 1024
"""Shortest prefix where the vendor's page names no other (OpenAI; Claude Opus 4.8, Sonnet 4 to 5, older Opus)."""

_MINS = (
    # ai.google.dev/gemini-api/docs/caching, 2026-10-13: 2,048 for 2.5, 4,096 for 3.1 Pro to 4; 3 Flash Preview 1,024 (2026-05-07)
    ("gemini-2", 2048),
    ("gemini-3-flash", 1024),
    ("gemini-", 4096),
    # platform.claude.com/docs/en/build-with-claude/prompt-caching, cache limitations, 2026-07-28; 5.5 as of 2026-10
    ("claude-opus-5", 512),
    ("claude-fable-5", 512),
    ("claude-opus-4-7", 2048),
    ("claude-opus-4-6", 4096),
    ("claude-opus-4-5", 4096),
    ("claude-haiku-4-5", 4096),
    ("claude-3-5-haiku", 2048),
    ("claude-haiku-3", 2048),
    ("claude-3-haiku", 2048),
)
_SHORT_HOURS = 5 / 60
"""Anthropic keeps a prefix for five minutes, or, at a dearer write, for an hour (same page)."""


def prefix_min(model: str) -> int:
    """Return the shortest prefix, in tokens, that a model's prompt cache takes."""
    bare = model.rsplit("/", 1)[-1].replace(".", "-") if "claude" in model else model.rsplit("/", 1)[-1]
    return next((tokens for start, tokens in _MINS if bare.startswith(start)), PREFIX_MIN)


def kept_an_hour(hours: float | None) -> bool:
    """Say whether a prefix is to be kept for longer than the five minutes that a vendor with two times has first."""
    return hours is not None and hours > _SHORT_HOURS * (1 + 1e-9)
