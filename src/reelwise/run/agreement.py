"""How far a cheaper plan's answers agree with the full plan's, with 95 % intervals: labels, texts, and the events that are seen."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Agreement", "label_agreement", "mean_agreement", "text_likeness"]

_Z = 1.959964
_RESAMPLES = 2000
_WORD = re.compile(r"[^\W_]+")


class Agreement(Struct, frozen=True, kw_only=True):
    """How far two plans agree in one respect.

    Attributes:
        what: labels, text or events.
        value: share of equal labels; mean likeness of texts, 0..1; share of active time that is still looked at.
        low, high: 95 % interval over items.
        items: items it rests on.
    """

    what: str
    value: float
    low: float
    high: float
    items: int


def label_agreement(pairs: Sequence[tuple[str, str]]) -> Agreement | None:
    """Compare labels: the share of equal ones with its Wilson interval; None without any."""
    if not pairs:
        return None
    n = len(pairs)
    share = sum(a == b for a, b in pairs) / n
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * (share * (1 - share) / n + _Z**2 / (4 * n * n)) ** 0.5
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Agreement(what="labels", value=share, low=min(low, share), high=max(high, share), items=n)


def text_likeness(one: str, other: str) -> float:
    """Compare two texts by their words: F1 of the words that both have, 0..1, whatever their order and case."""
    a, b = Counter(_WORD.findall(one.lower())), Counter(_WORD.findall(other.lower()))
    if not a and not b:
        return 1.0
    both = sum((a & b).values())
    return 2 * both / (sum(a.values()) + sum(b.values()))


def mean_agreement(what: str, values: Sequence[float], weights: Sequence[float] | None = None) -> Agreement | None:
    """Average over items, with an interval by resampling them; None without any. One item has no interval but 0 to 1."""
    if not values:
        return None
    import numpy as np

    table = np.array(values, float)
    sizes = np.ones(len(table)) if weights is None else np.array(weights, float)
    if sizes.sum() <= 0:
        return None
    value = float((table * sizes).sum() / sizes.sum())
    if len(table) < 2:
        return Agreement(what=what, value=value, low=0.0, high=1.0, items=1)
    draws = np.random.default_rng(0).integers(0, len(table), (_RESAMPLES, len(table)))
    drawn, whole = (table * sizes)[draws].sum(axis=1), sizes[draws].sum(axis=1)
    means = np.divide(drawn, whole, out=np.full(_RESAMPLES, value), where=whole > 0)
    low, high = (float(q) for q in np.percentile(means, [2.5, 97.5]))
    # equal items say nothing of the next one: as many failures as n draws leave open (the rule of three)
    if high - low < 1e-9:
        low, high = max(0.0, value - 3.0 / len(table)), min(1.0, value + 3.0 / len(table))
    return Agreement(what=what, value=value, low=min(low, value), high=max(high, value), items=len(table))
