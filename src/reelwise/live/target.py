"""What the adaptive loop is to hold: a quality, a rate or a price, and limits that always hold."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from msgspec import Struct

from reelwise.errors import InputError

__all__ = ["QUALITY", "Limits", "Target", "exact_nano", "plain_usd"]

QUALITY = 0.95
"""The quality held where none is named: the overlap (IoU) with the model's own mask that 95 of 100 frames keep."""

_QUALITY_MIN, _QUALITY_MAX = 0.5, 0.999
_LARGEST = 1e9


class Target(Struct, frozen=True, kw_only=True):
    """What to hold. A rate or a price alone is used up, on the frames that ask for it most; with a quality, no more than that needs.

    Attributes:
        quality: IoU (0.5 to 0.999) with the model's own mask that 95 of 100 frames should keep; None: `QUALITY`, or what the money gives.
        inferences_a_minute: frames sent to the model in a minute, over time.
        usd_an_hour: dollars in any 60 minutes: never more, and 95 to 100 % of it where frames are there to spend it on.
    """

    quality: float | None = None
    inferences_a_minute: float | None = None
    usd_an_hour: Any = None

    def check(self) -> Target:
        """Return it, or raise `InputError` where something cannot be held."""
        if self.quality is not None and not _QUALITY_MIN <= self.quality <= _QUALITY_MAX:
            raise InputError(
                f"a quality is an IoU of {_QUALITY_MIN:g} to {_QUALITY_MAX:g}, not {self.quality:g}",
                where="quality",
                hint="0.95; for every frame choose the mode max",
            )
        if self.inferences_a_minute is not None and self.usd_an_hour is not None:
            raise InputError(
                "a rate and a price at once", where="target", hint="give inferences a minute or dollars an hour"
            )
        rate = self.inferences_a_minute
        if rate is not None and not 0 < rate <= _LARGEST:
            raise InputError(f"{rate:g} inferences a minute", where="inferences_a_minute", hint="more than 0: 60")
        if self.usd_an_hour is not None and exact_nano(self.usd_an_hour, "usd_an_hour") <= 0:
            raise InputError(
                "no dollars an hour", where="usd_an_hour", hint="1.50; to spend nothing choose the mode off"
            )
        return self

    @property
    def said(self) -> str:
        """The target in words."""
        parts = []
        if self.usd_an_hour is not None:
            parts.append(f"{plain_usd(exact_nano(self.usd_an_hour, 'usd_an_hour'))} USD an hour")
        if self.inferences_a_minute is not None:
            parts.append(f"{self.inferences_a_minute:g} inferences a minute")
        if self.quality is not None or not parts:
            parts.append(f"quality {self.quality or QUALITY:g}")
        return ", ".join(parts)


class Limits(Struct, frozen=True, kw_only=True):
    """Limits that hold whatever the target is. Times in seconds.

    Attributes:
        max_age_seconds: a mask that is older gets an inference on the next frame, whatever its need. None: 10 s; under a rate or a price
            four times the mean time between inferences, where that is longer.
        baseline_fps: inferences a second even where nothing moves, under a quality alone; each that finds the carried mask right doubles
            the wait for the next, up to sixteen times and `max_age_seconds`; 0 for none.
        ceiling_fps: inferences a second at most; 0 for no ceiling: up to every frame.
        wait_seconds: how long a frame waits for its own inference; then the mask is carried, and the answer taken when it comes.
            None waits until it comes: for files.
        timeout_seconds: an answer that takes longer is given up.
        retries: failures that are tried again at once, on the newest frame; bounded besides by a tenth of all calls.
        failures_max: failures in a row until the mode is basic.
        slow_seconds: with a model on the device to fall back to: the median answer that is too slow; 0 for never.
        probe_seconds: the first pause before a model that failed is tried again; it doubles up to `probe_seconds_max`.
        probe_seconds_max: the longest pause.
        blank_seconds: how long the last mask is shown where no model answers; then the whole picture counts as background.
    """

    max_age_seconds: float | None = None
    baseline_fps: float = 1.0
    ceiling_fps: float = 0.0
    wait_seconds: float | None = 1 / 30
    timeout_seconds: float = 10.0
    retries: int = 1
    failures_max: int = 3
    slow_seconds: float = 1.0
    probe_seconds: float = 1.0
    probe_seconds_max: float = 60.0
    blank_seconds: float = 3.0

    def check(self) -> Limits:
        """Return them, or raise `InputError` where one is out of range."""
        ranges = {
            "baseline_fps": (0.0, 1000.0),
            "ceiling_fps": (0.0, 1000.0),
            "timeout_seconds": (0.001, 3600.0),
            "retries": (0, 10),
            "failures_max": (1, 100),
            "slow_seconds": (0.0, 3600.0),
            "probe_seconds": (0.001, 3600.0),
            "probe_seconds_max": (0.001, 86_400.0),
            "blank_seconds": (0.0, 86_400.0),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{value:g} is not between {low:g} and {high:g}", where=name)
        if self.max_age_seconds is not None and not 0.001 <= self.max_age_seconds <= 86_400:
            raise InputError(f"{self.max_age_seconds:g} s", where="max_age_seconds", hint="0.001 to 86,400, or None")
        if self.wait_seconds is not None and not 0 <= self.wait_seconds <= 3600:
            raise InputError(f"{self.wait_seconds:g} s to wait", where="wait_seconds", hint="0 to 3,600, or None")
        if self.ceiling_fps and self.ceiling_fps < self.baseline_fps:
            raise InputError(
                f"a ceiling of {self.ceiling_fps:g} a second under a baseline of {self.baseline_fps:g}",
                where="ceiling_fps",
                hint="raise the ceiling, or lower the baseline",
            )
        if self.ceiling_fps and self.max_age_seconds is not None and self.ceiling_fps * self.max_age_seconds < 1:
            raise InputError(
                f"a ceiling of {self.ceiling_fps:g} a second, and no mask older than {self.max_age_seconds:g} s",
                where="max_age_seconds",
                hint="raise the ceiling, or allow older masks",
            )
        return self


def exact_nano(usd: Any, where: str) -> Fraction:
    """Return dollars as exact nano-dollars: text, Decimal and Fraction are exact, a float counts as it is written.

    Raises:
        InputError: no such amount, or negative.
    """
    try:
        nano = Fraction(str(usd) if isinstance(usd, float) else usd) * 1_000_000_000
    except (ArithmeticError, TypeError, ValueError):
        raise InputError(f"{usd!r:.40} is no amount of dollars", where=where, hint='"0.001"') from None
    if nano < 0 or nano > math.inf or nano > 10**18:
        raise InputError(f"{usd!r:.40} is less than nothing, or too much", where=where, hint='"0.001"')
    return nano


def plain_usd(nano: Fraction) -> str:
    """Write exact nano-dollars as dollars: 1.5, 0.0003125; as a fraction where decimals have no end."""
    usd = nano / 1_000_000_000
    text = f"{float(usd):.12f}".rstrip("0").rstrip(".")
    return text if Fraction(text or "0") == usd else str(usd)
