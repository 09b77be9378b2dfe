"""Names of a package that are loaded when they are first used, so that importing it loads nothing heavy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["attribute"]


def attribute(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return a name from the module of the package that holds it.

    Args:
        package: the package's `__name__`.
        homes: the module of each name, relative to the package.
        name: what is asked for.

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
