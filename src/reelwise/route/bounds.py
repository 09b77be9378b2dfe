"""Bounds on shares that were counted: what a sample proves of the whole, at a stated chance of being wrong."""

from __future__ import annotations

import math

from reelwise.errors import InputError

__all__ = ["lower", "mean_lower", "upper"]

_HALVINGS = 60


def upper(hits: int, total: int, risk: float) -> float:
    """Return the exact (Clopper-Pearson) upper bound of a share: the true one is above it in at most `risk` of samples.

    Args:
        hits: how often it happened.
        total: out of; 0 proves nothing and gives 1.
        risk: chance of being wrong, one side, 0..1.

    Raises:
        InputError: not a count, or not a chance.
    """
    _check(hits, total, risk)
    if hits == total:
        return 1.0
    low, high = hits / total, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(hits, total, middle) > risk else (low, middle)
    return high


def lower(hits: int, total: int, risk: float) -> float:
    """Return the exact lower bound of a share; see `upper`."""
    _check(hits, total, risk)
    return 1.0 - upper(total - hits, total, risk)


def mean_lower(total: float, squares: float, count: int, risk: float) -> float:
    """Return a lower bound of a mean by Student's t, the normal quantile widened for few rows.

    Args:
        total: sum of the values.
        squares: sum of their squares.
        count: how many; fewer than 30 prove nothing and give minus infinity.
        risk: chance of being wrong, one side.
    """
    if count < 30:
        return -math.inf
    mean = total / count
    spread = max(0.0, squares / count - mean * mean) * count / (count - 1)
    z = _normal(risk)
    return mean - (z + (z**3 + z) / (4 * (count - 1))) * math.sqrt(spread / count)


def _check(hits: int, total: int, risk: float) -> None:
    if not 0 <= hits <= total or not 0 < risk < 1:
        raise InputError(
            f"{hits} of {total} at a risk of {risk}", where="bound", hint="0 <= hits <= total, 0 < risk < 1"
        )


def _at_most(hits: int, total: int, share: float) -> float:
    """Return the chance of at most `hits` in `total`."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(hits >= total)
    # from the largest term down: it underflows only where the sum is nothing
    term = math.exp(
        math.lgamma(total + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(total - hits + 1)
        + hits * math.log(share)
        + (total - hits) * math.log1p(-share)
    )
    whole, odds = term, (1 - share) / share
    for number in range(hits, 0, -1):
        term *= number / (total - number + 1) * odds
        whole += term
        if term < whole * 1e-17:
            break
    return min(1.0, whole)


def _normal(risk: float) -> float:
    """Return the value that a standard normal exceeds with chance `risk`."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - risk)
