"""Keys come from the environment, are read when a call is made, and appear nowhere else."""

from __future__ import annotations

import os
import re

from reelwise.errors import InputError, RefusedError

__all__ = ["Key", "scrubbed"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST = 6
_LOOKS_LIKE_ONE = re.compile(
    r"\b(?:sk|pk|rk|AIza|ya29|gsk|xai|fal|key)[-_.][A-Za-z0-9_\-.*]{6,}|\bAIza[A-Za-z0-9_\-*]{6,}"
)


class Key:
    """The key of an endpoint, by the name of the variable that holds it. It prints as that name.

    Args:
        variable: of the environment: "OPENAI_API_KEY". Empty for an endpoint that wants none.

    Raises:
        InputError: that is no name of a variable; a key itself is refused so, and not repeated in the message.
    """

    __slots__ = ("variable",)

    def __init__(self, variable: str) -> None:
        if variable and not _NAME.fullmatch(variable):
            raise InputError(
                "a key is named by the variable of the environment that holds it", where="key", hint="OPENAI_API_KEY"
            )
        self.variable = variable

    def __repr__(self) -> str:
        return f"Key({self.variable!r})"

    def present(self) -> bool:
        """Say whether it is set, or none is wanted."""
        return not self.variable or bool(os.environ.get(self.variable, "").strip())

    def read(self) -> str:
        """Return the key.

        Raises:
            RefusedError: the variable is not set, or holds what no header can.
        """
        if not self.variable:
            return ""
        key = os.environ.get(self.variable, "").strip()
        if not key:
            raise RefusedError(
                "no key: the variable is not set", where=self.variable, hint=f"export {self.variable}=...", reason="key"
            )
        if not key.isascii() or not key.isprintable():
            raise RefusedError("the key holds characters that no key has", where=self.variable, reason="key")
        return key

    def scrub(self, text: str) -> str:
        """Take the key out of a text, and what looks like one."""
        key = os.environ.get(self.variable, "").strip() if self.variable else ""
        return scrubbed(text, key)


def scrubbed(text: str, key: str = "") -> str:
    """Take a key out of a text, and what looks like one: endpoints repeat it in their messages, whole or in part."""
    if len(key) >= _SHORTEST:
        text = text.replace(key, "[key]")
        for size in range(len(key) - 1, _SHORTEST - 1, -1):
            if key[:size] in text:
                text = text.replace(key[:size], "[key]")
                break
    return _LOOKS_LIKE_ONE.sub("[key]", text)
