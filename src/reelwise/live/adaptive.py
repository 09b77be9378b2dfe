"""Wrap any function from a frame to a mask, so that it is called for the frames that need it, at a quality or a price that is held.

    adaptive = Adaptive(model, usd_an_hour="1.50", usd_per_call="0.001")
    for frame in camera:
        mask = adaptive(frame)
    print(adaptive.close().cost_usd)

Nothing calls the model but a frame that comes in.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, Self

from msgspec.structs import replace

from reelwise.errors import InputError, UnreachableError
from reelwise.live.afar import Afar
from reelwise.live.books import Books
from reelwise.live.caught import Caught
from reelwise.live.cues import Cues
from reelwise.live.engine import Engine
from reelwise.live.frames import checked_frame
from reelwise.live.health import Health
from reelwise.live.lane import Lane
from reelwise.live.modes import FULL, ModeChange, Modes, Wish, check_mode
from reelwise.live.presence import Presence
from reelwise.live.settled import receipt_of
from reelwise.live.target import Limits, Target, exact_nano
from reelwise.live.worker import SystemClock, ThreadWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.ledger.ledger import Ledger
    from reelwise.live.answer import Answer
    from reelwise.live.carry import Carrier
    from reelwise.live.cues import Cue
    from reelwise.live.engine import Turn
    from reelwise.live.modes import Profile
    from reelwise.live.receipt import LiveReceipt
    from reelwise.live.worker import Clock, Worker

__all__ = ["Adaptive"]

_log = logging.getLogger("reelwise.live")

Model = "Callable[[NDArray[np.uint8]], Any]"
_TRIES_MAX = 12


class Adaptive:
    """An adaptive loop around a model. Safe to be used from several threads; of two frames at a time the newer one wins.

    At most one call is under way, so a model that is slower than the stream is never more than one inference behind: frames in between
    get the last mask, carried to them. Nothing calls a model but a frame that comes in.

    Args:
        model: from RGB uint8 (height, width, 3) to foreground 0..1, (h, w) of any size; a function or an object, sync or async.
        quality: IoU with the model's own mask that 95 of 100 frames should keep; see `Target`.
        inferences_a_minute: or how many frames a minute are sent;
        usd_an_hour: or for how much money.
        usd_per_call: what one inference costs, exact: text, Decimal or Fraction.
        fallback: a model on the device that takes over in basic mode.
        limits: see `Limits`.
        mode: what the user chose: max (every frame), full, saver, basic or off; `choose` changes it.
        remote: returns a mode that is set from afar, or None; asked once a second, from a thread of its own.
        cues: what else may ask for an inference; see `reelwise.live.cues.Cue`.
        reader: says on every frame whether somebody reads the output; no call is made while nobody does.
        on_mode_change: called with each `ModeChange`, in the thread that brought it about.
        ledger: holds and settles each call, and whose budgets set the mode.
        feature: what the ledger calls this feature.
        not_billed: errors of the model after which a call was surely not billed.
        profiles: what modes do differently, by mode; see `Profile`.
        carrier: makes what carries masks.
        name: of the model, for receipts and rows.
        clock, worker: the time, and where calls are made; for tests.
        labels: user, session, tenant, user_class, tags: for the ledger.

    Raises:
        InputError: settings that cannot be.
        MissingExtraError: OpenCV is not installed.
    """

    def __init__(
        self,
        model: Callable[[NDArray[np.uint8]], Any],
        *,
        quality: float | None = None,
        inferences_a_minute: float | None = None,
        usd_an_hour: Any = None,
        usd_per_call: Any = 0,
        fallback: Callable[[NDArray[np.uint8]], Any] | None = None,
        limits: Limits | None = None,
        mode: str = FULL,
        remote: Callable[[], str | None] | None = None,
        cues: Sequence[Cue] = (),
        reader: Callable[[], bool] | None = None,
        on_mode_change: Callable[[ModeChange], Any] | None = None,
        ledger: Ledger | None = None,
        feature: str = "live",
        not_billed: tuple[type[BaseException], ...] = (),
        profiles: Mapping[str, Profile] | None = None,
        carrier: Callable[[], Carrier] | None = None,
        name: str = "",
        clock: Clock | None = None,
        worker: Worker | None = None,
        **labels: Any,
    ) -> None:
        self._limits = (limits or Limits()).check()
        self._target = Target(quality=quality, inferences_a_minute=inferences_a_minute, usd_an_hour=usd_an_hour).check()
        for one in (model, fallback):
            if one is not None and not callable(one):
                raise InputError(f"{one!r:.60} is no model", where="model", hint="a function from a frame to a mask")
        self._price = exact_nano(usd_per_call, "usd_per_call")
        self._model, self._device = name or _name(model), "" if fallback is None else _name(fallback)
        self._clock: Clock = clock or SystemClock()
        books = Books(
            self._price, ledger=ledger, feature=feature, model=self._model, labels=labels,
            timeout_seconds=self._limits.timeout_seconds, not_billed=(Lane.NEVER_MADE, UnreachableError, *not_billed),
        )  # fmt: skip
        main = self._lane(model, "main", books, Health(self._limits, slow=fallback is not None), worker)
        device = None
        if fallback is not None:
            device = self._lane(fallback, "device", Books(self._price * 0), Health(self._limits, slow=False), worker)
        self._engine = Engine(
            main, device, target=self._target, limits=self._limits, price=self._price,
            make_carrier=carrier or _usual_carrier(), cues=Cues(cues), presence=Presence(reader),
            afar=Afar(remote, books, threaded=clock is None, device=device is not None), modes=Modes(device=device is not None, profiles=profiles),
            mode=check_mode(mode), clock=self._clock,
        )  # fmt: skip
        self._on_mode_change = on_mode_change
        self._lock = threading.RLock()
        self._receipt: LiveReceipt | None = None

    def _lane(
        self, model: Callable[[NDArray[np.uint8]], Any], role: str, books: Books, health: Health, worker: Worker | None
    ) -> Lane:
        return Lane(
            model, role=role, books=books, health=health, worker=worker or ThreadWorker(f"reelwise-live-{role}"),
            clock=self._clock, timeout_seconds=self._limits.timeout_seconds,
        )  # fmt: skip

    # frames

    def __call__(self, frame: NDArray[np.uint8], at: float | None = None) -> NDArray[np.float32]:
        """Return a frame's mask: foreground 0..1, float32 (h, w); all 0 where there is none that may be shown. See `look`."""
        return self.look(frame, at).mask

    async def see(self, frame: NDArray[np.uint8], at: float | None = None) -> NDArray[np.float32]:
        """Return a frame's mask, from a running loop; see `look_async`."""
        return (await self.look_async(frame, at)).mask

    def look(self, frame: NDArray[np.uint8], at: float | None = None) -> Answer:
        """Take a frame, and say what it gets.

        Args:
            frame: RGB uint8 (height, width, 3).
            at: its time in seconds, on any clock: what rates and prices are counted by. None takes the time of day; for a file
                that is read faster than it plays, give its own.

        Raises:
            InputError: no such frame, or the loop is closed.
        """
        turn = self._begin(frame, at, None)
        for _ in range(_TRIES_MAX):
            lane, flight = turn.lane, turn.flight
            seconds = self._patience(turn)
            if lane is None or flight is None or seconds == 0:
                break
            lane.wait(flight, seconds)
            if not self._again(turn, None):
                break
        return self._end(turn)

    async def look_async(self, frame: NDArray[np.uint8], at: float | None = None) -> Answer:
        """Do what `look` does while the loop goes on; an async model runs on this loop."""
        loop = asyncio.get_running_loop()
        turn = self._begin(frame, at, loop)
        for _ in range(_TRIES_MAX):
            seconds = self._patience(turn)
            if turn.flight is None or turn.flight.future is None or seconds == 0:
                break
            left = self._limits.timeout_seconds if seconds is None else seconds
            await _waited(turn.flight.future, left)
            if not self._again(turn, loop):
                break
        return self._end(turn)

    def _begin(self, frame: NDArray[np.uint8], at: float | None, loop: asyncio.AbstractEventLoop | None) -> Turn:
        with self._lock:
            if self._receipt is not None:
                raise InputError("it is closed", where="live", hint="make another one for another stream")
            copy = self._limits.wait_seconds is not None
            turn = self._engine.begin(checked_frame(frame), at, loop, copy=copy)
        self._tell()
        return turn

    def _patience(self, turn: Turn) -> float | None:
        """Say how long a frame waits for its inference; None until it is over."""
        wait = self._limits.wait_seconds
        if turn.lane is None:
            return 0.0
        if wait is not None and turn.lane.health.median_seconds > wait:
            return 0.0  # it would not come in time
        return wait

    def _again(self, turn: Turn, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Take what came back; where frames wait for their masks, send one once more whose call failed."""
        with self._lock:
            self._engine.collect(turn)
            if self._limits.wait_seconds is not None or self._receipt is not None:
                return False
            self._engine.settle_mode()
            return self._engine.again(turn, loop)

    def _end(self, turn: Turn) -> Answer:
        with self._lock:
            if self._engine.collect(turn):
                self._engine.settle_mode()
            answer = self._engine.answer(turn)
        self._tell()
        return answer

    # what the user says

    def choose(self, mode: str) -> None:
        """Set the mode that the user wants: max, full, saver, basic or off. When this returns, no call begins that it forbids.

        Raises:
            InputError: no such mode.
        """
        self._set(lambda engine: setattr(engine, "chosen", Wish(check_mode(mode), "user", f"chosen: {mode}")))

    def pause(self) -> None:
        """Call no model until `resume`. When this returns, no further call begins."""
        self._set(lambda engine: setattr(engine.presence, "paused", True))

    def resume(self) -> None:
        """Go on after `pause`."""
        self._set(lambda engine: setattr(engine.presence, "paused", False))

    def hide(self) -> None:
        """Call no model while the picture is hidden. When this returns, no further call begins."""
        self._set(lambda engine: setattr(engine.presence, "hidden", True))

    def show(self) -> None:
        """Go on after `hide`."""
        self._set(lambda engine: setattr(engine.presence, "hidden", False))

    def _set(self, change: Callable[[Engine], None]) -> None:
        with self._lock:
            change(self._engine)
            if self._receipt is None:
                self._engine.settle_mode()
        self._tell()

    def _tell(self) -> None:
        """Tell the changes of mode, in order, outside of the lock."""
        while self._engine.pending:
            with self._lock:
                change = self._engine.pending.pop(0) if self._engine.pending else None
            if change is None or self._on_mode_change is None:
                continue
            with Caught() as caught:
                self._on_mode_change(change)
            if caught.error is not None:
                _log.error("on_mode_change failed: %s", caught.said, exc_info=caught.error)
                self._engine.tally.note(f"on_mode_change failed: {caught.said}")

    # what is so

    @property
    def mode(self) -> str:
        """The mode that holds."""
        return self._engine.modes.now.mode

    @property
    def why(self) -> str:
        """Why that mode holds."""
        return self._engine.modes.now.why or self._engine.modes.now.cause

    @property
    def cause(self) -> str:
        """Who brought that mode about: start, user, remote, budget, spent, denied, failing, slow, hidden, paused or unread."""
        return self._engine.modes.now.cause

    def set_dropped(self, frames: int) -> None:
        """Say how many frames were left out so far because they came faster than they were taken."""
        with self._lock:
            self._engine.tally.dropped = frames
            if self._receipt is not None:
                self._receipt = replace(self._receipt, dropped=frames)

    def verified(self, iou: float) -> None:
        """Count how well a frame's mask overlapped with what it was held against."""
        with self._lock:
            self._engine.tally.verified.add(iou)

    def note(self, said: str) -> None:
        """Keep something to say in the receipt."""
        with self._lock:
            self._engine.tally.note(said)

    def receipt(self) -> LiveReceipt:
        """Say what was done so far, and what it cost."""
        with self._lock:
            return self._receipt or self._made()

    def _made(self) -> LiveReceipt:
        return receipt_of(self._engine, model=self._model, device=self._device, target=self._target, price=self._price)

    # the end

    def close(self) -> LiveReceipt:
        """End: no further call begins; one under way is waited for, briefly, and settled. May be called again.

        Returns:
            The receipt.
        """
        with self._lock:
            if self._receipt is not None:
                return self._receipt
            engine = self._engine
            for lane in (engine.main, engine.device):
                landed = lane.close() if lane is not None else None
                if landed is not None and lane is not None:
                    engine.landed(lane, *landed)
            with Caught() as caught:
                engine.main.books.close()
            if caught.error is not None:
                engine.tally.note(f"what was avoided could not be recorded: {caught.said}")
            self._receipt = self._made()
        self._engine.afar.close()
        self._tell()
        return self._receipt

    async def aclose(self) -> LiveReceipt:
        """Do what `close` does, and let async calls under way come to an end first, briefly."""
        for lane in (self._engine.main, self._engine.device):
            flight = lane.flight if lane is not None else None
            if lane is not None and flight is not None and flight.future is not None and not lane.revoke():
                await _waited(flight.future, _CLOSE_SECONDS)
        receipt = self.close()
        await asyncio.sleep(0)  # what was cancelled ends
        return receipt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


_CLOSE_SECONDS = 0.5


async def _waited(future: Future[Any], seconds: float) -> None:
    """Wait for a call, bounded; it goes on if it is not over, or if whoever waits is cancelled."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(_: Future[Any]) -> None:
        with Caught():  # the loop may be closed when a late answer comes
            loop.call_soon_threadsafe(over.set)

    future.add_done_callback(tell)
    with Caught() as caught:
        async with asyncio.timeout(seconds):
            await over.wait()
    if caught.error is not None and not isinstance(caught.error, TimeoutError):
        raise caught.error


def _name(model: Any) -> str:
    return str(getattr(model, "name", None) or getattr(model, "__name__", None) or type(model).__name__)[:128]


def _usual_carrier() -> Callable[[], Carrier]:
    from reelwise.live.carry import Carrier

    return Carrier
