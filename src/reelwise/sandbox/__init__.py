"""Model providers on this machine: the same wire shapes, token counts and prices, and an invoice, without a key and without a bill.

It counts from the bytes it receives, by its own rules and its own copy of the prices: it knows nothing of reelwise.tokens, rates and charge,
so that a run that agrees with its invoice has been checked by somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.sandbox.scenario import Scenario
    from reelwise.sandbox.server import Sandbox

__all__ = ["Sandbox", "Scenario"]

_HOME = {"Sandbox": "server", "Scenario": "scenario"}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
