"""A function of the user's own, named as "module:function".

Naming a function runs it: it is imported when it is needed, from what Python can import already. Nothing of the standard library
is taken, so that a file from elsewhere cannot call what was not written for it.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import TYPE_CHECKING, Any

from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FOREIGN", "FUNCTION", "load_function"]

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
FOREIGN = (ArithmeticError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError, SyntaxError, TypeError, ValueError)  # fmt: skip
"""What a user's code is expected to fail with."""


def load_function(name: str, *, where: str, hint: str) -> Callable[[Any], Any]:
    """Import a function; `where` and `hint` are what errors say.

    Raises:
        DocumentError: not "module:function", a module that cannot be imported or is Python's own, or no function in it.
    """
    module, _, function = name.partition(":")
    if not FUNCTION.fullmatch(name):
        raise DocumentError(f"not a function: {name!r:.80}", where=where, hint='write "module:function"')
    if module.partition(".")[0] in {*sys.stdlib_module_names, "reelwise"}:
        raise DocumentError(f"{module} is no module of yours", where=where, hint=hint)
    try:
        found: Callable[[Any], Any] | None = getattr(importlib.import_module(module), function, None)
    except FOREIGN as error:
        raise DocumentError(
            f"cannot import {module}: {type(error).__name__}: {error}", where=where, hint=hint
        ) from error
    if found is None or not callable(found):
        raise DocumentError(f"{module} has no function {function}", where=where, hint=hint)
    return found
