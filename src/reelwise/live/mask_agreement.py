"""How well masks agree over a sample: the mean and what 95 of 100 frames reach, each with an interval over clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelwise.run.agreement import Agreement, agreement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reelwise.run.agreement import Scored

__all__ = ["mask_agreement"]

_RESAMPLES = 1000


def mask_agreement(overlaps: Sequence[Scored], clips: int) -> Agreement | None:
    """Average overlaps, with intervals over clusters.

    Frames that follow each other are like each other. The interval is the wider one of two: by the variance between clusters (see
    `reelwise.run.agreement.interval_of`), and by resampling clusters, which is also the one of the p5.

    Args:
        overlaps: of each compared frame; `clip` names its cluster: the clip, or with one clip the part.
        clips: how many clips there are.
    """
    found = agreement("masks", overlaps)
    if found is None:
        return None
    names = sorted({one.clip for one in overlaps})
    groups = [np.array([(one.value, one.weight) for one in overlaps if one.clip == name]) for name in names]
    p5 = _p5(np.concatenate(groups))
    if len(groups) < 2:
        return Agreement(
            what="masks",
            value=found.value,
            low=0.0,
            high=1.0,
            items=found.items,
            clips=clips,
            p5=p5,
            p5_low=0.0,
            p5_high=1.0,
        )
    draws = np.random.default_rng(0).integers(0, len(groups), (_RESAMPLES, len(groups)))
    means, tails = [], []
    for draw in draws:
        rows = np.concatenate([groups[one] for one in draw])
        means.append(float(np.average(rows[:, 0], weights=rows[:, 1])))
        tails.append(_p5(rows))
    low, high = (float(one) for one in np.percentile(means, [2.5, 97.5]))
    p5_low, p5_high = (float(one) for one in np.percentile(tails, [2.5, 97.5]))
    return Agreement(
        what="masks", value=found.value, low=min(found.low, low), high=max(found.high, high), items=found.items, clips=clips,
        p5=p5, p5_low=min(p5, p5_low), p5_high=max(p5, p5_high),
    )  # fmt: skip


def _p5(rows: NDArray[np.float64]) -> float:
    """Return what 95 of 100 reach, each row with its weight."""
    order = np.argsort(rows[:, 0])
    values, shares = rows[order, 0], np.cumsum(rows[order, 1]) / rows[:, 1].sum()
    return float(values[min(len(values) - 1, int(np.searchsorted(shares, 0.05)))])
