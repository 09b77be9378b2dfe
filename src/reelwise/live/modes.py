"""Which mode holds now: what the user chose, what is set from afar, what budgets and the model's health allow."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.live.bucket import HALF, WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BASIC", "FULL", "MAX", "MODES", "OFF", "SAVER", "ModeChange", "Modes", "Profile", "Wish", "check_mode"]

_log = logging.getLogger("reelwise.live")

MAX, FULL, SAVER, BASIC, OFF = "max", "full", "saver", "basic", "off"
MODES: tuple[str, ...] = (MAX, FULL, SAVER, BASIC, OFF)
"""From best to least. `max` infers every frame; it is only ever chosen, never fallen back to."""

_CHANGES_KEPT = 100


class Profile(Struct, frozen=True, kw_only=True):
    """What a mode does differently.

    Attributes:
        need: factor on the need from which on a frame is inferred.
        ceiling_fps: inferences a second at most; 0 for no more limits than there are.
        baseline: factor on the baseline rate.
        halves: how fast a rate or a price is spent, in halves.
        every_frame: whether every frame is inferred.
    """

    need: float = 1.0
    ceiling_fps: float = 0.0
    baseline: float = 1.0
    halves: int = WHOLE
    every_frame: bool = False


PROFILES: dict[str, Profile] = {
    MAX: Profile(every_frame=True),
    FULL: Profile(),
    SAVER: Profile(need=2.0, baseline=0.5, halves=HALF),
    BASIC: Profile(),
    OFF: Profile(),
}


class Wish(NamedTuple):
    """That somebody wants a mode.

    Attributes:
        mode: which one.
        cause: who: start, user, remote, budget, spent (a budget has nothing left), denied, failing, slow, hidden, paused, unread.
        why: in words.
        settings: levers that the budget's mode carries.
    """

    mode: str
    cause: str
    why: str = ""
    settings: Mapping[str, object] | None = None


class ModeChange(Struct, frozen=True, kw_only=True):
    """One change of mode.

    Attributes:
        seconds: when, in the stream.
        old, new: the modes.
        cause: see `Wish`.
        reason: why, for the log.
        message: why, for the user.
    """

    seconds: float
    old: str
    new: str
    cause: str
    reason: str
    message: str


def check_mode(mode: str) -> str:
    """Return a mode, or raise `InputError` where there is none of that name."""
    if mode not in MODES:
        raise InputError(f"no mode {mode!r:.40}", where="mode", hint=", ".join(MODES))
    return mode


class Modes:
    """Brings wishes together: the lowest holds.

    A user who chose `max` is above what budgets and a remote setting suggest, never above `off`, above a call that was denied, or
    above a model that does not answer.

    Args:
        device: whether a model on the device takes over in basic mode.
        profiles: profiles in place of the usual ones, by mode.

    Attributes:
        now: what holds.
        allowed: whether nobody forbids the main model; in basic mode, then, it may be tried whether it is back.
    """

    def __init__(self, *, device: bool, profiles: Mapping[str, Profile] | None = None) -> None:
        for name in profiles or {}:
            check_mode(name)
        self._device = device
        self._profiles = {**PROFILES, **(profiles or {})}
        self.now = Wish(FULL, "start")
        self.allowed = True
        self.changes: deque[ModeChange] = deque(maxlen=_CHANGES_KEPT)
        self.count = 0
        self.seconds: dict[str, float] = {}
        self._at: float | None = None
        self._wishes: list[Wish] = []

    @property
    def profile(self) -> Profile:
        """What holds in the present mode; a budget's mode may set its own `fps` and `need`."""
        profile = self._profiles[self.now.mode]
        settings = self.now.settings
        if not settings:
            return profile
        from msgspec.structs import replace

        fps, need = settings.get("fps"), settings.get("need")
        if isinstance(fps, int | float) and not isinstance(fps, bool) and 0 < fps <= 1000:
            profile = replace(profile, ceiling_fps=float(fps))
        if isinstance(need, int | float) and not isinstance(need, bool) and 0 < need <= 1000:
            profile = replace(profile, need=float(need))
        return profile

    def settle(self, wishes: list[Wish], at: float) -> ModeChange | None:
        """Take the wishes of a moment; return the change of mode that follows, if any.

        Args:
            wishes: the user's first.
            at: seconds of the stream.
        """
        if self._at is not None and at > self._at:
            self.seconds[self.now.mode] = self.seconds.get(self.now.mode, 0.0) + at - self._at
        self._at = at if self._at is None else max(self._at, at)
        if wishes == self._wishes:
            return None
        self._wishes = wishes
        chosen = wishes[0]
        if chosen.mode == MAX:
            wishes = [one for one in wishes if one.cause not in {"budget", "remote"} or one.mode == OFF]
        deepest = max(wishes, key=lambda one: MODES.index(one.mode))
        levers = next((one.settings for one in wishes if one.mode == deepest.mode and one.settings), None)
        deepest = deepest._replace(settings=levers)
        by_others = [one for one in wishes if one.cause not in {"failing", "slow", "denied"}]
        self.allowed = max((MODES.index(one.mode) for one in by_others), default=0) < MODES.index(BASIC)
        before, self.now = self.now, deepest
        if before.mode == deepest.mode and (before.cause == deepest.cause or deepest.mode != OFF):
            return None
        return self._changed(before, deepest, at)

    def _changed(self, before: Wish, after: Wish, at: float) -> ModeChange:
        why = after.why
        if MODES.index(after.mode) < MODES.index(before.mode) and before.cause not in {"start", "user"}:
            why = f"over: {before.why or before.cause}"
        change = ModeChange(
            seconds=round(at, 3),
            old=before.mode,
            new=after.mode,
            cause=after.cause,
            reason=why or after.cause,
            message=self._message(before, after),
        )
        self.changes.append(change)
        self.count += 1
        _log.info(
            "mode %s -> %s at %.1f s (%s): %s", change.old, change.new, change.seconds, change.cause, change.reason,
            extra={
                "event": "segmentation_mode", "mode_old": change.old, "mode_new": change.new, "cause": change.cause,
                "reason": change.reason, "stream_seconds": change.seconds,
            },
        )  # fmt: skip
        return change

    def _message(self, before: Wish, after: Wish) -> str:
        """Say a change in words that can be shown to whoever uses the feature."""
        if after.mode == OFF:
            return {
                "hidden": "Paused while the picture is hidden. Nothing is sent.",
                "paused": "Paused. Nothing is sent.",
                "unread": "Paused: nobody is watching. Nothing is sent.",
                "user": "Switched off. Nothing is sent.",
            }.get(after.cause, "Switched off by the service. Nothing is sent.")
        if after.mode == BASIC:
            how = (
                "This device does the work for now, a little less exactly."
                if self._device
                else "The last outline is kept for a moment, then the whole picture is covered."
            )
            first = {
                "failing": "The segmentation service does not answer, using basic mode.",
                "slow": "The segmentation service is slow, using basic mode.",
                "budget": "The allowance is nearly used up, using basic mode.",
                "spent": "The allowance is used up, using basic mode.",
                "denied": "The allowance is used up, using basic mode.",
            }.get(after.cause, "Basic mode.")
            return f"{first} {how}"
        if before.cause in {"failing", "slow"}:
            return "The segmentation service is back."
        if after.mode == SAVER:
            why = " because the allowance runs low" if after.cause == "budget" else ""
            return f"Saver mode{why}: outlines follow fast movement a little later."
        if after.mode == MAX:
            return "Best quality: every picture is segmented."
        return "Full quality again." if MODES.index(before.mode) > MODES.index(FULL) else "Full quality."
