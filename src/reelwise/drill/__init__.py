"""The testing matrix as scenarios: what a feature promises to cost and to do when things go well, badly, and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.drill.drilling import Drilled, drill
    from reelwise.drill.scenario import Drill, read_drills

__all__ = ["Drill", "Drilled", "drill", "read_drills"]

_HOME = {"Drill": "scenario", "Drilled": "drilling", "drill": "drilling", "read_drills": "scenario"}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
