"""Find what matters in a video faster than it can be decoded: packets first, key frames next, decoded pictures last.

Importing this package loads neither numpy nor av: `scan` is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.scan.cascade import scan
    from reelwise.scan.receipt import Event, Scan, Spent, Stretch

__all__ = ["Event", "Scan", "Spent", "Stretch", "scan"]


def __getattr__(name: str) -> Any:
    return attribute(__name__, {**dict.fromkeys(__all__, "receipt"), "scan": "cascade"}, name)


def __dir__() -> list[str]:
    return __all__
