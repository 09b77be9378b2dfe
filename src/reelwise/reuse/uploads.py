"""Duplicate uploads: a clip that is a stored one again, in another size or container, has that one's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.duplicates import seen

if TYPE_CHECKING:
    from reelwise.duplicates import Fingerprint, Index

__all__ = ["same_upload"]

LEAST = 0.99


def same_upload(index: Index, fingerprint: Fingerprint, *, probability: float = LEAST) -> str | None:
    """Return the name under which the whole clip was stored, or None.

    Only a verdict of "duplicate" counts: all of one is all of the other, over the same seconds. A part, a crop or the same scene at
    another time has answers of its own.

    Args:
        index: of stored clips; add them under what names their answers, e.g. `clip_pixels(path)`.
        fingerprint: of the asked clip, see `reelwise.duplicates.fingerprint_clip`.
        probability: that it is a copy, at least.
    """
    for match in seen(index, fingerprint).matches:
        whole = match.crop[0] > 0.98 and match.crop[1] > 0.98 and abs(match.asked[0] - match.stored[0]) < 1.0
        if (
            match.verdict == "duplicate"
            and whole
            and match.probability is not None
            and match.probability >= probability
        ):
            return match.clip
    return None
