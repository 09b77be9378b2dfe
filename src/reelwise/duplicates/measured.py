"""The measured error of the verdicts, as published facts: written by bench/dedupe_publish.py from the bench's JSON."""

from __future__ import annotations

from importlib import resources

import msgspec

from reelwise.evidence import Fact

__all__ = ["error"]


def error() -> dict[str, Fact]:
    """Return how often verdicts are right, with 95 % intervals.

    Returns:
        "duplicates.recall_whole" and "duplicates.recall_part": share of re-encoded, resized, gray and brighter copies that
        are found, whole or as parts of 8 seconds; "duplicates.false_share": share of pairs that are no copies and are
        called so.
    """
    text = resources.files("reelwise").joinpath("data/duplicates.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Fact])
