"""The adaptive loop as a machine that is driven frame by frame; it waits for nothing and has no lock of its own."""

from __future__ import annotations

import logging
from fractions import Fraction
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reelwise.live.answer import Answer
from reelwise.live.frames import is_black
from reelwise.live.health import Denial
from reelwise.live.masks import iou, scaled
from reelwise.live.modes import BASIC, OFF, Modes, Wish
from reelwise.live.pace import Pace
from reelwise.live.stream_time import StreamTime
from reelwise.live.tally import Tally
from reelwise.live.target import Target

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reelwise.live.afar import Afar
    from reelwise.live.carry import Carrier
    from reelwise.live.cues import Cues
    from reelwise.live.lane import Flight, Lane, Outcome
    from reelwise.live.modes import ModeChange
    from reelwise.live.presence import Presence
    from reelwise.live.target import Limits
    from reelwise.live.worker import Clock

__all__ = ["Engine", "Turn"]

_log = logging.getLogger("reelwise.live")


class Turn:
    """One frame on its way through the loop.

    Attributes:
        frame: the frame.
        at: its time in the stream.
        need: how much it asks for an inference.
        judged: whether that was looked at.
        black: whether it is black.
        lane, flight: the call that it was sent with; None for none.
        landed: whether that call's answer has come.
        began, cpu: when it came in, by `perf_counter` and `thread_time`.
    """

    __slots__ = ("at", "began", "black", "cpu", "flight", "frame", "judged", "landed", "lane", "need")

    def __init__(self, frame: NDArray[np.uint8], at: float, began: float, cpu: float) -> None:
        self.frame, self.at, self.began, self.cpu = frame, at, began, cpu
        self.need, self.judged, self.black, self.landed = 0.0, False, False, False
        self.lane: Lane | None = None
        self.flight: Flight | None = None


class _Shown(NamedTuple):
    """Where the present mask comes from."""

    at: float
    role: str


