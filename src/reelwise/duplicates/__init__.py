"""Has this clip been seen, or a part of it: fingerprints, an index on disk, and a verdict with a number.

Importing this package loads neither numpy nor av: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.duplicates.clip import fingerprint_clip
    from reelwise.duplicates.fingerprint import Builder, Fingerprint
    from reelwise.duplicates.index import Index
    from reelwise.duplicates.measured import error
    from reelwise.duplicates.verdict import Answer, Match, seen

__all__ = ["Answer", "Builder", "Fingerprint", "Index", "Match", "error", "fingerprint_clip", "seen"]

_HOME = {
    "Answer": "verdict",
    "Builder": "fingerprint",
    "Fingerprint": "fingerprint",
    "Index": "index",
    "Match": "verdict",
    "error": "measured",
    "fingerprint_clip": "clip",
    "seen": "verdict",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
