"""Which cheaper model of the same maker stands in for which."""

from __future__ import annotations

__all__ = ["cheaper_sibling"]

_SIBLINGS: tuple[tuple[str, str], ...] = (
    ("gemini-2.5-pro", "gemini-2.5-flash"),
    ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
    ("gemini-3-pro-preview", "gemini-3-flash-preview"),
    ("gemini-3.1-pro-preview", "gemini-3.1-flash-lite"),
    ("gemini-3-flash-preview", "gemini-3.1-flash-lite"),
    ("gemini-3.5-flash", "gemini-3.5-flash-lite"),
    ("gemini-3.6-flash", "gemini-3.5-flash-lite"),
    ("gemini-3.7-flash", "gemini-3.5-flash-lite"),
    ("gemini-3.8-flash", "gemini-3.5-flash-lite"),
    ("gemini-4-argon", "gemini-3.8-flash"),
    ("gpt-4o", "gpt-4.1-mini"),
    ("gpt-4.1", "gpt-4.1-mini"),
    ("gpt-5", "gpt-5-mini"),
    ("gpt-5-mini", "gpt-5-nano"),
    ("gpt-5.1", "gpt-5-mini"),
    ("gpt-5.2", "gpt-5-mini"),
    ("gpt-5.4", "gpt-5.4-mini"),
    ("gpt-5.4-mini", "gpt-5.4-nano"),
    ("gpt-5.5", "gpt-5.4-mini"),
    ("gpt-5.6-sol", "gpt-5.6-luna"),
    ("gpt-5.6-terra", "gpt-5.6-luna"),
    ("gpt-6-sol", "gpt-6-luna"),
    ("claude-opus-4-5", "claude-haiku-4-5"),
    ("claude-opus-4-6", "claude-haiku-4-5"),
    ("claude-opus-4-7", "claude-haiku-4-5"),
    ("claude-opus-4-8", "claude-haiku-5-5"),
    ("claude-opus-5", "claude-haiku-5-5"),
    ("claude-opus-5-5", "claude-haiku-5-5"),
    ("claude-sonnet-4-5", "claude-haiku-4-5"),
    ("claude-sonnet-4-6", "claude-haiku-4-5"),
    ("claude-sonnet-5", "claude-haiku-5-5"),
    ("claude-sonnet-5-5", "claude-haiku-5-5"),
    ("claude-haiku-4-5", "claude-haiku-5-5"),
    ("claude-fable-5-1", "claude-haiku-5-5"),
    ("openai/whisper-1", "openai/gpt-4o-mini-transcribe"),
    ("openai/gpt-4o-transcribe", "openai/gpt-4o-mini-transcribe"),
    ("openai/sora-2-pro", "openai/sora-2"),
    ("google/veo-3.1", "google/veo-3.1-fast"),
    ("google/veo-3.1-fast", "google/veo-3.1-lite"),
)


def cheaper_sibling(model: str) -> str | None:
    """Name the small model of the same maker, or None where we know of none.

    gpt-4o-mini is never named: a picture costs twice as much on it as on gpt-4o (2,833 + 5,667 tokens a tile).
    """
    bare = model.rsplit("/", 1)[-1]
    return next((small for large, small in _SIBLINGS if large in {model, bare}), None)
