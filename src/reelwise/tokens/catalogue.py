"""Every token rule, by name."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING

from reelwise.errors import UnknownModelError
from reelwise.tokens import (
    anthropic,
    gemini,
    gemma,
    internvl,
    llama,
    llava,
    nova,
    openai,
    per_minute,
    pixtral,
    qwen,
    smolvlm,
)

if TYPE_CHECKING:
    from reelwise.tokens.rule import Rule

__all__ = ["rule", "rules"]

_FAMILIES = (
    gemini,
    openai,
    anthropic,
    qwen,
    internvl,
    llava,
    smolvlm,
    pixtral,
    llama,
    gemma,
    nova,
    per_minute,
)


def rules() -> tuple[Rule, ...]:
    """List every rule, family by family."""
    return tuple(each for family in _FAMILIES for each in family.RULES)


@lru_cache(maxsize=256)
def rule(name: str) -> Rule:
    """Find a rule by its own name ("gemini_2x").

    Raises:
        UnknownModelError: no such rule.
    """
    for each in rules():
        if each.name == name:
            return each
    near = difflib.get_close_matches(name, [each.name for each in rules()], n=3, cutoff=0.4)
    raise UnknownModelError(
        f"no token rule is called {name!r}",
        hint=f"did you mean {' or '.join(near)}?" if near else "see `reelwise tokens --list`",
    )