class Engine:
    """Takes frames, decides, sends, and takes what comes back.

    Args:
        main: the model that costs.
        device: a model on the device that takes over in basic mode; None for none.
        target: what to hold.
        limits: what holds besides.
        price: nano-dollars a call of the main model.
        make_carrier: makes what carries masks; a new one whenever the picture's size changes.
        cues: what else may ask for an inference.
        presence: whether anyone looks.
        afar: modes set from afar.
        modes: brings wishes together.
        mode: what the user chose.
        clock: the time.
    """

    def __init__(
        self,
        main: Lane,
        device: Lane | None,
        *,
        target: Target,
        limits: Limits,
        price: Fraction,
        make_carrier: Callable[[], Carrier],
        cues: Cues,
        presence: Presence,
        afar: Afar,
        modes: Modes,
        mode: str,
        clock: Clock,
    ) -> None:
        self.main, self.device, self.modes, self.presence, self.afar = main, device, modes, presence, afar
        self.chosen = Wish(mode, "user" if mode != modes.now.mode else "start", f"chosen: {mode}")
        self.pace = Pace(target, limits, price)
        self._device_pace = Pace(Target(quality=target.quality), limits, Fraction(0))
        self.denial = Denial(limits)
        self.tally = Tally()
        self.pending: list[ModeChange] = []
        self.carrier = make_carrier()
        self._make_carrier, self._cues, self._limits, self._clock = make_carrier, cues, limits, clock
        self._started = clock.now()
        self._size: tuple[int, ...] | None = None
        self.time = StreamTime()
        self._shown: _Shown | None = None
        self._wanted: float | None = None  # since when an inference is wanted and none came
        self._must = {"main": "", "device": ""}
        self._oldest = {"main": 0, "device": 0}  # answers to calls before these are of another picture
        self._begun_since = 0
        self._off_since: float | None = None
        self._black = False

    def _now(self) -> float:
        """Return the time that pauses between tries are counted in: the stream's where frames wait, for a file is read faster than it plays."""
        return self._clock.now() if self._limits.wait_seconds is not None else self.time.last or 0.0

    # a frame

    def begin(
        self, frame: NDArray[np.uint8], at: float | None, loop: asyncio.AbstractEventLoop | None, *, copy: bool
    ) -> Turn:
        """Take a frame: look at it, and send it where it should be inferred.

        Args:
            frame: RGB uint8 (height, width, 3).
            at: its time in the stream, in seconds; None for the clock's.
            loop: the running loop, for async models; None for none.
            copy: whether the frame may be overwritten before the model has seen it.
        """
        began, cpu = perf_counter(), thread_time()
        self.collect()
        turn = Turn(frame, self.time.read(self._clock.now() - self._started if at is None else float(at)), began, cpu)
        if self.time.gap:
            self._force()
        self.settle_mode()
        self._watch_size(frame)
        if self.modes.now.mode == OFF:
            return turn
        if self._off_since is not None and turn.at - self._off_since > self._limits.blank_seconds:
            self._forget()
        self._off_since = None
        turn.black = is_black(frame)
        self._watch_black(turn)
        if turn.black:
            return turn
        self.carrier.see(frame)
        turn.judged = True
        self._send(turn, loop, copy=copy)
        return turn

    def _watch_size(self, frame: NDArray[np.uint8]) -> None:
        if self._size is not None and frame.shape != self._size:
            self.tally.size_changes += 1
            before, now = (f"{one[1]}x{one[0]}" for one in (self._size, frame.shape))
            self.tally.note(f"the size of the picture changed from {before} to {now}")
            _log.info("the size of the picture changed from %s to %s", before, now)
            self._forget()
        self._size = frame.shape

    def _forget(self) -> None:
        """Let go of the mask: it is of another picture."""
        self.carrier = self._make_carrier()
        self._shown = None
        self._oldest = {lane.role: lane.calls + 1 for lane in (self.main, self.device) if lane is not None}
        self._force()

    def _force(self) -> None:
        """Have the next frame inferred, whatever its need is."""
        self._must = dict.fromkeys(self._must, "again")

    def _watch_black(self, turn: Turn) -> None:
        if turn.black and not self._black:
            _log.info("the picture is black: no model is asked", extra={"event": "segmentation_black"})
            self.tally.note("the picture was black for a while: no model was asked about it")
        if self._black and not turn.black:
            self._force()
        self._black = turn.black

    def _send(self, turn: Turn, loop: asyncio.AbstractEventLoop | None, *, copy: bool) -> None:
        """Decide, and begin what calls there are to begin."""
        yes, number, whose = self._cues.ask(turn.at)
        if self._cues.failed:
            self.tally.note(self._cues.failed)
        turn.need = max(self.carrier.need, number)
        cue = yes or (whose if number > self.carrier.need and number >= self.pace.threshold else "")
        now, basic = self._now(), self.modes.now.mode == BASIC
        age = turn.at - self._shown.at if self._shown is not None else 0.0
        if self.modes.allowed:
            reason = self._reason(self.pace, turn, age, cue, "probe" if basic else self._urgent("main"))
            if reason and self.main.ready(now) and self.denial.may_call(now):
                self._begin(self.main, self.pace, turn, reason, loop, copy=copy)
            elif reason and not basic:
                self.tally.waited += self.main.flight is not None
                self._wanted = turn.at if self._wanted is None else self._wanted
        if basic:
            self._send_to_device(turn, age, cue, loop, copy=copy)

    def _urgent(self, role: str) -> str:
        """Say why a model must see the next frame; empty where it need not."""
        return self._must[role] or ("first" if self._shown is None else "")

    def _send_to_device(
        self, turn: Turn, age: float, cue: str, loop: asyncio.AbstractEventLoop | None, *, copy: bool
    ) -> None:
        device = self.device
        if device is None:
            self._wanted = turn.at if self._wanted is None else self._wanted
            return
        reason = self._reason(self._device_pace, turn, age, cue, self._urgent("device"))
        if not reason:
            return
        if device.ready(self._now()):
            self._begin(device, self._device_pace, turn, reason, loop, copy=copy)
        elif self._wanted is None:
            self._wanted = turn.at

    def _reason(self, pace: Pace, turn: Turn, age: float, cue: str, must: str) -> str:
        profile = self.modes.profile
        pace.move(turn.at, profile)
        return pace.reason(turn.at, turn.need, age=age, cue=cue, must=must, profile=profile)

    def _begin(
        self, lane: Lane, pace: Pace, turn: Turn, reason: str, loop: asyncio.AbstractEventLoop | None, *, copy: bool
    ) -> Flight:
        pace.called(turn.at, counts=not self.modes.profile.every_frame)
        frame = turn.frame.copy() if copy else turn.frame
        carried = self.carrier.mask if self._shown is not None else None
        flight = lane.begin(
            frame, self.carrier.ask(), at=turn.at, reason=reason, carried=carried, gap=self.carrier.age, loop=loop
        )
        turn.lane, turn.flight = lane, flight
        self._wanted = turn.at if self._wanted is None else self._wanted
        self._must[lane.role] = ""
        if lane is self.main:
            self.tally.asked(reason)
            self._begun_since += 1
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "inference %d at %.2f s (%s): %s", flight.number, turn.at, lane.role, reason,
                extra={
                    "event": "segmentation_inference", "source": lane.role, "reason": reason, "stream_seconds": turn.at,
                    "mode": self.modes.now.mode,
                },
            )  # fmt: skip
        return flight

    def again(self, turn: Turn, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Send a frame once more whose call failed, where a retry is due; say whether it was sent."""
        lane, failed = turn.lane, turn.flight
        if lane is None or failed is None or turn.landed or not lane.health.retry_due or self.modes.now.mode == OFF:
            return False
        pace = self.pace if lane is self.main else self._device_pace
        pace.move(turn.at, self.modes.profile)
        if not lane.ready(self._now()) or not self.denial.may_call(self._now()) or not pace.affordable:
            return False
        self._begin(lane, pace, turn, failed.reason, loop, copy=False).again = True
        return True

    # what comes back

    def collect(self, turn: Turn | None = None) -> bool:
        """Take the answers that have come, and give up those that do not come; say whether there were any."""
        any_ = False
        for lane in (self.main, self.device):
            landed = lane.land() if lane is not None else None
            if landed is not None and lane is not None:
                any_ = True
                good = self.landed(lane, *landed)
                if turn is not None and turn.flight is landed[0]:
                    turn.landed = good
        return any_

    def landed(self, lane: Lane, flight: Flight, outcome: Outcome) -> bool:
        """Take what became of a call; say whether it brought a mask."""
        now, main = self._now(), lane is self.main
        (self.pace if main else self._device_pace).settled(outcome.share)
        if outcome.kind == "ok" and outcome.mask is not None:
            lane.health.answered(now, outcome.seconds)
            if main:
                self.denial.over()
                self.tally.answers += 1
                self.tally.model.add(outcome.seconds)
            self._answered(lane, flight, outcome.mask)
            return True
        if main and outcome.kind in {"denied", "revoked"} and not flight.again:
            lane.books.skipped()  # it was not sent after all
        if outcome.kind == "denied":
            self.denial.told(outcome.error, outcome.said, now)
            self.tally.denied += 1
            self.tally.note(f"a budget said no: {outcome.said}")
        elif outcome.kind == "revoked":
            lane.revoked += 1
        elif outcome.kind == "ended":
            self.tally.failures["ended"] += 1
            self.tally.note("a call was under way at the end: what became of it is unknown, it counts as paid for")
        else:
            lane.health.failed(now, outcome.said, jammed=lane.jammed)
            self.tally.failures[outcome.kind] += 1
            self.tally.failure_last = outcome.said
            said = f"{'the model' if main else 'the model on the device'} failed ({outcome.kind}): {outcome.said}"
            self.tally.note(said)
            _log.warning("%s", said, extra={"event": "segmentation_failure", "source": lane.role, "kind": outcome.kind})
        self._must[lane.role] = "again"  # the frame that needed it has passed, the need has not
        if main:
            self._begun_since -= 1
        return False

    def _answered(self, lane: Lane, flight: Flight, raw: NDArray[np.float32]) -> None:
        if lane is self.main:
            self._begun_since -= 1
        if flight.number < self._oldest[lane.role] or (self._shown is not None and flight.at < self._shown.at):
            return
        mask = scaled(raw, self.carrier.size)
        if flight.carried is not None:
            overlap = iou(mask, flight.carried)
            self.tally.refresh.add(overlap)
            if lane is self.main:
                self.pace.learned(flight.reason, overlap, gap=flight.gap)
        self.carrier.answer(flight.ticket, mask)
        self._shown = _Shown(flight.at, lane.role)
        self._wanted = None
        if self.tally.first_mask_seconds is None:
            self.tally.first_mask_seconds = self._clock.now() - self._started

    def answer(self, turn: Turn) -> Answer:
        """Say what a frame gets."""
        mask, shown = self.carrier.mask, self._shown
        blank = (
            mask is None
            or shown is None
            or turn.black
            or self.modes.now.mode == OFF
            or (self._wanted is not None and turn.at - self._wanted > self._limits.blank_seconds and not turn.landed)
        )
        self.tally.behind_most = max(self.tally.behind_most, self._begun_since)
        answer = Answer(
            mask=np.zeros(self.carrier.size, np.float32) if blank or mask is None else mask,
            kind="blank" if blank else "inferred" if turn.landed else "carried",
            mode=self.modes.now.mode,
            model="" if blank or shown is None else shown.role,
            seconds=turn.at,
            age_seconds=0.0 if blank or shown is None else max(0.0, turn.at - shown.at),
            need=turn.need,
            reason=turn.flight.reason if turn.flight is not None else "",
            black=turn.black,
        )
        for pace in (self.pace, self._device_pace):
            if pace.quality is not None:
                pace.quality.saw(inferred=turn.flight is not None)
        if turn.flight is None or turn.lane is not self.main:
            self.main.books.skipped()
        self.tally.took(
            answer, perf_counter() - turn.began, cpu=thread_time() - turn.cpu, judged=turn.judged, waited=turn.landed
        )
        return answer

    # modes

    def settle_mode(self) -> None:
        """Bring all wishes together, as of now."""
        now = self._clock.now()
        wishes = [self.chosen, *self.afar.look(now)]
        if self.afar.said:
            self.tally.note(self.afar.said)
            self.afar.said = ""
        absent = self.presence.wish()
        if absent is not None:
            wishes.append(absent)
        if self.main.health.down:
            wishes.append(Wish(BASIC, self.main.health.down, self.main.health.why))
        if self.denial.wish is not None:
            wishes.append(self.denial.wish)
        moment = self.time.last or 0.0
        change = self.modes.settle(wishes, moment)
        if not self.modes.allowed:
            self.main.revoke()
        if change is None:
            return
        self.pending.append(change)
        if change.new == OFF:
            self._off_since = moment if self._off_since is None else self._off_since
            if self.device is not None:
                self.device.revoke()
        elif change.old == OFF:
            self._force()
            self._wanted = None
