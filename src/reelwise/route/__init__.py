"""Which model for which request (lever 6), and when a cheap answer is not good enough (lever 7).

router = Router.load("router.json")
choice = router.choose("What happens after the man falls?", asks={"gemini-2.5-flash": cheap_ask, "gemini-2.5-pro": dear_ask}, book=book)

Importing this package loads no numpy: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.route.cascade import Cascade, Doubt, Step
    from reelwise.route.floor import Floor, area, hold_floor, share_at
    from reelwise.route.outcomes import Outcomes, read_outcomes
    from reelwise.route.router import Choice, Router
    from reelwise.route.rules import Rule

__all__ = [
    "Cascade", "Choice", "Doubt", "Floor", "Outcomes", "Router", "Rule", "Step", "area", "hold_floor", "read_outcomes",
    "share_at",
]  # fmt: skip

_HOME = {
    "Cascade": "cascade",
    "Choice": "router",
    "Doubt": "cascade",
    "Floor": "floor",
    "Outcomes": "outcomes",
    "Router": "router",
    "Rule": "rules",
    "Step": "cascade",
    "area": "floor",
    "hold_floor": "floor",
    "read_outcomes": "outcomes",
    "share_at": "floor",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
