"""What is normal in a live stream, learned packet by packet: running quantiles of each class, bounded, without a future.

The rules are those of `normal`, which sees a whole file: the logarithm of a packet's size against a lower quantile of its
own class, in units of its own spread, averaged over 0.4 s; and the share of predicted pictures against its median. Here
levels are those of the last minute, renewed once a second.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from reelwise.scan.normal import robust_spread
from reelwise.scan.packets import BETWEEN, KEY, PREDICTED

__all__ = ["Levels"]

_CLASS_MIN = 50
_CLASS_MAX = 1_500
_EMPTY_BYTES = 32.0
_LEVEL = 35.0
_SPREAD_MIN = 0.05
_SCORE_SPREAD_MIN = 0.3
_PATTERN_SPREAD_MIN = 0.08
_CLIP_LOW, _CLIP_HIGH = -4.0, 6.0
_SMOOTH_SECONDS = 0.4
_PATTERN_SECONDS = 0.8
_SAMPLE_SECONDS = 0.2
_SAMPLES_MAX = 300  # a minute
_LIMITS_MAX = 3_000  # fifths of a second: ten minutes
_RENEW_SECONDS, _RENEW_SOON_SECONDS, _SOON = 5.0, 1.0, 30
_UNUSUAL, _SURELY = 2.4, 8.0  # a false candidate costs some decoding, a missed one is missed
_QUIET_PERCENTILE = 87.0
_DEARER, _CHEAPER = 0.2, 0.02  # what a false candidate adds to the limit, what each renewal takes off again
_UNUSUAL_MAX, _SURE_SHARE, _CONFIRMED_MIN = 3.2, 0.8, 3
_BITS_PER_BLOCK_MAX = 24.0
_PINNED, _BITS_STILL = 0.03, 6.0
_KEPT_MAX = 0.4


class _Class:
    """Sizes of one class of packets: level and spread of the last ones."""

    def __init__(self) -> None:
        self.sizes: deque[float] = deque(maxlen=_CLASS_MAX)
        self.level, self.spread = 0.0, 0.0

    def renew(self) -> None:
        if len(self.sizes) < _CLASS_MIN:
            return
        values = np.array(self.sizes)
        self.level = float(np.percentile(values, _LEVEL))
        self.spread = max(robust_spread(values), _SPREAD_MIN)


class Levels:
    """Learns from packets, and says of each how unusual the moment is."""

    def __init__(self) -> None:
        self.limit = _UNUSUAL
        self._dearer = _UNUSUAL
        self._confirmed: deque[float] = deque(maxlen=20)
        self._classes = {PREDICTED: _Class(), BETWEEN: _Class()}
        self._recent: deque[tuple[float, float]] = deque()
        self._ahead: deque[tuple[float, int]] = deque()
        self._raw: deque[float] = deque(maxlen=_SAMPLES_MAX)
        self._patterns: deque[float] = deque(maxlen=_SAMPLES_MAX)
        self._scores: deque[float] = deque(maxlen=_LIMITS_MAX)
        self._sum, self._ahead_sum = 0.0, 0
        self._spread, self._pattern, self._pattern_spread = _SCORE_SPREAD_MIN, 0.0, 0.0
        self._renewed = self._sampled = -math.inf
        self._renewals = 0

    @property
    def held(self) -> int:
        """Count the numbers held: bounded, whatever the stream's length."""
        rings = len(self._raw) + len(self._patterns) + len(self._scores)
        return len(self._recent) + len(self._ahead) + rings + sum(len(one.sizes) for one in self._classes.values())

    def add(self, seconds: float, kind: int, size: int, *, learn: bool) -> float:
        """Take one packet, in the order they are coded.

        Args:
            seconds: when it is shown.
            kind: KEY, PREDICTED or BETWEEN.
            size: bytes.
            learn: whether it stands for what is normal; not during an event.

        Returns:
            How unusual the last 0.4 s are, in robust deviations; nan until enough is known, and for key frames.
        """
        if kind == KEY:
            return math.nan
        mine = self._classes[kind]
        value = math.log(size + _EMPTY_BYTES)
        if learn:
            mine.sizes.append(value)
        due = _RENEW_SOON_SECONDS if self._renewals < _SOON else _RENEW_SECONDS
        if seconds - self._renewed >= due or seconds < self._renewed - 2 * due:
            self._renewed = seconds
            self._renewals += 1
            self._renew()
        self._roll(seconds, kind, mine, value)
        if not mine.spread:
            return math.nan
        raw = self._sum / len(self._recent)
        share = self._ahead_sum / len(self._ahead)
        score = raw / self._spread
        if self._pattern_spread:
            score += (share - self._pattern) / self._pattern_spread
        if abs(seconds - self._sampled) >= _SAMPLE_SECONDS:
            self._sampled = seconds
            self._scores.append(score)
            if learn:
                self._raw.append(raw)
                self._patterns.append(share)
        return score

    def _roll(self, seconds: float, kind: int, mine: _Class, value: float) -> None:
        off = (value - mine.level) / mine.spread if mine.spread else 0.0
        off = min(_CLIP_HIGH, max(_CLIP_LOW, off))
        ahead = int(kind == PREDICTED)
        self._recent.append((seconds, off))
        self._ahead.append((seconds, ahead))
        self._sum += off
        self._ahead_sum += ahead
        # at least one stays; a clock that stands still or goes back cannot make these grow
        while len(self._recent) > 1 and not 0 <= seconds - self._recent[0][0] + 0.1 <= _SMOOTH_SECONDS + 0.1:
            self._sum -= self._recent.popleft()[1]
        while len(self._ahead) > 1 and not 0 <= seconds - self._ahead[0][0] + 0.1 <= _PATTERN_SECONDS + 0.1:
            self._ahead_sum -= self._ahead.popleft()[1]
        while len(self._ahead) > _CLASS_MAX:
            self._ahead_sum -= self._ahead.popleft()[1]
            self._sum -= self._recent.popleft()[1] if len(self._recent) > 1 else 0.0

    def _renew(self) -> None:
        for one in self._classes.values():
            one.renew()
        if len(self._raw) >= _CLASS_MIN:
            self._spread = max(robust_spread(np.array(self._raw)), _SCORE_SPREAD_MIN)
            shares = np.array(self._patterns)
            mixed = 0.02 < float(shares.mean()) < 0.98
            self._pattern = float(np.median(shares))
            self._pattern_spread = max(_PATTERN_SPREAD_MIN, robust_spread(shares)) if mixed else 0.0
        self._dearer = max(_UNUSUAL, self._dearer - _CHEAPER)
        if len(self._scores) >= _CLASS_MIN:
            usual = float(np.percentile(np.array(self._scores), _QUIET_PERCENTILE))
            self.limit = min(_SURELY, max(_UNUSUAL, usual, self._dearest()))

    def _dearest(self) -> float:
        """Return the limit that false candidates ask for, but none that most of what was confirmed would not reach."""
        known = len(self._confirmed) >= _CONFIRMED_MIN
        most = _SURE_SHARE * float(np.percentile(np.array(self._confirmed), 20)) if known else _UNUSUAL_MAX
        return min(self._dearer, max(_UNUSUAL, most))

    def verified(self, most: float, *, moved: bool) -> None:
        """Learn from a candidate that was decoded.

        Args:
            most: how unusual it was at most.
            moved: whether something moved in it.
        """
        if moved:
            self._confirmed.append(most)
        else:
            self._dearer = min(_SURELY, self._dearer + _DEARER)
            self.limit = max(self.limit, self._dearest())

    def judge(self, size: tuple[int, int]) -> tuple[bool, str]:
        """Say whether the packets alone allow relying on them, and why, in words.

        Args:
            size: of the picture, in pixels.
        """
        known = [one for one in self._classes.values() if len(one.sizes) >= _CLASS_MIN]
        if not known:
            return False, "there are too few pictures between key frames to learn from"
        sizes = np.concatenate([np.exp(np.array(one.sizes)) - _EMPTY_BYTES for one in known])
        bits = float(sizes.mean()) * 8 / max(1.0, size[0] * size[1] / 256)
        usual = max(known, key=lambda one: len(one.sizes))
        spread = robust_spread(np.array(usual.sizes))
        kept = float((np.array(self._scores) > self.limit).mean()) if self._scores else 0.0
        if spread < _PINNED and bits > _BITS_STILL:
            return False, f"packet sizes are all alike (spread {spread:.3f}): a constant bit rate, or noise"
        if bits > _BITS_PER_BLOCK_MAX:
            return False, f"{bits:.0f} bits for each 16x16 pixels of a picture: noise drowns motion"
        if kept > _KEPT_MAX:
            return False, f"packets call {kept:.0%} of the time unusual"
        return True, f"{bits:.1f} bits for each 16x16 pixels of a picture, {kept:.1%} unusual"
