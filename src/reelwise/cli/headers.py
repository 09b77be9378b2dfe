"""`--header 'Name: value'` of commands that call an endpoint."""

from __future__ import annotations

import os

__all__ = ["read_headers"]


def read_headers(given: tuple[str, ...]) -> dict[str, str]:
    """Read headers; words that begin with $ are variables of the environment.

    Raises:
        InputError: no header, or a variable that is not set.
    """
    from reelwise.errors import InputError

    found = {}
    for one in given:
        name, sign, value = one.partition(":")
        value = value.strip()
        if not sign or not name.strip():
            raise InputError("is no header", where=f"--header {name[:40]}", hint='"Name: value"')
        words = [os.environ.get(word[1:], "") if word.startswith("$") else word for word in value.split(" ")]
        if "" in words and "$" in value:
            raise InputError("names a variable that is not set", where=f"--header {name[:40]}", hint="export it")
        found[name.strip()] = " ".join(words)
    return found
