"""One clip under way through the cascade: what is known of it so far, and what that cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from reelwise.scan.candidates import candidates_of, quiet_of
from reelwise.scan.normal import Unrest
from reelwise.scan.normal import unrest as measure_unrest
from reelwise.scan.receipt import Spent
from reelwise.scan.separable import Verdict, check, judge, sample_keys
from reelwise.scan.source import Source
from reelwise.scan.watch import overlay_mask

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from reelwise.scan.exact import Verified
    from reelwise.scan.watch import Spans

__all__ = ["Stream", "length_of"]

_PAIRS_SURE = 4  # of key frames that agree: fewer cannot say alone that nothing happens
_STANDS_OUT = 4.5  # robust deviations: what an event reaches in a stream whose packets tell it from quiet
_LIGHT_LEVELS = 7.0  # between sampled key frames that should look alike


class Stream:
    """A clip, its packets, what they call unusual, and whether that is to be believed.

    Args:
        path: the clip.
        asked: the method that was asked for; auto for any.

    Raises:
        MediaError: it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], *, asked: str) -> None:
        self._began = self._mark = time.process_time()
        self._frames = 0
        self.asked, self.why = asked, ""
        self.spent: list[Spent] = []
        self.blind = 0.0
        self.jumped: Spans = []
        self.edges_checked, self.edge_error = 0, 0.0
        self.source = Source(path)
        self.packets = self.source.packets(quantisers=asked == "slices")
        self.unrest = Unrest(*measure_unrest(self.packets))
        limit, self.candidates = candidates_of(self.unrest, self.packets)
        quiet = quiet_of(self.unrest, self.packets, limit)
        self.spend("packets")
        self.mask: NDArray[np.bool_] | None = None
        self.verdict = self._judged(quiet)

    def _judged(self, quiet: NDArray[np.float64]) -> Verdict:
        verdict = judge(self.packets, self.source.size, length_of(self.candidates) / self.packets.seconds)
        if len(self.packets.keys) < 2 or self.asked == "luma":
            return verdict
        pairs = sample_keys(self.packets, quiet)
        if not pairs:
            return verdict
        held, grids = check(self.source, self.packets, pairs)
        self.spend("sample")
        self.mask = overlay_mask(grids)
        tones = [float(np.median(grid)) for grid in grids]
        if tones and max(tones) - min(tones) > _LIGHT_LEVELS:
            _, self.candidates = candidates_of(self.unrest, self.packets, light=True)
        if not verdict.separable:
            return verdict
        peak = float(self.unrest.score.max()) if len(self.unrest.score) else 0.0
        if held.separable and len(pairs) < _PAIRS_SURE and peak < _STANDS_OUT:
            few = "1 pair" if len(pairs) == 1 else f"{len(pairs)} pairs"
            why = f"nothing stands out in the sizes of packets, and {few} of key frames cannot say alone that nothing happens"
            return Verdict(separable=False, why=why)
        return Verdict(separable=held.separable, why=f"{verdict.why}; {held.why}" if held.separable else held.why)

    def spend(self, signal: str) -> None:
        """Write down what was spent since the last time."""
        now, frames = time.process_time(), self.source.decoded
        self.spent.append(
            Spent(signal=signal, cpu_seconds=round(now - self._mark, 4), frames_decoded=frames - self._frames)
        )
        self._mark, self._frames = now, frames

    def cpu_seconds(self) -> float:
        """Return what this scan took until now."""
        return time.process_time() - self._began

    def take(self, verified: Verified) -> Spans:
        """Note how events were decoded, and return them."""
        self.jumped = verified.jumped
        self.edges_checked, self.edge_error = verified.edges_checked, verified.edge_error
        self.spend("luma")
        return verified.events

    def found_by(self, start: float, stop: float, method: str, mode: str) -> str:
        """Say how the edges of an event were found."""
        if mode == "coarse" or method == "person":
            return method
        return "jump" if any(a < stop and b > start for a, b in self.jumped) else "luma"


def length_of(spans: Spans) -> float:
    """Add up the length of spans."""
    return sum(stop - start for start, stop in spans)
