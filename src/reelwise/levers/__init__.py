"""Levers: one file each, in a folder for each family. The listing of these folders is the article's table of contents."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError
from reelwise.levers.base import FAMILIES, Card, Effort, Lever, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.plan import Plan

__all__ = ["FAMILIES", "Card", "Effort", "Lever", "Verdict", "apply_all", "find", "kinds", "lever_union"]


@lru_cache(maxsize=1)
def kinds() -> dict[str, type[Lever]]:
    """Import every lever and return them by name, in the article's order, those beyond it last."""
    found: dict[str, type[Lever]] = {}
    for family in FAMILIES:
        package = importlib.import_module(f"reelwise.levers.{family}")
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Lever) and value.__module__ == module.__name__:
                    found[info.name] = value
    return dict(sorted(found.items(), key=lambda pair: (pair[1].card.number or 99, pair[0])))


def lever_union() -> Any:
    """Return the union of all lever types, for decoding YAML."""
    from typing import Union

    return Union[tuple(kinds().values())]  # noqa: UP007 - built at run time


def find(name: str) -> Lever:
    """Return a lever by name with its default settings.

    Raises:
        InputError: no such lever.
    """
    import difflib

    kind = kinds().get(name)
    if kind is None:
        near = difflib.get_close_matches(name, list(kinds()), n=1)
        raise InputError(
            f"no lever is named `{name}`",
            where="levers",
            hint=f"did you mean `{near[0]}`?" if near else "`reelwise levers` lists them",
        )
    return kind()


def apply_all(plan: Plan, levers: Iterable[Lever]) -> Plan:
    """Pull levers one after another, those with a card only excepted."""
    for lever in levers:
        if lever.is_priced:
            plan = lever.apply(plan)
    return plan
