"""Modes: named sets of levers that a feature steps down through while its budget runs out, and back up when it is there again."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

from reelwise.errors import InputError
from reelwise.ledger.events import check_label

__all__ = ["FREE", "LADDER", "OFF", "Feature", "Mode", "check_feature", "step"]

OFF = "off"
FREE = "basic"
"""The step of a ladder on which nothing is sent that costs."""
LADDER: tuple[str, ...] = ("full", "saver", "basic", OFF)
"""The ladder of a feature that has none of its own."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_OVER = 0.25  # a unit cost that is this part above its target steps down by one more


class Mode(Struct, frozen=True, kw_only=True):
    """What a feature should do now.

    Attributes:
        name: full, saver, basic, off, or another step of the feature's ladder.
        settings: that mode's levers: fps, resolution, model, cache_only, device, ... as they were set.
        why: the budget, switch or setting that decided; empty where nothing did.
        free: where a spent budget, and no switch, says off: the step of the ladder that may go on at no cost, by a model on the device;
            empty elsewhere, and where the ladder has none.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    free: str = ""


class Feature(Struct, frozen=True, kw_only=True):
    """How a feature degrades.

    Attributes:
        name: the feature.
        ladders: steps from best to least, by user class; the ladder under "" is for all others.
        modes: settings of each step.
        forced: a mode set by hand, whatever budgets say; empty for none.
        killed: no call is let through, from the next one on.
        reason: why it was killed or forced.
    """

    name: str
    ladders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modes: dict[str, dict[str, Any]] = field(default_factory=dict)
    forced: str = ""
    killed: bool = False
    reason: str = ""

    def ladder(self, user_class: str) -> tuple[str, ...]:
        """Return the steps for one class of users."""
        return self.ladders.get(user_class) or self.ladders.get("") or LADDER

    def mode(self, name: str, why: str = "") -> Mode:
        """Return one mode with its settings."""
        return Mode(name=name, settings=dict(self.modes.get(name, {})), why=why)


def check_feature(feature: Feature) -> Feature:
    """Check ladders and modes.

    Raises:
        InputError: a name that cannot be, a ladder without steps, settings of a mode that is on no ladder.
    """
    check_label(feature.name, "feature")
    if not feature.name:
        raise InputError("a feature needs a name", where="feature", hint="reelwise budget kill FEATURE")
    steps = {step for ladder in feature.ladders.values() for step in ladder} | set(LADDER)
    for user_class, ladder in feature.ladders.items():
        check_label(user_class, "user_class")
        if not 1 <= len(ladder) <= 16 or len(set(ladder)) != len(ladder):
            raise InputError("a ladder has 1 to 16 different steps", where=feature.name, hint="full, saver, basic, off")
        if OFF in ladder[:-1]:
            raise InputError("off is the last step of a ladder", where=feature.name, hint="full, saver, basic, off")
        for name in ladder:
            if not _NAME.fullmatch(name):
                raise InputError(f"no mode can be named {name[:40]!r}", where=feature.name, hint="lower case letters")
    for name in (*feature.modes, *([feature.forced] if feature.forced else [])):
        if name not in steps:
            raise InputError(f"no ladder has the mode {name[:40]!r}", where=feature.name, hint=", ".join(sorted(steps)))
    return feature


def step(ladder: tuple[str, ...], spent: int, soft: int | None, hard: int | None) -> int:
    """Return how far down a ladder a budget asks a feature to be.

    Below the soft limit: 0. From there to the hard limit the steps in between share the way evenly; `off` comes at the hard limit.
    Without a hard limit the steps share another soft limit's worth.
    """
    if soft is None or spent < soft:
        return len(ladder) - 1 if hard is not None and spent >= hard and ladder[-1] == OFF else 0
    last = len(ladder) - (2 if ladder[-1] == OFF else 1)  # the last step that still does something
    if hard is not None and spent >= hard:
        return len(ladder) - 1
    end = hard if hard is not None else 2 * soft
    if last <= 0 or end <= soft:
        return max(0, last)
    return min(last, 1 + (spent - soft) * last // (end - soft))


def step_for_target(ladder: tuple[str, ...], cost: int, target: int) -> int:
    """Return how far down a unit cost above its target asks a feature to be: one step, and one more for each quarter above it."""
    if cost <= target:
        return 0
    last = len(ladder) - (2 if ladder[-1] == OFF else 1)  # a target never switches a feature off
    return max(0, min(last, 1 + int((cost - target) / (target * _OVER))))
