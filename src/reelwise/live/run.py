"""A live run: frames from a source through the adaptive loop to outputs, until the source ends or somebody stops it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reelwise.errors import InputError, OutputError
from reelwise.live.histogram import Durations
from reelwise.live.latest import Latest
from reelwise.live.masks import iou
from reelwise.live.output import NobodyReadsError
from reelwise.live.report import LiveReport, Shot, report_of
from reelwise.live.source import Paced, Picture, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from reelwise.errors import ReelwiseError
    from reelwise.live.adaptive import Adaptive
    from reelwise.live.answer import Answer
    from reelwise.live.backdrop import Backdrop
    from reelwise.live.output import Output
    from reelwise.live.reference import Reference
    from reelwise.live.source import Source

__all__ = ["LiveRun", "Told"]

_STALL_SECONDS = 1.0
_TELL_SECONDS = 10.0


class Told(NamedTuple):
    """Something to tell while it runs: `what` is note, first (mask) or progress."""

    what: str
    text: str


class LiveRun:
    """One run; call `run`, then ask for `report`.

    Args:
        source: what gives frames.
        adaptive: the loop.
        outputs: where frames and masks go.
        backdrop: what is put behind the foreground, for outputs that take composed frames.
        reference: the same model once more, off the books: asked about every frame, to say how good the masks are; it is closed.
        for_seconds: how long to run, by the clock, or for a file by its own time; None until the source ends.
        shots: how many frames to keep for a picture of the run.
        tell: called with what there is to tell.
        began: when the command was called, by `time.monotonic`.
    """

    def __init__(
        self,
        source: Source,
        adaptive: Adaptive,
        *,
        outputs: Sequence[Output] = (),
        backdrop: Backdrop | None = None,
        reference: Reference | None = None,
        for_seconds: float | None = None,
        shots: int = 0,
        tell: Callable[[Told], None] | None = None,
        began: float | None = None,
    ) -> None:
        if backdrop is None and any(one.wants_frames for one in outputs):
            raise InputError("an output of frames without a background", where="live", hint="backdrop=Backdrop()")
        self.error: ReelwiseError | None = None
        self._source: Source = Latest(source) if source.live and not isinstance(source, Paced) else source
        self._adaptive, self._outputs, self._backdrop = adaptive, list(outputs), backdrop
        self._reference, self._for, self._tell = reference, for_seconds, tell
        self._began = time.monotonic() if began is None else began
        self._started: float | None = None
        self._first: float | None = None
        self._stopping = False
        self.ended = "the source ended"
        self.reconnects = 0
        self.stalls = 0
        self.read, self.compose, self.write = Durations(), Durations(), Durations()
        self._shots = _Shots(shots)
        self._size, self._black = (0, 0), False

    def stop(self, why: str = "stopped") -> None:
        """End soon, from another thread (not a signal handler, which may interrupt whoever holds a lock); no further call begins."""
        self._stopping = True
        self.ended = why
        self._source.stop()

    def run(self) -> LiveReport:
        """Run until the source ends, the time is up, nobody reads any more, or `stop` is called; outputs are finished whole.

        `error` is set afterwards where the source ended as it should not, or an output cannot be written: what was begun there is
        removed, the others are whole, and what was spent is in the report.

        Raises:
            ReelwiseError: the source cannot be read at all.
        """
        from reelwise.errors import ReelwiseError

        done = False
        try:
            try:
                self._work()
            except ReelwiseError as error:
                if self._first is None and not self._adaptive.receipt().frames:
                    raise
                self.error, self.ended = error, error.message
            done = True
        finally:
            self._source.close()
            self._adaptive.close()
            if self._reference is not None:
                self._reference.close()
            self._finish(whole=done)
        return self.report()

    def _work(self) -> None:
        quiet, told = time.monotonic(), time.monotonic()
        stalled = False
        for item in self._source.items():
            now = time.monotonic()
            if self._started is None:
                self._started = now
            if self._stopping:
                return
            if self._for is not None and self._passed(item, now) >= self._for:
                self.ended = f"{self._for:g} s are over"
                return
            if isinstance(item, Said):
                self._say("note", item.text)
                self._adaptive.note(item.text)
                self.reconnects += item.lost
            elif isinstance(item, Picture):
                quiet, stalled = now, False
                if not self._frame(item):
                    self.ended = "nobody reads the output any more"
                    return
                if now - told >= _TELL_SECONDS:
                    told = now
                    self._progress(item.seconds)
            elif not stalled and now - quiet > _STALL_SECONDS:
                stalled = True
                self.stalls += 1
                self._say("note", "no picture comes; nothing is sent meanwhile")

    def _passed(self, item: Picture | Said | None, now: float) -> float:
        """Return how long it has run: by the clock, for a file by its own time: how fast this machine reads decides nothing."""
        if self._source.live:
            return now - (self._started or now)
        return item.seconds if isinstance(item, Picture) else 0.0

    def _frame(self, item: Picture) -> bool:
        """Take one frame through; say whether anybody still reads."""
        mark = time.perf_counter()
        frame = item.rgb()
        self.read.add(time.perf_counter() - mark)
        answer = self._adaptive.look(frame, item.seconds)
        self._look_at(frame, answer)
        if self._first is None and answer.kind != "blank":
            self._first = time.monotonic() - self._began
            self._say("first", f"first mask after {self._first:.2f} s")
        if self._reference is not None and not answer.black:
            self._verify(self._reference, frame, answer)
        composed = None
        if self._backdrop is not None and (self._shots.due or any(one.wants_frames for one in self._outputs)):
            mark = time.perf_counter()
            composed = self._composed(frame, answer)
            self.compose.add(time.perf_counter() - mark)
        self._shots.take(frame, composed, answer)
        return self._written(frame, composed, answer)

    def _verify(self, reference: Reference, frame: NDArray[np.uint8], answer: Answer) -> None:
        if reference.is_over():
            return
        wanted = reference.mask(frame)
        if wanted is not None:
            self._adaptive.verified(iou(answer.mask, wanted))
        elif reference.is_over():
            said = f"not verified from {answer.seconds:,.1f} s on, for the model failed there, too: {reference.said}"
            self._say("note", said)
            self._adaptive.note(said)

    def _look_at(self, frame: NDArray[np.uint8], answer: Answer) -> None:
        """Tell what is unusual about a frame, once."""
        size = (frame.shape[1], frame.shape[0])
        if self._size not in {(0, 0), size}:
            self._say("note", f"the size of the picture changed to {size[0]}x{size[1]}")
        if answer.black and not self._black:
            self._say("note", "the picture is black; nothing is sent meanwhile")
        self._size, self._black = size, answer.black

    def _composed(self, frame: NDArray[np.uint8], answer: Answer) -> NDArray[np.uint8]:
        if answer.mode == "off" and self._adaptive.cause == "user":
            return frame  # whoever switches it off wants the picture as it is; anybody else's "off" uncovers nothing
        assert self._backdrop is not None  # noqa: S101 - checked where it is called
        return self._backdrop.compose(frame, answer.mask)

    def _written(self, frame: NDArray[np.uint8], composed: NDArray[np.uint8] | None, answer: Answer) -> bool:
        if not self._outputs:
            return True
        mark = time.perf_counter()
        for one in list(self._outputs):
            try:
                one.write(composed if one.wants_frames and composed is not None else frame, answer)
            except NobodyReadsError:
                self._outputs.remove(one)
                one.close()
                self._say("note", f"{one.shown}: nobody reads it any more")
            except OutputError:
                self._outputs.remove(one)
                one.abandon()
                raise
        self.write.add(time.perf_counter() - mark)
        return bool(self._outputs)

    def _finish(self, *, whole: bool) -> None:
        for one in list(self._outputs):
            try:
                if whole:
                    one.close()
                else:
                    one.abandon()
            except OutputError as error:
                self._outputs.remove(one)
                self.error = self.error or error

    def _progress(self, seconds: float) -> None:
        receipt = self._adaptive.receipt()
        minutes, rest = divmod(int(seconds), 60)
        cost = f", {receipt.cost_usd:.4g} USD" if receipt.usd_per_call else ""
        self._say(
            "progress",
            f"{minutes}:{rest:02d}  {receipt.frames:,} frames, {receipt.inferences:,} inferences "
            f"({receipt.inference_share:.1%}){cost}, mode {receipt.mode}",
        )

    def _say(self, what: str, text: str) -> None:
        if self._tell is not None:
            self._tell(Told(what, text))

    def report(self) -> LiveReport:
        """Say what was done."""
        self._adaptive.set_dropped(self._source.dropped)
        return report_of(
            self._adaptive.receipt(),
            source=self._source.shown,
            size=self._size,
            ended=self.ended,
            wall_seconds=time.monotonic() - (self._started or self._began),
            first_mask_seconds=self._first,
            reconnects=self.reconnects,
            stalls=self.stalls,
            durations=(self.read, self.compose, self.write),
            outputs=tuple(one.shown for one in self._outputs),
            shots=self._shots.chosen(),
        )


class _Shots:
    """Keeps some frames of the run, evenly spread however long it gets: every n-th, and n doubles when there are too many."""

    def __init__(self, count: int) -> None:
        self._count, self._every, self._seen = count, 1, 0
        self._kept: list[Shot] = []

    @property
    def due(self) -> bool:
        """Whether the next frame is kept."""
        return self._count > 0 and self._seen % self._every == 0

    def take(self, frame: NDArray[np.uint8], composed: NDArray[np.uint8] | None, answer: Answer) -> None:
        due, self._seen = self.due, self._seen + 1
        if not due:
            return
        self._kept.append(Shot.of(frame, composed, answer))
        if len(self._kept) >= 2 * self._count:
            self._kept = self._kept[::2]
            self._every *= 2

    def chosen(self) -> tuple[Shot, ...]:
        if len(self._kept) <= self._count:
            return tuple(self._kept)
        places = np.linspace(0, len(self._kept) - 1, self._count).round().astype(int)
        return tuple(self._kept[place] for place in places)
