"""Whether packet sizes tell active from quiet in this stream: what the encoder was asked for, held against some key frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.scan.normal import robust_spread
from reelwise.scan.packets import BETWEEN, KEY, PREDICTED
from reelwise.scan.source import FULL
from reelwise.video.motion import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelwise.scan.packets import Packets
    from reelwise.scan.source import Source

__all__ = ["Verdict", "check", "judge", "sample_keys"]

_SECONDS_MIN = 100.0  # below, too little is quiet for long enough to learn from, and decoding costs little
_PACKETS_MIN = 300
_BITS_PER_BLOCK_MAX = 24.0  # of 16x16 pixels, in the usual picture: above, an encoder spends its bits on noise
_PINNED = 0.03  # spread of the logarithm of a second's bytes: below, the rate is held constant
_BITS_STILL = 6.0  # below, sizes are alike because nothing is coded
_KEPT_MAX = 0.4
_SAMPLE_SHARE = 0.003  # of a full decode
_KEY_COST = 4.0  # a key frame takes about as long as so many other pictures
_PAIRS_MAX = 12
_CHANGED = 0.01


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether packets can be relied on, and why in words."""

    separable: bool
    why: str


def judge(packets: Packets, size: tuple[int, int], kept_share: float) -> Verdict:
    """Judge by the packets alone.

    Args:
        packets: the stream's packets.
        size: width and height in pixels.
        kept_share: share of the time that packets call unusual.
    """
    other = packets.kind != KEY
    why = ""
    if packets.restarts or packets.repaired:
        why = "its clock had to be repaired"
    elif not other.any():
        why = "every picture is a key frame: sizes follow texture, not motion"
    elif packets.count < _PACKETS_MIN or packets.seconds < _SECONDS_MIN:
        why = f"{packets.seconds:.0f} s are too short to learn what is normal"
    if why:
        return Verdict(separable=False, why=why)
    bits = float(np.mean(packets.size[other])) * 8 / max(1.0, size[0] * size[1] / 256)
    usual = packets.size[packets.kind == (BETWEEN if (packets.kind == BETWEEN).mean() > 0.3 else PREDICTED)]
    spread = robust_spread(np.log(np.maximum(usual, 1).astype(np.float64)))
    if spread < _PINNED and bits > _BITS_STILL:
        why = f"packet sizes are all alike (spread {spread:.3f}): a constant bit rate, or noise"
    elif bits > _BITS_PER_BLOCK_MAX:
        why = f"{bits:.0f} bits for each 16x16 pixels of a picture: noise drowns motion"
    elif kept_share > _KEPT_MAX:
        why = f"packets call {kept_share:.0%} of the time unusual"
    if why:
        return Verdict(separable=False, why=why)
    return Verdict(separable=True, why=f"{bits:.1f} bits for each 16x16 pixels of a picture, {kept_share:.1%} unusual")


def sample_keys(packets: Packets, quiet: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Choose pairs of neighbouring key frames between which packets saw nothing, spread over the file.

    Args:
        packets: the stream's packets.
        quiet: float64 (keys - 1,), how unusual packets were between each key frame and the next; nan where too unusual.

    Returns:
        Positions of packets, in pairs; at most 0.3 % of what decoding everything costs, but one pair at least.
    """
    keys = packets.keys
    budget = int(packets.count * _SAMPLE_SHARE / _KEY_COST)
    pairs = max(1, min(_PAIRS_MAX, budget // 2))
    known = np.flatnonzero(~np.isnan(quiet))
    if not len(known):
        return []
    chosen = np.unique(known[((np.arange(pairs) + 0.5) / pairs * len(known)).astype(int)])
    return [(int(keys[at]), int(keys[at + 1])) for at in chosen.tolist()]


def check(source: Source, packets: Packets, pairs: list[tuple[int, int]]) -> tuple[Verdict, list[NDArray[np.uint8]]]:
    """Decode pairs of key frames and see whether something moved that packets did not tell."""
    plan = np.zeros(packets.count, np.uint8)
    for pair in pairs:
        plan[list(pair)] = FULL
    grids: dict[float, NDArray[np.uint8]] = {}
    for seconds, grid in source.grids(packets, plan):
        grids[round(seconds, 3)] = grid
    missed = 0
    held = 0
    for first, second in pairs:
        a, b = (grids.get(round(float(packets.times[at]), 3)) for at in (first, second))
        if a is None or b is None:
            continue
        held += 1
        missed += _differ(a, b)
    stack = [grids[at] for at in sorted(grids)]
    if missed > held / 2:
        why = f"packets saw nothing where {missed} of {held} pairs of key frames differ"
        return Verdict(separable=False, why=why), stack
    return Verdict(separable=True, why=f"{held - missed} of {held} pairs of key frames agree"), stack


def _differ(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    motion = Motion()
    measured = motion.measure(np.stack([a, a, a, b]), np.array([0.0, 0.1, 0.2, 0.3]))
    return bool(measured[3, 1] > _CHANGED)
