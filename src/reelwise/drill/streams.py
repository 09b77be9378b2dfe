"""The live loop in a drill: drawn frames, a model that is as slow and as broken as the scenario says, simulated time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import NotSentError
from reelwise.ledger import Budget, Ledger
from reelwise.ledger.queries import export
from reelwise.live import Adaptive, Limits
from reelwise.live.masks import iou
from reelwise.live.simulated import SimulatedTime

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from reelwise.drill.scenario import Drill
    from reelwise.live.receipt import LiveReceipt

__all__ = ["run_streams"]

_HEIGHT, _WIDTH = 72, 128
_SPEED = {"still": 0.0, "normal": 0.4, "fast": 8.0}
_VERIFY_EVERY = 5
_SWAY = 1.5  # who sits still breathes, pixels


def drawn(offset: float) -> NDArray[np.uint8]:
    """Draw a bright person-sized box over a grey ground, so far along its way: RGB (72, 128, 3)."""
    frame = np.full((_HEIGHT, _WIDTH, 3), 60, np.uint8)
    side = _HEIGHT // 2
    span = _WIDTH - side
    at = int(offset) % (2 * span)
    at = at if at < span else 2 * span - at
    frame[_HEIGHT // 4 : _HEIGHT // 4 + side, at : at + side] = (220, 180, 160)
    return frame


def mask_of(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mask that the model gives: float32 (36, 64)."""
    return (frame[::2, ::2, 0] > 128).astype(np.float32)


class _Model:
    """The model of a drill.

    Attributes:
        calls: made so far; `tried` with those that failed.
        seconds: how long an answer takes; `fails` whether none comes.
    """

    name = "drill"

    def __init__(self, time: SimulatedTime, seconds: float) -> None:
        self._time = time
        self.seconds, self.fails = seconds, False
        self.calls = self.tried = self.failed = 0

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.tried += 1
        if self.fails:
            self.failed += 1
            raise NotSentError("the drill lets it fail", where="drill", reason="reach")
        self.calls += 1
        self._time.spend(self.seconds)
        return mask_of(frame)


class _Device:
    """The model on the device: free, and as good."""

    name = "drill-device"

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        return mask_of(frame)


class _Stream:
    """One user's stream."""

    def __init__(self, drill: Drill, usd_per_call: Decimal, ledger: Ledger, user: int) -> None:
        self._drill = drill
        self.time = SimulatedTime()
        self.model = _Model(self.time, drill.call_seconds)
        held: dict[str, Any] = {
            name: getattr(drill, name) for name in ("quality", "usd_an_hour", "inferences_a_minute")
            if getattr(drill, name) is not None
        }  # fmt: skip
        slow = drill.call_seconds > 0 or any(one.do == "slow" for one in drill.events)
        self.adaptive = Adaptive(
            self.model, **(held or {"quality": 0.9}), usd_per_call=usd_per_call, mode=drill.mode,
            fallback=_Device() if drill.fallback else None, limits=Limits(wait_seconds=1 / 30 if slow else None),
            ledger=ledger, feature="drill", clock=self.time, worker=self.time, user=f"user{user}",
            not_billed=(NotSentError,),
        )  # fmt: skip
        self._speed, self._offset = _SPEED[drill.motion], 7.0 * user
        self._index = 0
        self._events = sorted(drill.events, key=lambda one: one.at, reverse=True)
        self._revoked_at: int | None = None
        self._failing_at: int | None = None
        self.after_revoke = self.while_failing = self.shown = self.frames = 0
        self.overlaps: list[float] = []

    @property
    def frames_all(self) -> int:
        """How many frames the stream has."""
        return round(self._drill.seconds * self._drill.fps)

    def step(self) -> None:
        """Play one frame."""
        index, at = self._index, self._index / self._drill.fps
        self._index += 1
        self.time.move(at)
        while self._events and self._events[-1].at <= at + 1e-9:
            self._happen(self._events.pop())
        self._offset += self._speed
        frame = drawn(self._offset + _SWAY * math.sin(math.tau * at / 4))
        answer = self.adaptive.look(frame, at)
        self.frames += 1
        self.shown += bool(answer.mask.any())
        if index % _VERIFY_EVERY == 0 and self._revoked_at is None and not self.model.fails:
            self.overlaps.append(iou(answer.mask, mask_of(frame)))

    def end(self) -> LiveReceipt:
        """End the stream; return its receipt."""
        self._count()
        return self.adaptive.close()

    def _happen(self, event: Any) -> None:
        self._count()
        if event.do == "slow":
            self.model.seconds = event.seconds
        elif event.do == "fail":
            self.model.fails, self._failing_at = True, self.model.tried
        elif event.do == "well":
            self.model.fails, self.model.seconds, self._failing_at = False, self._drill.call_seconds, None
        elif event.do == "revoke":
            self.adaptive.choose("off")
            self._revoked_at = self.model.tried
        elif event.do == "allow":
            self.adaptive.choose(self._drill.mode)
        else:
            self._speed = _SPEED[event.motion]

    def _count(self) -> None:
        """Add up calls of a stretch that ends: after a revocation, while the model failed."""
        if self._revoked_at is not None:
            self.after_revoke += self.model.tried - self._revoked_at
            self._revoked_at = self.model.tried if self.adaptive.mode == "off" else None
        if self._failing_at is not None:
            self.while_failing += self.model.failed and self.model.tried - self._failing_at
            self._failing_at = self.model.tried if self.model.fails else None


