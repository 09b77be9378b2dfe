"""The pictures of a live stream: packets are judged as they come, and decoded where something may begin.

Memory does not grow with the stream: packets are held from the last key frame but one on, levels over the last ten minutes.
Pictures are decoded while the scan learns what is normal, around what packets (or key frames, see `sight`) call unusual,
and all of them where neither can be relied on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reelwise.scan.groups import Decoder, Groups, Held
from reelwise.scan.levels import Levels
from reelwise.scan.packets import BETWEEN, KEY, PREDICTED
from reelwise.scan.runs import Run
from reelwise.scan.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.scan.pump import Coded, Opened
    from reelwise.scan.sight import Signal
    from reelwise.scan.timeline import Timeline

__all__ = ["Eye"]

_BEFORE_SECONDS = 1.0
_MASS_MIN = 0.04  # robust deviations times seconds above the limit: a lone packet is less
_MEASURED_BEFORE_SECONDS = 1.5  # and before that, to know what quiet looks like
_MUTE_SECONDS = 2.0
_MORE = 1.0  # robust deviations above what turned out to be nothing
_KEY_SPACING_SECONDS = 0.4
_NORMAL_AGAIN_SECONDS = 60.0  # of one event; what lasts longer is what is normal now


class Eye:
    """Watches the packets of one stream.

    Args:
        timeline: the stream's time; read here.
        tell: called with start and stop of what moves, in seconds; an infinite stop while it goes on.
        warm_up_seconds: how long everything is decoded to learn what is normal.
        forced: a signal to take whatever is learned; None to choose.
    """

    def __init__(
        self, timeline: Timeline, tell: Callable[[float, float], None], *, warm_up_seconds: float, forced: Signal | None
    ) -> None:
        self.levels, self.groups = Levels(), Groups()
        self.sight = Sight(self.levels, warm_up_seconds=warm_up_seconds, forced=forced)
        self.by: Signal = self.sight.signal
        self.frames = self.damaged = 0
        self.size = (0, 0)
        self._time, self._tell = timeline, tell
        self._decoder: Decoder | None = None
        self._keys: Run | None = None
        self._run: Run | None = None
        self._excess, self._candidate, self._most, self._last_key = 0.0, math.nan, 0.0, -math.inf
        self._mute, self._muted = -math.inf, 0.0
        self._shown = self._looked = -math.inf
        self._past = [0, 0, 0]

    @property
    def decoded(self) -> int:
        """Count the pictures that were decoded."""
        return self._past[0] + (self._decoder.decoded if self._decoder is not None else 0)

    @property
    def broken(self) -> int:
        """Count the packets that could not be decoded."""
        return self._past[1] + (self._decoder.broken if self._decoder is not None else 0)

    @property
    def sizes(self) -> int:
        """Count how often the size of the picture changed."""
        return self._past[2] + (self._decoder.sizes if self._decoder is not None else 0)

    def signal_of(self, *, key: bool) -> str:
        """Name the signal that looks at the next packet."""
        if self._run is not None:
            return "luma"
        return "keyframes" if key and self.sight.signal == "keyframes" else "packets"

    def open(self, opened: Opened) -> None:
        """Begin anew with a stream that was opened."""
        self.interrupted()
        if self._decoder is not None:
            other = (opened.width, opened.height) != self.size
            self._past = [self.decoded, self.broken, self.sizes + other]
        self._decoder = Decoder(opened)
        self._time.renew(opened.interval)

    def take(self, item: Coded) -> bool:
        """Take one packet; say whether the signal changed."""
        seconds, mended = self._time.read(item.stamp, item.arrived)
        if mended and self.frames:
            self.interrupted()
        self.frames += 1
        self.damaged += item.damaged
        kind = KEY if item.key else PREDICTED if seconds > self._shown else BETWEEN
        self._shown = seconds if mended else max(self._shown, seconds)
        held = Held(seconds, self._time.offset, kind, item.key, item.size, item.packet)
        self.groups.add(held)
        since = self._run.movement.open_since if self._run is not None else math.nan
        learn = math.isnan(since) or seconds - since > _NORMAL_AGAIN_SECONDS
        score = self.levels.add(seconds, kind, item.size, learn=learn)
        self.sight.packet(seconds, score, key=item.key)
        self._weigh(seconds, score)
        if self._run is not None:
            self._go_on(held)
        else:
            self._consider(held)
        if self._decoder is not None:
            self.size = self._decoder.size
        changed = self.sight.judge(seconds, self.size)
        if changed:
            self._keys = None
        return changed

    def _weigh(self, seconds: float, score: float) -> None:
        """Add up how far above the limit the last moments are: a candidate begins when that is enough."""
        if self._run is not None and score > self._run.most:
            self._run.most = score
        limit = self.levels.limit
        if seconds < self._mute:  # the same again is not worth decoding from the key frame once more
            limit = max(limit, self._muted + _MORE)
        if score > limit:
            if math.isnan(self._candidate):
                self._candidate, self._most = seconds, score
            self._most = max(self._most, score)
            self._excess += (score - limit) * self._time.interval
        elif score == score:  # noqa: PLR0124 - not nan
            self._candidate, self._excess = math.nan, 0.0

    def _consider(self, held: Held) -> None:
        """Begin to decode if there is reason to."""
        signal = self.sight.signal
        if signal == "luma":
            self._begin(held.seconds, held.seconds)
        elif signal == "packets":
            if self._excess >= _MASS_MIN:
                self._begin(self._candidate - _BEFORE_SECONDS, held.seconds)
            elif self.groups.nearly_full():
                self._begin(held.seconds, held.seconds)  # what is held now could not be decoded any more
            elif held.key and self.sight.wants_sample(held.seconds):
                self._sampled(held)
        elif held.key and held.seconds - self._last_key >= _KEY_SPACING_SECONDS:
            before, self._last_key = self._last_key, held.seconds
            if self._differs(held):
                self._begin(before, held.seconds)

    def _sampled(self, held: Held) -> None:
        for seconds, grid in self._alone(held):
            self.sight.sample(seconds, grid, quiet=math.isnan(self._candidate), counts=True)

    def _alone(self, held: Held) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Decode one key frame for its own sake."""
        if self._decoder is not None:
            yield from self._decoder.feed(held)
            yield from self._decoder.feed(None)

    def _differs(self, held: Held) -> bool:
        if self._keys is None:
            self._keys = Run(held.seconds, self.sight.mask)
        for seconds, grid in self._alone(held):
            if self.sight.due(seconds):
                self.sight.sample(seconds, grid.copy(), quiet=True, counts=False)
                self._keys.pictures.set_mask(self.sight.mask)
            if self._keys.key_differs(seconds, grid):
                return True
        return False

    def _begin(self, since: float, moment: float) -> None:
        """Decode from the key frame before a moment on."""
        packets = self.groups.since(since)
        if not packets:
            return
        self.by = self.sight.signal
        self._run = Run(moment, self.sight.mask)
        self._run.since, self._run.most = since - _MEASURED_BEFORE_SECONDS, self._most
        for one in packets:
            self._feed_run(one, references=one.seconds < since - _BEFORE_SECONDS)
        self._look()

    def _feed_run(self, held: Held, *, references: bool = False) -> None:
        assert self._run is not None and self._decoder is not None  # noqa: S101, PT018 - a run needs a decoder
        for seconds, grid in self._decoder.feed(held, references=references):
            if held.key and self.sight.due(seconds):
                quiet = math.isnan(self._run.movement.open_since)
                self.sight.sample(seconds, grid.copy(), quiet=quiet, counts=False)
                self._run.pictures.set_mask(self.sight.mask)
            if seconds >= self._run.since:
                self._run.pictures.add(seconds, grid)

    def _go_on(self, held: Held) -> None:
        self._feed_run(held)
        self._look()
        run = self._run
        if run is None or self.sight.signal == "luma":
            return
        if run.is_over(unusual=not math.isnan(self._candidate) and self.sight.signal == "packets"):
            moved = run.movement.last > -math.inf
            self.levels.verified(run.most, moved=moved)
            self._leave_run()
            if not moved:
                again = self.groups.since(held.seconds)  # what would have to be decoded once more
                self._mute = held.seconds + max(_MUTE_SECONDS, held.seconds - again[0].seconds if again else 0.0)
                self._muted = run.most
                self._candidate, self._excess = math.nan, 0.0

    def _look(self, *, now: bool = False) -> None:
        """Measure what was decoded, and tell what started and stopped."""
        run = self._run
        if run is None:
            return
        for start, stop in run.look(self._time.interval, now=now):
            self._saw(start, stop)

    def _saw(self, start: float, stop: float) -> None:
        """Tell an event, but for what an earlier run has looked at already: runs begin at a key frame, before that."""
        if stop <= self._looked + self._time.interval:
            return
        start = max(start, self._looked)
        self._tell(start, stop)
        if stop < math.inf:
            self.sight.event(start, stop)

    def _leave_run(self) -> None:
        if self._run is None or self._decoder is None:
            return
        for seconds, grid in self._decoder.feed(None):
            self._run.pictures.add(seconds, grid)
        self._look(now=True)
        left = self._run.ended()
        if left is not None:
            self._saw(*left)
        self._looked = max(self._looked, self._run.measured)
        self._run = None

    def interrupted(self) -> None:
        """Close what is under way: what follows does not build on it."""
        self._leave_run()
        self.groups.clear()
        self.sight.broke()
        self._keys = None
        self._candidate, self._excess, self._last_key = math.nan, 0.0, -math.inf
