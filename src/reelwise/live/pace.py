"""Decides on which frames the model is asked: those that need it most, as often as quality, rate or price allow.

Each frame has a `need` (1 is the threshold of the default quality). What changes is the threshold it is held against: under a
quality it follows how well carried masks did when the next inference came; under a rate or a price it follows how full the bucket
is, so that any kind of footage, whatever its needs, settles where exactly what flows in is spent.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.live.bucket import Bucket, hour_bucket, minute_bucket
from reelwise.live.target import QUALITY, exact_nano

if TYPE_CHECKING:
    from reelwise.live.modes import Profile
    from reelwise.live.target import Limits, Target

__all__ = ["EVERY_FRAME", "Pace", "QualityThreshold"]

EVERY_FRAME = "every frame"

_DEFAULT_ERROR = 1.0 - QUALITY
_STEP = 0.1  # of the logarithm of the threshold, at each inference that the threshold called for
_BOUND = math.log(3.0)
_ALLOWED_MOST = 0.25  # of such inferences; the mean is to be good, too
_SHARE_KEPT = 0.95
_STEEPNESS = 4.0
_FULL = 0.97
_REST_HOUR, _REST_MINUTE = 0.5, 0.75  # how full a bucket should be where nothing much happens
_SPEED = 0.5
_REFERENCE_BOUND = 7.0
_MAX_AGE, _MAX_AGE_CALLS = 10.0, 4.0
_CALM_ERROR, _CALM_MAX = 0.03, 16.0
_SLACK = 1e-6  # a thirtieth of a second thirty times is a second


class QualityThreshold:
    """The need at which a frame is inferred, so that 95 of 100 frames keep a quality.

    It starts where the default scale of needs puts that quality. Whenever an inference was called for by need, the mask that was
    carried up to it is compared with the new one: worse than asked for too often lowers the threshold, else it rises. It stays
    within a third and three times its start.

    Args:
        quality: IoU.
    """

    def __init__(self, quality: float) -> None:
        self._quality = quality
        self._start = math.log(max(0.02, (1.0 - quality) / _DEFAULT_ERROR))
        self._log = self._start
        self._share = 0.1

    @property
    def value(self) -> float:
        """The threshold."""
        return math.exp(self._log)

    def saw(self, *, inferred: bool) -> None:
        """Take note of a frame."""
        self._share += 0.01 * (inferred - self._share)

    def learned(self, iou: float) -> None:
        """Take note of how well the carried mask overlapped with the new one, on a frame that the threshold called for."""
        # those are the worst frames of each run: of all frames 5 % may be worse, of these so many more as they are rarer
        allowed = min(_ALLOWED_MOST, max(0.05, (1.0 - _SHARE_KEPT) / max(self._share, 1e-3)))
        self._log += 2 * _STEP * (allowed - (iou < self._quality))
        self._log = min(max(self._log, self._start - _BOUND), self._start + _BOUND)


class Pace:
    """The controller.

    Args:
        target: what to hold.
        limits: what holds besides.
        usd_per_call: what one inference costs, exact.

    Raises:
        InputError: dollars an hour without a price of a call, or less than one call costs; or masks that may not get as old as the
            rate or price lets them.
    """

    def __init__(self, target: Target, limits: Limits, usd_per_call: Fraction) -> None:
        self._limits = limits
        self._bucket = _bucket_of(target, usd_per_call)
        self._rest = _REST_HOUR if target.inferences_a_minute is None else _REST_MINUTE
        wanted = target.quality if target.quality is not None or self._bucket is not None else QUALITY
        self.quality = QualityThreshold(wanted) if wanted is not None else None
        self._max_age = _max_age_of(limits, self._bucket)
        self._log_reference = 0.0
        self._last = -math.inf
        self._counted = True
        self._calm = 1.0  # a refresh that found nothing doubles the wait for the next

    @property
    def threshold(self) -> float:
        """The need from which on a frame is inferred now."""
        quality = self.quality.value if self.quality is not None else 0.0
        if self._bucket is None:
            return quality
        full = self._bucket.fullness
        if full >= _FULL:
            return quality  # what flows in now would be lost
        if self.quality is not None and full >= self._rest:
            return quality
        return max(quality, math.exp(self._log_reference + _STEEPNESS * (self._rest - full)))

    def move(self, at: float, profile: Profile) -> None:
        """Let time go on to a moment, in seconds of the stream."""
        if self._bucket is None:
            return
        passed = self._bucket.refill(round(at * 1e6), profile.halves)
        if passed:
            # at rest is where it should settle: the reference follows the footage's own scale of needs
            pull = _SPEED * min(passed / max(1.0, self._bucket.fill_seconds), 0.25)
            self._log_reference += pull * (self._rest - self._bucket.fullness)
            self._log_reference = min(max(self._log_reference, -_REFERENCE_BOUND), _REFERENCE_BOUND)

    def reason(self, at: float, need: float, *, age: float, cue: str, must: str, profile: Profile) -> str:
        """Say why this frame should be inferred; empty where it should not.

        Args:
            at: seconds of the stream.
            need: how much the frame asks for it.
            age: seconds since the frame that the present mask was computed on.
            cue: what else asks for it; empty for nothing.
            must: why it is wanted whatever the need is (no mask yet, ...); empty where it is not.
            profile: of the mode.
        """
        since = at - self._last
        ceilings = [one for one in (self._limits.ceiling_fps, profile.ceiling_fps) if one > 0]
        if ceilings and since < (1.0 - _SLACK) / min(ceilings):
            return ""
        if profile.every_frame or not self.affordable:
            return EVERY_FRAME if profile.every_frame else ""
        if must or cue:
            return must or cue
        if age >= self._max_age - _SLACK:
            return "age"
        if need >= self.threshold * profile.need:
            return "need" if need > 0 else "refresh"
        baseline = self._limits.baseline_fps * profile.baseline if self._bucket is None else 0.0
        return "refresh" if baseline > 0 and since >= self._calm * (1.0 - _SLACK) / baseline else ""

    def learned(self, reason: str, iou: float, *, gap: int) -> None:
        """Take note of how well a carried mask overlapped with the new one.

        Args:
            reason: why the frame was inferred.
            iou: of the two.
            gap: frames since the one that the carried mask was computed on.
        """
        agreed = iou >= 1.0 - _CALM_ERROR
        self._calm = min(self._calm * 2.0, _CALM_MAX) if agreed and reason in {"refresh", "age"} else self._calm
        self._calm = self._calm if agreed else 1.0
        if reason == "need" and gap > 1 and self.quality is not None:
            self.quality.learned(iou)

    @property
    def affordable(self) -> bool:
        """Whether rate or price leave one call now."""
        return self._bucket is None or self._bucket.has_call

    def called(self, at: float, *, counts: bool = True) -> None:
        """Take note that a call is made.

        Args:
            at: seconds of the stream.
            counts: whether it counts under rate or price: what a user asked for frame by frame does not.
        """
        self._last = at
        self._counted = counts
        if self._bucket is not None and counts:
            self._bucket.take()

    def settled(self, share: Fraction) -> None:
        """Take note of what the last call cost, as a share of its price; 0 where it was not billed."""
        if self._bucket is not None and share != 1 and self._counted:
            self._bucket.settle(share)


def _max_age_of(limits: Limits, bucket: Bucket | None) -> float:
    if limits.max_age_seconds is not None:
        if bucket is not None and bucket.mean_seconds > limits.max_age_seconds * (1 + _SLACK):
            raise InputError(
                f"a mask every {bucket.mean_seconds:.3g} s is what rate or price give, and none may be older than "
                f"{limits.max_age_seconds:g} s",
                where="max_age_seconds",
                hint="allow more inferences, or older masks",
            )
        return limits.max_age_seconds
    return _MAX_AGE if bucket is None else max(_MAX_AGE, _MAX_AGE_CALLS * bucket.mean_seconds)


def _bucket_of(target: Target, usd_per_call: Fraction) -> Bucket | None:
    if target.inferences_a_minute is not None:
        return minute_bucket(Fraction(str(target.inferences_a_minute)))
    if target.usd_an_hour is None:
        return None
    if not usd_per_call:
        raise InputError(
            "dollars an hour, and no price of a call",
            where="usd_an_hour",
            hint='usd_per_call="0.001", or --price 0.001',
        )
    calls = exact_nano(target.usd_an_hour, "usd_an_hour") // usd_per_call
    if calls < 1:
        raise InputError(
            "one call costs more than that", where="usd_an_hour", hint="allow more an hour, or name a cheaper model"
        )
    return hour_bucket(calls)