def run_streams(drill: Drill, usd_per_call: Decimal) -> dict[str, float | str]:
    """Play a live scenario, for all users at once and with one ledger, and say what was seen."""
    notices: list[Any] = []
    with Ledger(":memory:", thread=False, on_notice=notices.append) as ledger:
        if drill.budget_usd is not None:
            ledger.set_budget(Budget(name="drill", period="total", hard=round(drill.budget_usd * 1e9)))
        if drill.budget_calls is not None:
            ledger.set_budget(Budget(name="drill-calls", period="total", measure="calls", hard=drill.budget_calls))
        streams = [_Stream(drill, usd_per_call, ledger, user) for user in range(drill.users)]
        for index in range(streams[0].frames_all):
            for stream in streams:
                stream.step()
            if index % max(1, round(drill.fps)) == 0:
                ledger.step()  # once a second what was posted is written down, and notices are given
        receipts = [stream.end() for stream in streams]
        ledger.flush()
        rows = sum(row["cost_nano"] for page in export(ledger.store) for row in page)
    seen = _seen(drill, streams, receipts)
    seen |= {"notices": float(len(notices)), "ledger_nano": float(abs(rows - sum(one.cost_nano for one in receipts)))}
    if drill.users > 1:
        with Ledger(":memory:", thread=False) as alone:
            one = _Stream(drill, usd_per_call, alone, 0)
            for _ in range(one.frames_all):
                one.step()
            single = one.end().cost_usd
        if single > 0:
            seen["users_factor"] = sum(each.cost_usd for each in receipts) / (drill.users * single)
    return seen


def _seen(drill: Drill, streams: list[_Stream], receipts: list[LiveReceipt]) -> dict[str, float | str]:
    cost = sum(one.cost_nano for one in receipts) / 1e9
    frames = max(1, sum(one.frames for one in streams))
    overlaps = [value for stream in streams for value in stream.overlaps]
    seen: dict[str, float | str] = {
        "cost_usd": cost,
        "cost_usd_hour": cost / drill.users / drill.seconds * 3600,
        "inference_share": sum(one.inferences for one in receipts) / frames,
        "device_share": sum(one.device_inferences for one in receipts) / frames,
        "answered_share": sum(one.shown for one in streams) / frames,
        "age_seconds": max(one.age_seconds_most for one in receipts),
        "behind": float(max(one.behind_most for one in receipts)),
        "calls": float(sum(stream.model.calls for stream in streams)),
        "timeouts": float(sum(one.timeouts for one in receipts)),
        "calls_after_revoke": float(sum(stream.after_revoke for stream in streams)),
        "calls_while_failing": float(sum(stream.while_failing for stream in streams)),
        "denied": float(sum(one.denied for one in receipts)),
        "mode": receipts[0].mode,
        "mode_changes": float(max(one.mode_changes_count for one in receipts)),
    }
    if overlaps:
        seen |= {"iou_mean": float(np.mean(overlaps)), "iou_p5": float(np.percentile(overlaps, 5))}
    if drill.budget_usd is not None:
        seen["over_budget_usd"] = max(0.0, cost - drill.budget_usd)
    return seen
