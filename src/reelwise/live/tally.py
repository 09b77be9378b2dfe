"""Counts what an adaptive run does, in bounded memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reelwise.live.histogram import Durations, Shares
from reelwise.live.receipt import Moment, Overlap, Timing

if TYPE_CHECKING:
    from reelwise.live.answer import Answer

__all__ = ["Tally", "overlap_of", "timing_of"]

_MOMENTS = 1000
_NOTES = 20
_REASONS = 32


class Tally:
    """The counts; each is an attribute of the receipt's name."""

    def __init__(self) -> None:
        self.frames = self.answers = self.denied = self.waited = self.dropped = 0
        self.frames_blank = self.frames_black = self.size_changes = 0
        self.age_seconds_most = 0.0
        self.behind_most = 0
        self.reasons: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.failure_last = ""
        self.skip_path, self.carried, self.inferred, self.model = Durations(), Durations(), Durations(), Durations()
        self.refresh = Shares()
        self.verified = Shares()
        self.first_mask_seconds: float | None = None
        self.first: float | None = None
        self.last = 0.0
        self._notes: dict[str, int] = {}
        self._moments: list[list[float]] = []  # seconds, need (-1 for none), frames, inferences
        self._each = 1

    def asked(self, reason: str) -> None:
        """Count an inference by what asked for it; of names of cues only some are kept apart."""
        self.reasons[reason if reason in self.reasons or len(self.reasons) < _REASONS else "other"] += 1

    def note(self, said: str) -> None:
        """Keep something to say; the same words once, with a count."""
        if said in self._notes or len(self._notes) < _NOTES:
            self._notes[said] = self._notes.get(said, 0) + 1

    def took(self, answer: Answer, seconds: float, *, cpu: float, judged: bool, waited: bool) -> None:
        """Take note of a frame's answer.

        Args:
            answer: what the frame got.
            seconds: how long that took.
            cpu: how much of that its thread was at work.
            judged: whether its need was judged.
            waited: whether it waited for its own inference.
        """
        self.frames += 1
        self.first = answer.seconds if self.first is None else self.first
        self.last = answer.seconds
        self.frames_blank += answer.kind == "blank"
        self.frames_black += answer.black
        if answer.kind != "blank":
            self.age_seconds_most = max(self.age_seconds_most, answer.age_seconds)
        (self.inferred if waited else self.carried).add(seconds)
        if not answer.reason:
            self.skip_path.add(cpu)
        self._moment(answer.seconds, answer.need if judged else -1.0, inferred=bool(answer.reason))

    def _moment(self, seconds: float, need: float, *, inferred: bool) -> None:
        moments = self._moments
        if moments and moments[-1][2] < self._each:
            last = moments[-1]
            last[1], last[2], last[3] = max(last[1], need), last[2] + 1, last[3] + inferred
            return
        if len(moments) >= _MOMENTS:
            self._each *= 2
            moments[:] = [
                [a[0], max(a[1], b[1]), a[2] + b[2], a[3] + b[3]]
                for a, b in zip(moments[::2], moments[1::2], strict=True)
            ]
        moments.append([seconds, need, 1, inferred])

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The run in stretches, for drawing it."""
        return tuple(
            Moment(
                seconds=round(at, 3),
                need=None if need < 0 else round(need, 4),
                frames=int(frames),
                inferences=int(sent),
            )
            for at, need, frames, sent in self._moments
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say."""
        return tuple(said if count == 1 else f"{said} ({count:,} times)" for said, count in self._notes.items())


def overlap_of(shares: Shares) -> Overlap | None:
    """Return mean and percentiles; None where nothing was compared."""
    if not shares.count:
        return None
    return Overlap(
        mean=round(shares.mean, 4),
        p5=round(shares.at(0.05), 4),
        p1=round(shares.at(0.01), 4),
        min=round(shares.least, 4),
        frames=shares.count,
    )


def timing_of(durations: Durations) -> Timing:
    """Return mean and percentiles in milliseconds."""
    return Timing(**durations.milliseconds())
