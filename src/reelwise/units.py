"""Numbers that may be floats or arrays, and money.

Pricing runs on plain floats; a Monte Carlo run passes numpy arrays through the same code: classes of items on the
last axis, draws or plan variants on the first. The helpers here work on both and import numpy only when they meet an array.
Estimated money is a float in USD; metered money is an integer in nano-USD.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "HOURS_A_MONTH",
    "NANO",
    "Num",
    "ceil",
    "exp",
    "floor",
    "is_array",
    "log1p",
    "maximum",
    "minimum",
    "nano_from_usd",
    "sqrt",
    "total",
    "usd_from_nano",
    "where",
]

Num: TypeAlias = "float | NDArray[np.float64]"

HOURS_A_MONTH = 730.0
"""365 x 24 / 12, the hours that clouds bill a month with."""

NANO = 1_000_000_000
_EPSILON = 1e-9


def is_array(value: object) -> TypeGuard[NDArray[np.float64]]:
    """Say whether a number is a numpy array (without importing numpy to find out)."""
    return hasattr(value, "dtype")


def _numpy() -> Any:
    import numpy as np

    return np


def ceil(value: Num) -> Num:
    """Round up, forgiving a relative float error of 1e-9 (0.1 * 30 frames are 3 frames, not 4)."""
    if is_array(value):
        return _numpy().ceil(value - _EPSILON * _numpy().abs(value))  # type: ignore[no-any-return]
    plain = float(value)
    return float(math.ceil(plain - _EPSILON * abs(plain)))


def floor(value: Num) -> Num:
    """Round down, forgiving a relative float error of 1e-9 (29.9999999999 streams are 30)."""
    if is_array(value):
        return _numpy().floor(value + _EPSILON * _numpy().abs(value))  # type: ignore[no-any-return]
    plain = float(value)
    return float(math.floor(plain + _EPSILON * abs(plain)))


def exp(value: Num) -> Num:
    """Raise e to a power, elementwise."""
    return _numpy().exp(value) if is_array(value) else math.exp(value)


def log1p(value: Num) -> Num:
    """Take the natural logarithm of 1 and a number, elementwise."""
    return _numpy().log1p(value) if is_array(value) else math.log1p(value)


def sqrt(value: Num) -> Num:
    """Take the square root, elementwise."""
    return _numpy().sqrt(value) if is_array(value) else math.sqrt(value)


def where(condition: Any, yes: Num, no: Num) -> Num:
    """Choose elementwise; on plain values, choose one."""
    if is_array(condition) or is_array(yes) or is_array(no):
        return _numpy().where(condition, yes, no)  # type: ignore[no-any-return]
    return yes if condition else no


def minimum(a: Num, b: Num) -> Num:
    """Take the smaller, elementwise."""
    if is_array(a) or is_array(b):
        return _numpy().minimum(a, b)  # type: ignore[no-any-return]
    return min(a, b)


def maximum(a: Num, b: Num) -> Num:
    """Take the larger, elementwise."""
    if is_array(a) or is_array(b):
        return _numpy().maximum(a, b)  # type: ignore[no-any-return]
    return max(a, b)


def total(value: Num) -> Num:
    """Sum over the classes of items (the last axis); draws and variants keep their axis."""
    if is_array(value):
        return value.sum(axis=-1)  # type: ignore[no-any-return]
    return value


def nano_from_usd(usd: Decimal | str | float) -> int:
    """Convert USD to integer nano-USD, rounding half to even once."""
    return int((Decimal(str(usd)) * NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def usd_from_nano(nano: int) -> Decimal:
    """Convert integer nano-USD to an exact USD decimal."""
    return Decimal(nano) / NANO
